import Events
import Glibc

/// What the model compares of an event: fixed-size fingerprints instead of texts. 0 means absent.
public struct Observation {
    public var time: Timestamp
    /// `device.id`, else the user agent without its version numbers.
    public var device: UInt32 = 0
    /// `device` is an id of one device, not a kind of device.
    public var hasDeviceID = false
    /// Family of the browser or client, without its version, and the version's first number.
    public var agent: UInt32 = 0
    public var agentMajor: UInt16 = 0
    /// Family of the operating system, without its version.
    public var os: UInt32 = 0
    /// `DeviceClass`'s raw value.
    public var deviceClass: UInt8 = 0
    /// What lists and databases know of the address.
    public var traits: NetworkTraits = []
    /// The whole address.
    public var address: UInt32 = 0
    /// IPv4 /24 as its 24 bits below 0x01; IPv6 /48 as a hash with the top bit set.
    public var network: UInt32 = 0
    public var asn: UInt32 = 0
    public var country: UInt16 = 0
    /// Country and region.
    public var region: UInt32 = 0
    /// Country and city.
    public var city: UInt32 = 0
    /// Only where a city is named: a country's centre is no place to travel from.
    public var latitude = Float.nan
    public var longitude = Float.nan
    public var hour = 0
    /// 0 is Monday.
    public var weekday = 0
    public var action: UInt32 = 0
    /// What the action is; set by whoever has the lists.
    public var kinds: ActionKinds = []
    /// The whole hash of the resource; 0 where none is named.
    public var resource: UInt64 = 0
    public var token: UInt32 = 0
    public var session: UInt64 = 0
    /// What a challenge is bound to: the session, or the device where events name neither session nor token.
    public var scope: UInt64 { session != 0 ? session : UInt64(device) << 32 | 2 }
    public var event: UInt32 = 0
    public var hasCoordinates: Bool { !latitude.isNaN && !longitude.isNaN }

    public init(time: Timestamp) { self.time = time }

    public init(of event: Event, hash: KeyedHash, agents: AgentMemo = AgentMemo()) {
        self = withUnsafePointer(to: event) { Self(of: $0, hash: hash, agents: agents) }
    }

    /// The same of an event that stays where it is: as a value it would be copied, which costs more than much of this.
    @inline(__always)
    public init(of event: UnsafePointer<Event>, hash: KeyedHash, agents: borrowing AgentMemo) {
        self.init(time: event.pointee.time)
        take(event, hash, agents)
    }

    /// What is made of the texts of an event of its time, where nothing is known yet. Not part of an initializer, which would
    /// keep all of it aside until the end and copy it.
    @inline(never)
    public mutating func take(_ event: UnsafePointer<Event>, _ hash: KeyedHash, _ agents: borrowing AgentMemo) {
        if event.pointee.deviceID.isPresent {
            device = Self.nonzero(hash(event.pointee.deviceID, seed: 6))
            hasDeviceID = true
        } else {
            device = Self.kind(of: event, hash: hash, agents: agents)
        }
        switch event.pointee.ip.family {
        case .none: break
        case .v4: network = 0x0100_0000 | UInt32(truncatingIfNeeded: event.pointee.ip.low >> 8) & 0x00FF_FFFF
        case .v6: network = 0x8000_0000 | UInt32(truncatingIfNeeded: hash(event.pointee.ip.high >> 16, 6) >> 32)
        }
        if network != 0 { address = Self.nonzero(hash(event.pointee.ip.high, event.pointee.ip.low)) }
        if event.pointee.agentFamilyText.isPresent {
            agent = Self.nonzero(hash(event.pointee.agentFamilyText, seed: 10))
            agentMajor = event.pointee.agentMajor
        } else if event.pointee.userAgent.isPresent {
            agent = hasDeviceID ? agents.withoutVersions(event.pointee.userAgent, hash: hash) : device
        }
        if event.pointee.osFamilyText.isPresent { os = Self.nonzero(hash(event.pointee.osFamilyText, seed: 11)) }
        deviceClass = event.pointee.deviceClass.rawValue
        traits = event.pointee.networkTraits
        asn = event.pointee.asn
        country = event.pointee.country
        if event.pointee.region.isPresent { region = Self.nonzero(hash(event.pointee.region, seed: UInt64(country) << 8 | 2)) }
        if event.pointee.city.isPresent {
            city = Self.nonzero(hash(event.pointee.city, seed: UInt64(country) << 8 | 1))
            latitude = event.pointee.latitude
            longitude = event.pointee.longitude
        }
        let milliseconds = UInt64(bitPattern: event.pointee.time.milliseconds)
        let day = milliseconds / 86_400_000
        hour = Int(UInt32(truncatingIfNeeded: milliseconds &- day &* 86_400_000) / 3_600_000)
        // 1 January 1970 was a Thursday.
        weekday = Int((UInt32(truncatingIfNeeded: day) &+ 3) % 7)
        if event.pointee.action.isPresent { action = Self.action(event.pointee.action, hash: hash) }
        if event.pointee.resource.isPresent { resource = hash(event.pointee.resource, seed: 11) | 1 }
        if event.pointee.token.isPresent { token = Self.nonzero(hash(event.pointee.token, seed: 3)) }
        let name = event.pointee.session.isPresent ? event.pointee.session : event.pointee.token
        if name.isPresent { session = Self.session(name, hash: hash) }
        self.event = Self.nonzero(hash(event.pointee.id, seed: 5))
    }

    /// Whether this network is another provider's than that one. Where providers are unknown, another prefix of the
    /// same address family: a home alternates between its IPv4 and its IPv6 prefix.
    @inlinable public func isElsewhere(than network: UInt32, asn: UInt32) -> Bool {
        guard network != 0, self.network != 0, network != self.network else { return false }
        return asn != 0 && self.asn != 0 ? asn != self.asn : (network ^ self.network) & 0x8000_0000 == 0
    }

    /// A session's fingerprint; where events name no session, their token stands for it.
    @inline(__always)
    public static func session(_ id: ByteView, hash: KeyedHash) -> UInt64 { hash(id, seed: 4) | 1 }

    /// An action's fingerprint.
    @inline(__always)
    public static func action(_ name: ByteView, hash: KeyedHash) -> UInt32 { nonzero(hash(name, seed: 2)) }

    @inline(__always)
    static func nonzero(_ hash: UInt64) -> UInt32 {
        let upper = UInt32(truncatingIfNeeded: hash >> 32)
        return upper &+ (upper == 0 ? 1 : 0)
    }

    /// Where no device's id is named, the kind of it.
    @inline(never)
    static func kind(of event: UnsafePointer<Event>, hash: KeyedHash, agents: borrowing AgentMemo) -> UInt32 {
        if event.pointee.userAgent.isPresent { return agents.withoutVersions(event.pointee.userAgent, hash: hash) }
        let (browser, os, type) = (event.pointee.browser, event.pointee.os, event.pointee.deviceType)
        guard browser.isPresent || os.isPresent || type.isPresent else { return 0 }
        let (first, second) = (withoutVersions(browser, hash: hash), withoutVersions(os, hash: hash))
        return nonzero(hash(UInt64(first) << 32 | UInt64(second), hash(type, seed: 7)))
    }

    /// Digits and dots are left out, so that an update of the browser does not make a new device.
    static func withoutVersions(_ text: ByteView, hash: KeyedHash) -> UInt32 {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: max(text.count, 1)) { kept in
            var count = 0
            for byte in text.bytes where !(byte >= 0x30 && byte <= 0x39) && byte != 0x2E && byte != 0x5F {
                kept[count] = byte
                count += 1
            }
            return nonzero(hash(ByteView(base: UnsafePointer(kept.baseAddress), count: count), seed: 8))
        }
    }

    /// Great-circle distance in kilometres on a sphere of radius 6,371 km (haversine).
    public static func kilometres(_ a: (Float, Float), _ b: (Float, Float)) -> Double {
        let radians = Double.pi / 180
        let latitude = (Double(b.0) - Double(a.0)) * radians / 2
        let longitude = (Double(b.1) - Double(a.1)) * radians / 2
        let h = sin(latitude) * sin(latitude)
            + cos(Double(a.0) * radians) * cos(Double(b.0) * radians) * sin(longitude) * sin(longitude)
        return 2 * 6371 * asin(min(1, h.squareRoot()))
    }
}
