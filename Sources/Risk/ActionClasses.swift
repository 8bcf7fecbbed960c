import Behavior
import Events

/// Tells what actions are by the patterns of the pipeline. What has been told is remembered by the action's fingerprint in
/// a small table of pairs of slots, because matching dozens of patterns for every event is too dear.
///
/// Not thread safe: it belongs to one engine.
public final class ActionClasses: @unchecked Sendable {
    private let patterns: UnsafeMutablePointer<(kind: UInt8, pattern: ByteView)>
    private let count: Int
    /// Fingerprint above, kinds in the low byte.
    private let memory: UnsafeMutablePointer<UInt64>
    private static let slots = 512
    private let arena: [UnsafeMutableBufferPointer<UInt8>]

    public init(_ model: ModelOptions) {
        var all: [(UInt8, String)] = []
        for (kind, list) in [
            (ActionKinds.sensitive, model.sensitiveActions), (.contact, model.contactActions),
            (.password, model.passwordActions), (.factor, model.factorActions), (.export, model.exportActions),
        ] { all += list.map { (kind.rawValue, $0) } }
        count = all.count
        patterns = .allocate(capacity: max(count, 1))
        var arena: [UnsafeMutableBufferPointer<UInt8>] = []
        for (index, (kind, text)) in all.enumerated() {
            let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(text.utf8.count, 1))
            _ = copy.initialize(from: text.utf8)
            arena.append(copy)
            let view = ByteView(base: UnsafePointer(copy.baseAddress), count: text.utf8.count)
            (patterns + index).initialize(to: (kind: kind, pattern: view))
        }
        self.arena = arena
        memory = .allocate(capacity: Self.slots)
        memory.initialize(repeating: 0, count: Self.slots)
    }

    deinit {
        patterns.deallocate()
        memory.deallocate()
        for text in arena { text.deallocate() }
    }

    /// The kinds of an action with this fingerprint, which is not 0.
    /// - Complexity: O(1) for an action met lately, else O(patterns × name).
    @inline(__always)
    public func kinds(of action: ByteView, fingerprint: UInt32) -> ActionKinds {
        let first = memory + Int(fingerprint) & (Self.slots - 2)
        if first.pointee >> 32 == UInt64(fingerprint) { return ActionKinds(rawValue: UInt8(truncatingIfNeeded: first.pointee)) }
        return match(action, fingerprint, first)
    }

    /// Who gives way in the first slot of a pair has the second for as long as no other does.
    @inline(never)
    private func match(_ action: ByteView, _ fingerprint: UInt32, _ first: UnsafeMutablePointer<UInt64>) -> ActionKinds {
        let second = first + 1
        if second.pointee >> 32 == UInt64(fingerprint) { return ActionKinds(rawValue: UInt8(truncatingIfNeeded: second.pointee)) }
        var kinds: UInt8 = 0
        for index in 0..<count where matches(glob: patterns[index].pattern, action) { kinds |= patterns[index].kind }
        second.pointee = first.pointee
        first.pointee = UInt64(fingerprint) << 32 | UInt64(kinds)
        return ActionKinds(rawValue: kinds)
    }
}
