/// The last action, and how unlike the user the recent ones were.
public struct ActionCourse {
    public var last: UInt32 = 0
    public var window = SequenceWindow()
    public init() {}

    /// Most that familiar actions can speak for the user: a longer credit would cover an intruder's first steps.
    static let credit: Float = 20

    /// Counts a step of the course in log-odds; NaN says nothing.
    @inline(__always)
    public mutating func count(_ step: Float, length: Float) {
        if !step.isNaN { window.add(step, length: length, credit: Self.credit) }
    }

    /// Takes in an action and returns the one before it; 0 where the course was cut before this one.
    public mutating func take(_ action: UInt32, _ step: Float, length: Float, isCut: Bool) -> UInt32 {
        let previous = isCut ? 0 : last
        last = action
        count(step, length: length)
        return previous
    }
}
