import Dispatch
import Engine
import Events
import Foundation
import Synchronization

/// The shards of one process: a thread each, a mailbox each, one request to stop.
public final class ShardGroup: Sendable {
    public typealias Maker = @Sendable (Int, Mailbox, StopRequest) throws(LogFailure) -> Shard

    private struct Results {
        /// Nil when all have ended: what it holds, a state directory's lock above all, is free when `wait` returns, and not
        /// only when the last thread is gone.
        var make: Maker?
        var outcomes: [ShardOutcome?]
        /// What shards that have ended had done.
        var last: [ShardStatus?]
        var isStarted = false
    }
    private let mailboxes: [Mailbox]
    private let results: Mutex<Results>
    private let finished = DispatchGroup()
    /// Set to stop all shards.
    public let stop: StopRequest

    /// `make` is called on shard n's own thread with its number, its mailbox and the group's request to stop.
    public init(
        shards: Int, stop: StopRequest = StopRequest(), make: @escaping Maker
    ) {
        mailboxes = (0..<max(1, shards)).map { _ in Mailbox() }
        let none = max(1, shards)
        results = Mutex(Results(make: make, outcomes: Array(repeating: nil, count: none), last: Array(repeating: nil, count: none)))
        self.stop = stop
    }

    /// Starts the threads; a second call does nothing.
    public func start() {
        let isFirst = results.withLock { results in
            defer { results.isStarted = true }
            return !results.isStarted
        }
        guard isFirst else { return }
        for number in mailboxes.indices {
            finished.enter()
            let thread = Thread { [self] in
                runShard(number)
                finished.leave()
            }
            thread.name = "shard-\(number)"
            thread.stackSize = 4 << 20
            thread.start()
        }
    }

    private func runShard(_ number: Int) {
        let outcome: ShardOutcome
        var last: ShardStatus?
        do {
            guard let make = results.withLock({ $0.make }) else { return }
            let shard = try make(number, mailboxes[number], stop)
            outcome = shard.run()
            last = shard.status()
        } catch {
            mailboxes[number].close()
            outcome = .failed(error.description)
        }
        results.withLock { [last] in
            $0.outcomes[number] = outcome
            $0.last[number] = last
            if $0.outcomes.allSatisfy({ $0 != nil }) { $0.make = nil }
        }
        // A process that lost a shard for good must not half live on.
        if case .failed = outcome { stop.request() }
    }

    /// Waits until every shard has ended, at most so long (nil: for ever). An outcome is nil for a shard that hasn't.
    public func wait(milliseconds: Int? = nil) -> [ShardOutcome?] {
        if let milliseconds {
            _ = finished.wait(timeout: .now() + .milliseconds(milliseconds))
        } else {
            finished.wait()
        }
        return results.withLock { $0.outcomes }
    }

    /// How the shards are, between two of their batches, or were when they ended; one that didn't answer in time is
    /// left out.
    public func status(timeoutMilliseconds: Int = 500) -> [ShardStatus] {
        mailboxes.enumerated().compactMap { number, mailbox in
            mailbox.ask(timeoutMilliseconds: timeoutMilliseconds) { $0.status() }
                ?? results.withLock { $0.last[number] }
        }
    }

    /// Asks every shard for another plan, which each swaps in by itself: see `Shard.adopt`. `enrichment` is called on
    /// each shard's own thread.
    public func adopt(_ plan: EnginePlan, enrichment: @escaping @Sendable () -> EventEnrichment) {
        for mailbox in mailboxes { mailbox.tell { $0.adopt(plan, enrichment: enrichment()) } }
    }
}
