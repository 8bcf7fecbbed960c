/// What becomes of the questions that either pipeline puts, since the people of a history were asked others or none.
public enum BacktestAnswers: String, Sendable, CaseIterable {
    /// Whoever is asked passes; who is labelled an attacker walks away. Recorded answers are left out.
    case passed
    /// Whoever is asked answers what the history's next challenge event of that session says.
    case recorded
    /// Nobody answers. Recorded answers are left out.
    case none
}

/// How a backtest is made.
public struct BacktestOptions: Sendable {
    public var answers = BacktestAnswers.passed
    /// What part only builds baselines: a share of the file's bytes, or days.
    public var warmUp: WarmUp?
    /// Most differing decisions that are shown.
    public var sample = 6
    /// Most lines that are read.
    public var limit = Int.max
    public init() {}
}
