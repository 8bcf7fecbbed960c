import Events
public final class Decoders { public init(plan: EnginePlan) {} }
public struct Eviction: Sendable, Equatable { public var sequence: UInt64; public var proven: Bool; public var touchedUpTo: UInt64
 public init(sequence: UInt64, proven: Bool, touchedUpTo: UInt64) { self.sequence = sequence; self.proven = proven; self.touchedUpTo = touchedUpTo } }
extension Engine {
  public convenience init(plan: EnginePlan, decoders: Decoders?, keepsPreImages: Bool = false, learnsFirst: Bool = false) { self.init(plan: plan) }
  public func stage(_ record: Record) -> Timestamp? { nil }
  @discardableResult public func stepStaged(_ record: Record, into effects: inout Effects, recovering: Bool = false) -> UInt32? { step(record, into: &effects, recovering: recovering); return nil }
  public func undo() {}
  public func pageOut(toFit: Int) -> Int { 0 }
  public var residentBytes: Int { 0 }
  public func restore(page: UInt32, row: UnsafeRawBufferPointer) throws(StateError) {}
  public func restorePaged(user: UInt32, row: UnsafeRawBufferPointer) throws(StateError) {}
  public var evictions: [Eviction] { [] }
  public func follow(_ e: [Eviction]) {}
  public func stopFollowing() {}
  public var sequence: UInt64 { 0 }
  public var version: String { plan.version + " " + Self.version }
}
