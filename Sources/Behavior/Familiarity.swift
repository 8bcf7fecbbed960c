import Events

/// Which levels of an observation the baseline knows. Each level is asked only where the one above it is known:
/// a new country brings a new provider and a new prefix with it.
public struct Familiarity {
    /// Agent and operating system together.
    public var family = false
    public var device = false
    public var country = false
    /// Where the event names no provider: its country.
    public var provider = false
    public var network = false
    /// The prefix's neighbourhood, an IPv4 /16: providers hand out addresses of one to the same customers.
    public var neighbourhood = false
    /// Where the event names no region: its country.
    public var region = false
    public var place = false

    public init(of seen: Observation, in row: UserRow) {
        let devices = row.devices
        for index in 0..<devices.count {
            let slot = devices.base + index
            if slot.pointee.fingerprint == seen.device { device = true }
            if slot.pointee.agent == seen.agent && slot.pointee.os == seen.os { family = true }
        }
        let networks = row.networks
        for index in 0..<networks.count {
            let slot = networks.base + index
            if slot.pointee.key == seen.network { network = true }
            if seen.isNeighbour(of: slot.pointee.key) { neighbourhood = true }
            if slot.pointee.asn == seen.asn && seen.asn != 0 { provider = true }
            if slot.pointee.country == seen.country && seen.country != 0 { country = true }
        }
        let places = row.places
        for index in 0..<places.count where places.base[index].country == seen.country && seen.country != 0 {
            country = true
            if places.base[index].region == seen.region && seen.region != 0 { region = true }
            if seen.isNear(places.base + index) { place = true }
        }
        if seen.country == 0 { country = true }
        if seen.region == 0 { region = country }
        if seen.asn == 0 { provider = country }
    }
}

extension Observation {
    public var hasFamily: Bool { agent != 0 || os != 0 }

    /// Whether both are of one IPv4 /16. IPv6 prefixes are kept as hashes, which have no neighbours.
    @inline(__always)
    func isNeighbour(of key: UInt32) -> Bool {
        (network | key) & 0x8000_0000 == 0 ? network >> 8 == key >> 8 && network != 0 : network == key
    }

    /// Whether it is in that place: the same city, or within 50 km of it; anywhere in the country where one of them
    /// names no city.
    @inline(__always)
    public func isNear(_ slot: UnsafePointer<PlaceSlot>) -> Bool {
        if slot.pointee.country != country { return false }
        if slot.pointee.city == city || city == 0 || slot.pointee.city == 0 { return true }
        guard hasCoordinates, !slot.pointee.latitude.isNaN, abs(slot.pointee.latitude - latitude) < 0.5 else { return false }
        return Self.kilometres((slot.pointee.latitude, slot.pointee.longitude), (latitude, longitude)) < 50
    }
}

extension SessionSlot {
    /// Whether the event goes on in the context that was learned with the session.
    @inline(__always)
    public func isSettled(_ seen: Observation) -> Bool {
        flags.contains(.learned) && device == seen.device && network == seen.network && asn == seen.asn
    }
}
