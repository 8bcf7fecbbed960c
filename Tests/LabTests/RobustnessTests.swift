import Events
import Foundation
import Engine
import PipelineSpec
import Testing

@testable import Lab

/// The shipped pipeline over generated streams, judged as `vigil evaluate` does, with people who answer what they are asked.
@Suite struct RobustnessTests {
    static func judge(_ options: TrafficOptions) throws -> LabelledRun {
        var traffic = TrafficGenerator(options)
        var buffer = OutputBuffer()
        while traffic.next(into: &buffer) != nil { buffer.append("\n") }
        let path = NSTemporaryDirectory() + "/vigil-robustness-\(UUID().uuidString).ndjson"
        try Data(buffer.view(from: 0).bytes).write(to: URL(fileURLWithPath: path))
        defer { unlink(path) }
        let run = try LabelledRun(judging: path, plan: plan(), answers: true)
        print("seed \(options.seed): \(run.events.count) events of \(run.users) users")
        return run
    }

    private static func plan() throws -> EnginePlan {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("pipelines/continuous-authorization.yaml").path
        var plan = try PipelineFile.load(path: file, environment: ["VIGIL_SECRET": "a secret for tests only"]).plan
        var input = InputPlan(topic: "events")
        input.decode.requiresKey = false
        plan.inputs = [input]
        return plan
    }

    // MARK: - Benign twins

    /// Five weeks of people with more than their share of trips, new phones and the rest, and nobody hostile.
    @Test(arguments: [UInt64(21)]) func aBenignTwinCostsAtMostOneChallenge(seed: UInt64) throws {
        var options = TrafficOptions()
        (options.users, options.days, options.seed) = (100, 35, seed)
        options.actionsMedian = 4
        options.attacks = .none
        options.twins.trip = 0.5
        options.twins.deviceDays = 120
        options.twins.vpnUsers = 0.2
        options.twins.renumbering = 0.2
        options.twins.roleChange = 0.1
        options.twins.passwordReset = 0.01
        options.twins.bulkUsers = 0.02
        let run = try Self.judge(options)
        #expect(!run.events.contains { $0.isHostile })
        let rows = run.twinRows
        #expect(Set(rows.map(\.twin)) == Set(BenignTwin.allCases.map(\.rawValue)))
        for row in rows {
            print("\(row.twin): \(row.cases) cases, \(row.challenges) challenges, at most \(row.mostChallenges), \(row.denials) denials")
            #expect(row.mostChallenges <= 1, "\(row.twin), seed \(seed): \(row.casesBeyondOne) of \(row.cases) cases beyond one")
            #expect(row.denials == 0, "\(row.twin), seed \(seed)")
        }
    }

    // MARK: - No cliff

    enum Change: CaseIterable { case mix, drift, half }

    private static func options(_ change: Change?) -> TrafficOptions {
        var options = TrafficOptions()
        (options.users, options.days, options.seed) = (70, 24, 31)
        options.actionsMedian = 4
        for kind in AttackKind.ofTraffic where kind != .stuffing && kind != .spray { options.attacks[kind] = 50 }
        switch change {
        case .mix:
            // From mostly stolen passwords to mostly stolen sessions.
            for kind in [AttackKind.naive, .vpn, .targeted, .veryTargeted, .takeover] { options.attacks[kind] = 20 }
            for kind in [AttackKind.hijack, .replay, .insider] { options.attacks[kind] = 100 }
        case .drift:
            (options.twins.trip, options.twins.deviceDays) = (0.6, 60)
            (options.twins.roleChange, options.twins.renumbering) = (0.25, 0.5)
        case .half: options.sessionsMedian /= 2
        case nil: break
        }
        return options
    }

    private static func areas(_ change: Change?) throws -> [String: (area: Double, attacks: Int)] {
        var found = EvaluationOptions()
        found.rounds = 0
        let rows = try Evaluation(Self.judge(options(change)), options: found).ranking
        var areas: [String: (Double, Int)] = [:]
        for row in rows where row.history == "any" && row.unit == .session {
            if let auc = row.auc { areas[row.kind] = (auc.value, row.attacks) }
        }
        return areas
    }

    /// How far an area may fall: of all attacks, and of one kind with ten or more.
    static let fall = (all: 0.05, kind: 0.12)

    @Test func otherTrafficIsNoCliff() throws {
        let base = try Self.areas(nil)
        #expect(base["all"]?.area ?? 0 > 0.8, "\(base)")
        for change in Change.allCases {
            let changed = try Self.areas(change)
            for (kind, was) in base.sorted(by: { $0.key < $1.key }) {
                guard let now = changed[kind] else { continue }
                print("\(change) \(kind): \(was.area) of \(was.attacks), now \(now.area) of \(now.attacks)")
                // Mixed otherwise, all attacks together are other attacks; each kind is what it was.
                if kind == "all" ? change == .mix : min(was.attacks, now.attacks) < 10 { continue }
                #expect(now.area > was.area - (kind == "all" ? Self.fall.all : Self.fall.kind), "\(change) \(kind)")
            }
        }
    }
}
