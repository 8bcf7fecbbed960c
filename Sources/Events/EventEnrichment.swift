/// What lists and databases know of an address, as a set.
public struct NetworkTraits: OptionSet, Sendable, Hashable {
    public var rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// A VPN, proxy or Tor exit: whoever is behind it may be anywhere.
    public static let anonymiser = NetworkTraits(rawValue: 1)
    /// A hosting provider: programs live there, people don't.
    public static let hosting = NetworkTraits(rawValue: 2)
    /// Where a mobile carrier's subscribers come out, many behind one address and often far from where they are.
    public static let mobileGateway = NetworkTraits(rawValue: 4)
    /// The way out of a company: many people, in whatever place.
    public static let corporate = NetworkTraits(rawValue: 8)
    /// On a list of hostile networks.
    public static let reputation = NetworkTraits(rawValue: 16)
    /// A satellite link: its place is the ground station's.
    public static let satellite = NetworkTraits(rawValue: 32)

    /// The place of such an address says nothing of where the person is.
    public static let hidesPlace: NetworkTraits = [.anonymiser, .mobileGateway, .corporate, .satellite]
}

/// What the shell adds to an event between decoding and deciding: geography, traits of the network, the user agent taken
/// apart. This one adds nothing from outside; `Enrichment` has the one that does.
///
/// It must be a function of the event and of what `EnginePlan.version` names, or the same records would not give the same
/// decisions. Belongs to one shard and is called from its thread only.
open class EventEnrichment {
    /// Bytes of scratch memory that `enrich` may use for one event.
    public static let scratchBytes = 128

    public init() {}

    /// Called once for each decoded event. Views it sets must live as long as the enrichment, or lie in the event's own
    /// bytes or in `scratch`, which is the event's for as long as its other views are valid.
    open func enrich(_ event: inout Event, scratch: UnsafeMutablePointer<UInt8>) { event.settleDevice() }
}
