/// What a person must know to judge a signal: shown by `vigil schema signals`, in the reference and beside decisions.
public struct SignalDocumentation: Sendable {
    /// What it looks at, in one sentence.
    public var sees: String
    /// How observations become points, before weight and caps.
    public var formula: String
    /// Where formula or idea come from.
    public var source: String
    /// Who is in the right and sets it off all the same.
    public var falsePositives: String
}

extension Signal {
    /// The part of its name before the first dot.
    public var family: String { String(name.description.prefix { $0 != "." }) }

    public var documentation: SignalDocumentation {
        switch group {
        case .device: deviceDocumentation
        case .origin, .attack: originDocumentation
        case .login, .session, .challenge, .input: courseDocumentation
        case .conduct: conductDocumentation
        }
    }
}

enum Source {
    static let tail = "tail of the predictive distribution: Gelman et al., Bayesian Data Analysis, 3.2"
    static let freeman = "Freeman et al., NDSS 2016, section IV; levels and smoothing after Wiefling et al., ACM TOPS 2022"
    static let turing = freeman + "; chance of something new after Good, Biometrika 1953"
}
