/// What was tried from a network, or with a device, by whoever it was, in the window of networks.
public struct NetworkActivity: Sendable {
    public var tries: UInt32 = 0
    public var failures: UInt32 = 0
    public var usersTried: UInt32 = 0
    public var usersFailing: UInt32 = 0
    public init() {}
}

/// What is rare or common among everybody.
public enum RarityKind: UInt8, CaseIterable, Sendable { case country, provider, agent, os, deviceClass }

/// What all users share, as it was two panes ago.
public final class SharedView {
    public init() {}
    public func activity(prefix: UInt32) -> NetworkActivity { NetworkActivity() }
    public func activity(provider: UInt32) -> NetworkActivity { NetworkActivity() }
    public func activity(device: UInt32) -> NetworkActivity { NetworkActivity() }
    /// Distinct users with a successful login.
    public var users: Double { 0 }
    /// Of them, those who had this value; 0 when unknown.
    public func users(of kind: RarityKind, _ value: UInt32) -> Double { 0 }
    /// Smoothed share of all actions; 0 when nothing is known.
    public func actionShare(_ action: UInt32) -> Double { 0 }
}
