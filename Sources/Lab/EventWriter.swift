import Events

/// Writes drafts as the contract's JSON. Every text it writes is its own and needs no escapes, but for the tenant's name.
struct EventWriter {
    private let seed: UInt64
    private let detail: DeviceDetail
    /// `,"tenant":"…"` or nothing.
    private let tenant: [UInt8]

    init(_ options: TrafficOptions) {
        seed = Random.mix(options.seed, 0x6576656E74)
        detail = options.detail
        var text: [UInt8] = []
        if let name = options.tenant {
            var buffer = OutputBuffer(capacity: 64)
            buffer.append(",\"tenant\":\"")
            Text.escaped(name, &buffer)
            buffer.append("\"")
            text = Array(buffer.view(from: 0).bytes)
        }
        tenant = text
    }

    /// A scramble of 48 bits that maps no two ordinals below 2^48 to one number, so that ids tell nothing about order.
    func number(_ ordinal: UInt64) -> UInt64 {
        let mask: UInt64 = 0xFFFF_FFFF_FFFF
        var x = (ordinal ^ seed) & mask
        for _ in 0..<3 {
            x = x &* 0x9E37_79B9_7F4B & mask
            x ^= x >> 23
        }
        return x
    }

    func write(_ draft: Draft, into buffer: inout OutputBuffer) -> (id: Range<Int>, user: Range<Int>) {
        buffer.append("{\"id\":\"")
        var start = buffer.count
        Text.eventID(number(draft.ordinal), &buffer)
        let id = start..<buffer.count
        buffer.append("\",\"type\":\"")
        buffer.append(draft.type.name)
        buffer.append("\",\"time\":\"")
        Text.time(draft.time, &buffer)
        buffer.append("\"")
        tenant.withUnsafeBufferPointer { buffer.append($0) }
        buffer.append(",\"user\":\"")
        start = buffer.count
        Text.user(draft.user, &buffer)
        let user = start..<buffer.count
        buffer.append("\"")
        if !draft.failed {
            buffer.append(",\"session\":\"s-")
            Text.hex(draft.session, digits: 12, &buffer)
            buffer.append("\"")
        }
        if draft.type == .login {
            buffer.append(
                draft.failed ? ",\"outcome\":\"failure\",\"reason\":\"invalid_credentials\""
                    : draft.isReset ? ",\"outcome\":\"success\",\"reason\":\"password_reset\"" : ",\"outcome\":\"success\"")
        } else {
            deed(draft, &buffer)
        }
        network(draft.network, &buffer)
        device(draft.device, &buffer)
        if draft.roundTrip > 0 {
            buffer.append(",\"rtt_ms\":")
            Text.decimal(UInt64(draft.roundTrip), &buffer)
        }
        if !draft.failed {
            buffer.append(",\"token\":\"")
            Text.hex(draft.token, digits: 12, &buffer)
            buffer.append(draft.strong ? "\",\"auth\":{\"acr\":\"aal2\",\"amr\":[\"pwd\",\"otp\"],\"time\":\""
                : "\",\"auth\":{\"acr\":\"aal1\",\"amr\":[\"pwd\"],\"time\":\"")
            Text.time(draft.authTime, &buffer)
            buffer.append("\"}")
        }
        label(draft, &buffer)
        buffer.append("}")
        return (id, user)
    }

    private func deed(_ draft: Draft, _ buffer: inout OutputBuffer) {
        buffer.append(",\"action\":\"")
        buffer.append(draft.action.name)
        buffer.append("\",\"resource\":\"")
        buffer.append(draft.action.resource)
        Text.decimal(UInt64(draft.resource), &buffer)
        buffer.append("\"")
        if draft.amount >= 0 {
            buffer.append(",\"amount\":")
            Text.cents(draft.amount, &buffer)
            buffer.append(",\"currency\":\"")
            buffer.append(Place.currencies[Int(draft.homeCity)])
            buffer.append("\"")
        }
    }

    private func network(_ network: Network, _ buffer: inout OutputBuffer) {
        buffer.append(",\"ip\":\"")
        if network.isIPv6 { Text.ipv6(network.ipv6Groups, &buffer) } else { Text.ipv4(network.ipv4, &buffer) }
        buffer.append("\",\"asn\":")
        Text.decimal(UInt64(network.asn), &buffer)
        let city = Place.cities[Int(network.city)]
        buffer.append(",\"geo\":{\"country\":\"")
        buffer.append(city.country)
        buffer.append("\",\"city\":\"")
        buffer.append(city.name)
        buffer.append("\",\"lat\":")
        Text.cents(Int64((city.latitude * 100).rounded()), &buffer)
        buffer.append(",\"lon\":")
        Text.cents(Int64((city.longitude * 100).rounded()), &buffer)
        buffer.append("}")
    }

    private func device(_ device: Device, _ buffer: inout OutputBuffer) {
        let agent = device.agent
        buffer.append(",\"device\":{")
        if device.id != 0 {
            buffer.append("\"id\":\"d-")
            Text.hex(device.id, digits: 12, &buffer)
            buffer.append("\",")
        }
        if detail != .parsed {
            buffer.append("\"user_agent\":\"")
            Text.agent(agent, &buffer)
            buffer.append("\",")
        }
        if detail != .agent {
            buffer.append("\"browser\":\"")
            buffer.append(agent.browser)
            Text.decimal(UInt64(agent.version), &buffer)
            buffer.append("\",\"os\":\"")
            buffer.append(agent.os)
            buffer.append("\",")
        }
        buffer.append("\"type\":\"")
        buffer.append(agent.deviceClass.name)
        buffer.append("\"}")
    }

    private func label(_ draft: Draft, _ buffer: inout OutputBuffer) {
        buffer.append(",\"label\":{\"kind\":\"")
        if let attack = draft.attack {
            Text.name(attack.rawValue, &buffer)
            buffer.append("\",\"onset\":\"")
            Text.eventID(number(draft.onset), &buffer)
        } else {
            buffer.append("legitimate")
            if let twin = draft.twin {
                buffer.append("\",\"twin\":\"")
                Text.name(twin.rawValue, &buffer)
                buffer.append("\",\"case\":\"c-")
                Text.hex(UInt64(draft.occurrence), digits: 8, &buffer)
            }
        }
        buffer.append("\"}")
    }
}

/// Forms of numbers, times, addresses and names, in ASCII.
enum Text {
    static func eventID(_ number: UInt64, _ buffer: inout OutputBuffer) {
        buffer.append("evt-")
        hex(number, digits: 12, &buffer)
    }

    static func hex(_ value: UInt64, digits: Int, _ buffer: inout OutputBuffer) {
        var shift = UInt64(digits * 4)
        while shift > 0 {
            shift -= 4
            let digit = UInt8(value >> shift & 15)
            buffer.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
    }

    static func decimal(_ value: UInt64, _ buffer: inout OutputBuffer) {
        if value >= 10 { decimal(value / 10, &buffer) }
        buffer.append(0x30 + UInt8(value % 10))
    }

    static func padded(_ value: Int64, _ digits: Int, _ buffer: inout OutputBuffer) {
        if digits > 1 { padded(value / 10, digits - 1, &buffer) }
        buffer.append(0x30 + UInt8(truncatingIfNeeded: value % 10))
    }

    /// Hundredths, with two decimals.
    static func cents(_ value: Int64, _ buffer: inout OutputBuffer) {
        if value < 0 { buffer.append("-") }
        let magnitude = value.magnitude
        decimal(magnitude / 100, &buffer)
        buffer.append(".")
        padded(Int64(magnitude % 100), 2, &buffer)
    }

    /// RFC 3339 with milliseconds, in UTC. The date from days is Howard Hinnant's `civil_from_days`.
    static func time(_ milliseconds: Int64, _ buffer: inout OutputBuffer) {
        let day = 86_400_000 as Int64
        let days = (milliseconds >= 0 ? milliseconds : milliseconds - day + 1) / day
        let rest = milliseconds - days * day
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        padded(yearOfEra + era * 400 + (month <= 2 ? 1 : 0), 4, &buffer)
        buffer.append("-")
        padded(month, 2, &buffer)
        buffer.append("-")
        padded(dayOfYear - (153 * shifted + 2) / 5 + 1, 2, &buffer)
        buffer.append("T")
        padded(rest / 3_600_000, 2, &buffer)
        buffer.append(":")
        padded(rest / 60_000 % 60, 2, &buffer)
        buffer.append(":")
        padded(rest / 1_000 % 60, 2, &buffer)
        buffer.append(".")
        padded(rest % 1_000, 3, &buffer)
        buffer.append("Z")
    }

    static func ipv4(_ address: UInt32, _ buffer: inout OutputBuffer) {
        for shift in [24, 16, 8, 0] as [UInt32] {
            decimal(UInt64(address >> shift & 255), &buffer)
            if shift > 0 { buffer.append(".") }
        }
    }

    /// RFC 5952: no leading zeros, `::` for the longest run of zero groups.
    static func ipv6(_ groups: (UInt32, UInt32, UInt32, UInt32, UInt32), _ buffer: inout OutputBuffer) {
        shortHex(groups.0, &buffer)
        buffer.append(":")
        shortHex(groups.1, &buffer)
        buffer.append(":")
        shortHex(groups.2, &buffer)
        buffer.append("::")
        if groups.3 > 0 {
            shortHex(groups.3, &buffer)
            buffer.append(":")
        }
        shortHex(groups.4, &buffer)
    }

    private static func shortHex(_ value: UInt32, _ buffer: inout OutputBuffer) {
        hex(UInt64(value), digits: value > 0xFFF ? 4 : value > 0xFF ? 3 : value > 0xF ? 2 : 1, &buffer)
    }

    static func agent(_ agent: Agent, _ buffer: inout OutputBuffer) {
        let form = agent.form
        buffer.append(form.head)
        decimal(UInt64(agent.version), &buffer)
        if agent.showsMinor {
            buffer.append(".")
            decimal(UInt64(agent.minor), &buffer)
        }
        buffer.append(form.middle)
        if form.repeats { decimal(UInt64(agent.version), &buffer) }
        buffer.append(form.tail)
    }

    /// A JSON string's inside (RFC 8259 section 7).
    static func escaped(_ text: String, _ buffer: inout OutputBuffer) {
        for byte in text.utf8 {
            if byte == 0x22 || byte == 0x5C {
                buffer.append(0x5C)
                buffer.append(byte)
            } else if byte < 0x20 {
                buffer.append("\\u00")
                hex(UInt64(byte), digits: 2, &buffer)
            } else {
                buffer.append(byte)
            }
        }
    }

    static func name(_ text: String, _ buffer: inout OutputBuffer) { buffer.append(text: text) }

    private static let firstNames: [StaticString] = [
        "alice", "anders", "astrid", "bruno", "carla", "chen", "dario", "elena", "emil", "fatima", "finn", "greta",
        "hana", "henrik", "ingrid", "ivan", "jamal", "jonas", "kari", "lars", "leila", "lucas", "maria", "mehmet",
        "nils", "nora", "olga", "omar", "priya", "rosa", "sofia", "tomas",
    ]

    /// A user's name. Names that belong to nobody have the same form.
    static func user(_ number: UInt32, _ buffer: inout OutputBuffer) {
        let scrambled = UInt64(number &* 0x00C2_B2AF & 0xFF_FFFF) ^ 0x5A_5A5A
        buffer.append(firstNames[Int(scrambled % 32)])
        buffer.append("-")
        hex(scrambled, digits: 6, &buffer)
    }
}
