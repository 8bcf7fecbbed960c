import Events
extension Engine {
  public func undo() {}
  public func pageOut(toFit: Int) -> Int { 0 }
  public var residentBytes: Int { 0 }
  public func restore(page: UInt32, row: UnsafeRawBufferPointer) throws(StateError) {}
  public func restorePaged(user: UInt32, row: UnsafeRawBufferPointer) throws(StateError) {}
  public var version: String { plan.version + " " + Self.version }
}
