import Runtime
import Synchronization

/// A clock that moves only when told to, or when somebody waits on it.
public final class ManualClock: RuntimeClock {
    private let now = Atomic<Int64>(0)
    public init() {}
    public var milliseconds: Int64 { now.load(ordering: .relaxed) }
    /// As if the clock had begun at the start of 2026.
    public var wallMilliseconds: Int64 { 1_767_225_600_000 + milliseconds }
    public func wait(milliseconds: Int) { advance(milliseconds: milliseconds) }
    /// Moves the clock forward.
    public func advance(milliseconds: Int) { now.wrappingAdd(Int64(max(0, milliseconds)), ordering: .relaxed) }
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, the same everywhere.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64
    public init(seed: UInt64) { state = seed }
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
