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
            if slot.pointee.asn == seen.asn && seen.asn != 0 { provider = true }
            if slot.pointee.country == seen.country && seen.country != 0 { country = true }
        }
        let places = row.places
        for index in 0..<places.count where places.base[index].country == seen.country && seen.country != 0 {
            country = true
            if seen.isNear(places.base + index) { place = true }
        }
        if seen.country == 0 { country = true }
        if seen.asn == 0 { provider = country }
    }
}

extension Observation {
    public var hasFamily: Bool { agent != 0 || os != 0 }

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
