/// What a session has proven of who is behind it, weakest first. The levels of NIST SP 800-63B-4, section 2, with resistance
/// to phishing (section 3.2.5) told apart, because what can be talked out of a person is no answer to somebody who does
/// just that.
public enum AssuranceLevel: UInt8, Sendable, CaseIterable, Comparable {
    /// Nothing is known.
    case none
    /// One factor: AAL1.
    case single
    /// Two factors: AAL2.
    case multiple
    /// Two factors, one of which can't be phished: AAL2, `phr` of OpenID Connect EAP ACR Values 1.0.
    case phishingResistant
    /// The same from hardware that can't be copied: AAL3, `phrh`.
    case hardware

    public static func < (a: AssuranceLevel, b: AssuranceLevel) -> Bool { a.rawValue < b.rawValue }

    /// As it is written in a pipeline file.
    public var name: StaticString {
        switch self {
        case .none: "none"
        case .single: "aal1"
        case .multiple: "aal2"
        case .phishingResistant: "phr"
        case .hardware: "phrh"
        }
    }
}
