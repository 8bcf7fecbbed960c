import Dispatch
import Events
import Lab
import Runtime
import Synchronization

/// What the demo's threads tell one another: what was produced and not yet decided, what was decided, how long it took.
final class DemoBoard: Sendable {
    /// An event on its way through the pipeline.
    struct Sent {
        /// Nanoseconds of a clock that never goes back.
        var at: UInt64
        var attack: AttackKind?
        var onset: String?
        /// An answer to a challenge, which is no part of the traffic that is judged.
        var isAnswer = false
    }

    /// What the live view shows.
    struct View {
        var produced = 0
        var decided = 0
        var verdicts: [String: Int] = [:]
        var answers = 0
        var inFlight = 0
        /// Milliseconds from produced to seen, of the latest decisions.
        var latencies: [Double] = []
        /// The latest, newest last.
        var interventions: [DecisionRecord] = []
        /// How many there were in all.
        var interventionCount = 0
        var failure: String?
        var isFed = false
    }

    private struct Contents {
        var view = View()
        var sent: [String: Sent] = [:]
        var ledger = ScenarioLedger()
        /// Sessions whose end or refusal was shown.
        var shown: Set<String> = []
    }
    private let contents = Mutex(Contents())
    private static let latencyCount = 8_000
    private static let interventionCount = 80

    let stop: StopRequest

    init(stop: StopRequest) { self.stop = stop }

    var view: View {
        contents.withLock { contents in
            var view = contents.view
            view.inFlight = contents.sent.count
            return view
        }
    }

    var ledger: ScenarioLedger { contents.withLock { $0.ledger } }

    /// An event is about to be produced.
    func note(_ event: GeneratedEvent, id: String) {
        let label = event.label
        let onset = label.attack == nil ? nil : GeneratedEvent.eventID(event.onset)
        let sent = Sent(at: DispatchTime.now().uptimeNanoseconds, attack: label.attack, onset: onset)
        contents.withLock { contents in
            contents.ledger.note(
                event: id, time: event.time, kind: label.attack?.rawValue ?? "legitimate", onset: onset,
                twin: label.twin?.rawValue)
            contents.sent[id] = sent
            contents.view.produced += 1
        }
    }

    /// An answer to a challenge is about to be produced.
    func note(answer id: String) {
        let sent = Sent(at: DispatchTime.now().uptimeNanoseconds, isAnswer: true)
        contents.withLock { contents in
            contents.sent[id] = sent
            contents.view.produced += 1
            contents.view.answers += 1
        }
    }

    /// A decision was seen. Returns what it is about; nil when that was decided before.
    func note(_ decision: DecisionRecord) -> Sent? {
        let now = DispatchTime.now().uptimeNanoseconds
        let verdict = Verdict.allCases.first { $0.name.description == decision.decision } ?? .allow
        return contents.withLock { contents in
            guard let sent = contents.sent.removeValue(forKey: decision.event) else { return nil }
            contents.view.decided += 1
            contents.view.verdicts[decision.decision, default: 0] += 1
            if contents.view.latencies.count == Self.latencyCount {
                contents.view.latencies.removeFirst(Self.latencyCount / 2)
            }
            contents.view.latencies.append(Double(now - sent.at) / 1e6)
            if !sent.isAnswer {
                contents.ledger.note(decision: verdict, asks: decision.step_up?.prompt != nil, on: decision.event)
            }
            let isNews =
                switch verdict {
                case .allow: false
                case .stepUp: decision.step_up?.prompt != nil
                case .deny, .terminateSession:
                    contents.shown.insert("\(decision.user) \(decision.session ?? "") \(verdict)").inserted
                }
            if isNews {
                if contents.view.interventions.count == Self.interventionCount {
                    contents.view.interventions.removeFirst(Self.interventionCount / 2)
                }
                contents.view.interventions.append(decision)
                contents.view.interventionCount += 1
            }
            return sent
        }
    }

    /// Waits until at most `most` events are undecided. False when the demo ends or decisions no longer come.
    func waitForRoom(_ most: Int, patienceMilliseconds: Int64 = 30_000) -> Bool {
        let clock = SystemClock()
        var (last, since) = (-1, clock.milliseconds)
        while !stop.isRequested {
            let (waiting, decided) = contents.withLock { ($0.sent.count, $0.view.decided) }
            if waiting <= most { return true }
            if decided != last { (last, since) = (decided, clock.milliseconds) }
            if clock.milliseconds - since > patienceMilliseconds {
                fail("no decision came for \(patienceMilliseconds / 1000) s with \(waiting) events in flight")
                return false
            }
            clock.wait(milliseconds: 1)
        }
        return false
    }

    func endFeeding() { contents.withLock { $0.view.isFed = true } }

    func fail(_ why: String) {
        contents.withLock { $0.view.failure = $0.view.failure ?? why }
        stop.request()
    }
}
