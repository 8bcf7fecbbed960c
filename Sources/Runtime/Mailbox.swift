import Dispatch
import Synchronization

/// Asks shards to stop; may be set from any thread and from a signal's dispatch source.
public final class StopRequest: Sendable {
    private let requested = Atomic<Bool>(false)
    public init() {}
    public func request() { requested.store(true, ordering: .releasing) }
    public var isRequested: Bool { requested.load(ordering: .acquiring) }
}

/// How other threads ask a shard: it answers between batches, so that its state needs no locks. While nobody asks,
/// the shard pays one atomic load a batch.
public final class Mailbox: Sendable {
    private struct Box {
        var questions: [@Sendable (Shard?) -> Void] = []
        var isClosed = false
    }
    private let box = Mutex(Box())
    private let waiting = Atomic<Bool>(false)

    public init() {}

    /// The shard's answer; nil when it has ended or gave none in time. Never call it from the shard's own thread.
    public func ask<Answer: Sendable>(
        timeoutMilliseconds: Int, _ question: @escaping @Sendable (Shard) -> Answer
    ) -> Answer? {
        let reply = Reply<Answer>()
        let isOpen = box.withLock { box in
            guard !box.isClosed else { return false }
            box.questions.append { shard in reply.give(shard.map(question)) }
            return true
        }
        guard isOpen else { return nil }
        waiting.store(true, ordering: .releasing)
        return reply.wait(milliseconds: timeoutMilliseconds)
    }

    /// Tells the shard something, and waits for nothing; one that has ended doesn't hear it.
    public func tell(_ message: @escaping @Sendable (Shard) -> Void) {
        let isOpen = box.withLock { box in
            guard !box.isClosed else { return false }
            box.questions.append { shard in if let shard { message(shard) } }
            return true
        }
        if isOpen { waiting.store(true, ordering: .releasing) }
    }

    /// Answers what was asked since the last call.
    func answer(_ shard: Shard) {
        guard waiting.load(ordering: .acquiring) else { return }
        waiting.store(false, ordering: .releasing)
        let questions = box.withLock { box in
            defer { box.questions = [] }
            return box.questions
        }
        for question in questions { question(shard) }
    }

    /// The shard has ended: whoever waits or asks later gets nil.
    func close() {
        let questions = box.withLock { box in
            defer { box = Box(isClosed: true) }
            return box.questions
        }
        for question in questions { question(nil) }
    }
}

private final class Reply<Answer: Sendable>: Sendable {
    private let value = Mutex<Answer?>(nil)
    private let given = DispatchSemaphore(value: 0)

    func give(_ answer: Answer?) {
        value.withLock { $0 = answer }
        given.signal()
    }

    func wait(milliseconds: Int) -> Answer? {
        guard given.wait(timeout: .now() + .milliseconds(milliseconds)) == .success else { return nil }
        return value.withLock { $0 }
    }
}
