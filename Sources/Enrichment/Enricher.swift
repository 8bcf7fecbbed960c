import Events

/// Adds to events what files know of addresses and user agents. What is derived overrides what an event claims; what the
/// files don't know leaves the claim.
///
/// One for each shard, used from its thread only. What it found of an address or an agent it finds again by a hash; what it
/// has forgotten changes only the time it takes.
public final class Enricher: EventEnrichment {
    private struct AddressSlot {
        var address = IPAddress.absent
        var facts = AddressFacts()
    }

    private struct AgentSlot {
        /// A second hash of the agent, beside the one its slot is found by: with keys that nobody knows, texts that have
        /// both in common are the same text.
        var hash: UInt64 = 0
        var facts = AgentFacts()
    }

    private static let nameRoom = AgentFacts.familyRoom + AgentFacts.systemRoom

    private let source: EnrichmentSource
    private let hash: KeyedHash
    private let otherHash: KeyedHash
    private let addressFinder: SlotFinder
    private let addresses: UnsafeMutablePointer<AddressSlot>
    private let agentFinder: SlotFinder
    private let agents: UnsafeMutablePointer<AgentSlot>
    private let names: UnsafeMutablePointer<UInt8>
    private let match: UnsafeMutablePointer<RegexMatch>

    /// The numbers of slots are rounded up to powers of two; about 12 MiB in all as given, less without rules for agents.
    public init(_ source: EnrichmentSource, addressSlots: Int = 32_768, agentSlots: Int = 65_536) {
        precondition(Self.nameRoom <= EventEnrichment.scratchBytes, "names don't fit into the scratch memory")
        self.source = source
        hash = KeyedHash(k0: .random(in: 0 ... .max), k1: .random(in: 0 ... .max) | 1)
        otherHash = KeyedHash(k0: .random(in: 0 ... .max), k1: .random(in: 0 ... .max) | 1)
        addressFinder = SlotFinder(atLeast: addressSlots)
        addresses = .allocate(capacity: addressFinder.count)
        addresses.initialize(repeating: AddressSlot(), count: addressFinder.count)
        agentFinder = SlotFinder(atLeast: source.agents == nil ? 1 : agentSlots)
        agents = .allocate(capacity: agentFinder.count)
        agents.initialize(repeating: AgentSlot(), count: agentFinder.count)
        names = .allocate(capacity: agentFinder.count * Self.nameRoom)
        names.initialize(repeating: 0, count: agentFinder.count * Self.nameRoom)
        match = .allocate(capacity: 1)
        match.initialize(to: RegexMatch())
    }

    deinit {
        addresses.deallocate()
        agents.deallocate()
        names.deallocate()
        match.deinitialize(count: 1)
        match.deallocate()
    }

    public override func enrich(_ event: inout Event, scratch: UnsafeMutablePointer<UInt8>) {
        if event.ip.isPresent { placeAddress(&event) }
        if event.userAgent.isPresent, source.agents != nil { nameAgent(&event, scratch) }
        event.settleDevice()
    }

    // MARK: - Addresses

    @inline(__always)
    private func placeAddress(_ event: inout Event) {
        let (index, isKnown) = addressFinder.slot(of: hash(event.ip.high ^ UInt64(event.ip.family.rawValue), event.ip.low))
        let slot = addresses + index
        if !isKnown || slot.pointee.address != event.ip { fill(slot, event.ip) }
        let facts = slot.pointee.facts
        event.networkTraits.formUnion(facts.traits)
        if facts.system != 0 { event.asn = facts.system }
        guard facts.country != 0 else { return }
        event.geoIsDerived = true
        event.country = facts.country
        event.region = facts.region
        event.city = facts.city
        event.latitude = facts.latitude
        event.longitude = facts.longitude
    }

    @inline(never)
    private func fill(_ slot: UnsafeMutablePointer<AddressSlot>, _ address: IPAddress) {
        var facts = AddressFacts()
        for database in source.databases { database.look(up: address, into: &facts) }
        facts.traits.formUnion(source.networks?.traits(of: address) ?? [])
        slot.pointee = AddressSlot(address: address, facts: facts)
    }

    // MARK: - User agents

    @inline(__always)
    private func nameAgent(_ event: inout Event, _ scratch: UnsafeMutablePointer<UInt8>) {
        let agent = event.userAgent
        let second = otherHash(agent)
        let (index, isKnown) = agentFinder.slot(of: hash(agent))
        let slot = agents + index
        let room = names + index * Self.nameRoom
        if !isKnown || slot.pointee.hash != second { fill(slot, agent, second, names: room) }
        let facts = slot.pointee.facts
        // The slot may be another agent's before this event is decided.
        scratch.update(from: room, count: Self.nameRoom)
        if facts.familyBytes > 0 {
            event.agentFamilyText = ByteView(base: UnsafePointer(scratch), count: Int(facts.familyBytes))
            event.agentMajor = facts.major
        }
        if facts.systemBytes > 0 {
            event.osFamilyText = ByteView(
                base: UnsafePointer(scratch + AgentFacts.familyRoom), count: Int(facts.systemBytes))
        }
        event.deviceClass = facts.device
    }

    @inline(never)
    private func fill(
        _ slot: UnsafeMutablePointer<AgentSlot>, _ agent: ByteView, _ hash: UInt64, names: UnsafeMutablePointer<UInt8>
    ) {
        let facts = source.agents?.read(agent, &match.pointee, names: names) ?? AgentFacts()
        slot.pointee = AgentSlot(hash: hash, facts: facts)
    }
}
