/// The last action, and how unlike the user the recent ones were.
public struct ActionCourse {
    public var last: UInt32 = 0
    public var window = SequenceWindow()
    public init() {}

    /// The course of a new session: half of what spoke against the user's last one, since whoever is not the user comes
    /// again, and nothing of what spoke for it, since somebody else may come.
    public init(after last: ActionCourse) { window = last.window.carried(0.5) }

    /// Most that familiar actions can speak for the user: a longer credit would cover an intruder's first steps.
    static let credit: Float = 25

    /// Most a single step may say, for or against: one strange action is not a course of them.
    static let cap: Float = 6

    /// Counts a step of the course in log-odds; NaN says nothing.
    @inline(__always)
    public mutating func count(_ step: Float, length: Float) {
        if !step.isNaN { window.add(step, length: length, cap: Self.cap, credit: Self.credit) }
    }

    /// Takes in an action, and the window in which it was counted, if it was. Returns the action before it; 0 where the course
    /// was cut before this one.
    public mutating func take(_ action: UInt32, countedIn window: SequenceWindow?, isCut: Bool) -> UInt32 {
        let previous = isCut ? 0 : last
        last = action
        if let window { self.window = window }
        return previous
    }
}
