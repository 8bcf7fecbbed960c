/// The files that events are enriched from; none is needed.
public struct EnrichmentOptions: Sendable, Equatable {
    /// Database of places, in MaxMind's format.
    public var geo: String?
    /// Database of autonomous systems, in MaxMind's format.
    public var asn: String?
    /// Database of anonymisers, in MaxMind's format.
    public var anonymous: String?
    /// Rules for user agents in the form of uap-core's `regexes.yaml`, or `automatic`.
    public var agents: String?
    /// Files of network prefixes, one a line.
    public var lists: [NetworkList: String] = [:]
    public init() {}

    /// Stands for the rules that the Debian package `uap-core` installs, or none where it isn't installed.
    public static let automatic = "auto"
    /// Where the Debian package `uap-core` installs its rules.
    public static let standardAgents = "/usr/share/uap-core/regexes.yaml"
}

/// A file of the options that can't be used.
public struct EnrichmentFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// Why it can't be used.
    public enum Cause: Error, Sendable, Equatable {
        case missing
        case unreadable(String)
        /// Not of the format, or cut short.
        case damaged(String)
        /// In order, but not what is asked for.
        case wrongKind(String)
    }
    /// The option it is given by, such as `geo` or `lists.vpn`.
    public var option: String
    public var cause: Cause

    /// Says nothing of the file's name, which may come from the environment.
    public var description: String {
        switch cause {
        case .missing: "there is no such file"
        case .unreadable(let why), .damaged(let why), .wrongKind(let why): why
        }
    }
}

/// Every file that can't be used; never empty when thrown.
public struct EnrichmentFaults: Error, Sendable, Equatable {
    public var all: [EnrichmentFault]
}
