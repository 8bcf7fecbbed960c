import Foundation
import Runtime
import Synchronization

/// Makes this process die as by `kill -9` at the n-th time any of its shards comes to a named step:
/// `VIGIL_DIE_AT=ended:3`. For `vigil soak`, which sets it for the processes it starts.
enum StepFault {
    static let variable = "VIGIL_DIE_AT"

    /// Nil where the variable is not set or doesn't name a step.
    static func fromEnvironment() -> (@Sendable (ShardStep) throws(LogFailure) -> Void)? {
        guard let text = ProcessInfo.processInfo.environment[variable] else { return nil }
        let parts = text.split(separator: ":")
        guard let step = parts.first.flatMap({ ShardStep(rawValue: String($0)) }) else { return nil }
        let left = Countdown(parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
        return { passed in
            if passed == step && left.isOver() { kill(getpid(), SIGKILL) }
        }
    }

    private final class Countdown: Sendable {
        private let left: Atomic<Int>
        init(_ count: Int) { left = Atomic(count) }
        func isOver() -> Bool { left.subtract(1, ordering: .relaxed).newValue == 0 }
    }
}
