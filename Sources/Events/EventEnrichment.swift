/// What lists and databases know of an address, as a set.
public struct NetworkTraits: OptionSet, Sendable, Hashable {
    public var rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// A VPN, proxy or Tor exit: whoever is behind it may be anywhere.
    @inlinable public static var anonymiser: NetworkTraits { NetworkTraits(rawValue: 1) }
    /// A hosting provider: programs live there, people don't.
    @inlinable public static var hosting: NetworkTraits { NetworkTraits(rawValue: 2) }
    /// Where a mobile carrier's subscribers come out, many behind one address and often far from where they are.
    @inlinable public static var mobileGateway: NetworkTraits { NetworkTraits(rawValue: 4) }
    /// The way out of a company: many people, in whatever place.
    @inlinable public static var corporate: NetworkTraits { NetworkTraits(rawValue: 8) }
    /// On a list of hostile networks.
    @inlinable public static var reputation: NetworkTraits { NetworkTraits(rawValue: 16) }
    /// A satellite link: its place is the ground station's.
    @inlinable public static var satellite: NetworkTraits { NetworkTraits(rawValue: 32) }

    /// The place of such an address says nothing of where the person is.
    @inlinable public static var hidesPlace: NetworkTraits { [.anonymiser, .mobileGateway, .corporate, .satellite] }
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
