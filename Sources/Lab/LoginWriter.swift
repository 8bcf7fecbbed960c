import Events

/// Writes logins as the contract's JSON. Every text it writes is its own and needs no escapes, but for the tenant's name.
struct LoginWriter: Sendable {
    private let world: LoginWorld
    private let options: LoginOptions
    private let ids: EventWriter
    /// `,"tenant":"…"` or nothing.
    private let tenant: [UInt8]

    init(_ options: LoginOptions, _ world: LoginWorld) {
        (self.options, self.world) = (options, world)
        var traffic = TrafficOptions()
        traffic.seed = options.seed
        ids = EventWriter(traffic)
        var buffer = OutputBuffer(capacity: 64)
        if let name = options.tenant {
            buffer.append(",\"tenant\":\"")
            Text.escaped(name, &buffer)
            buffer.append("\"")
        }
        tenant = Array(buffer.view(from: 0).bytes)
    }

    func write(_ draft: LoginDraft, into buffer: inout OutputBuffer) -> GeneratedEvent {
        let begin = buffer.count
        buffer.append("{\"id\":\"")
        var start = buffer.count
        let number = ids.number(draft.ordinal)
        Text.eventID(number, &buffer)
        let id = start..<buffer.count
        buffer.append("\",\"type\":\"login\",\"time\":\"")
        Text.time(draft.time, &buffer)
        buffer.append("\"")
        tenant.withUnsafeBufferPointer { buffer.append($0) }
        buffer.append(",\"user\":\"")
        start = buffer.count
        Text.user(draft.user, &buffer)
        let user = start..<buffer.count
        if draft.succeeds {
            buffer.append("\",\"session\":\"s-")
            Text.hex(draft.session, digits: 12, &buffer)
            buffer.append("\",\"outcome\":\"success\"")
        } else {
            buffer.append("\",\"outcome\":\"failure\",\"reason\":\"invalid_credentials\"")
        }
        network(draft.address, &buffer)
        device(draft, &buffer)
        if draft.roundTrip > 0 {
            buffer.append(",\"rtt_ms\":")
            Text.decimal(UInt64(draft.roundTrip), &buffer)
        }
        buffer.append(",\"label\":{\"kind\":\"")
        Text.name(draft.kind.rawValue, &buffer)
        if draft.kind != .legitimate {
            buffer.append("\",\"onset\":\"")
            Text.eventID(number, &buffer)
        }
        buffer.append("\"}}")
        return GeneratedEvent(
            type: .login, time: Timestamp(milliseconds: draft.time), value: begin..<buffer.count, key: user, id: id,
            label: EventLabel(attack: AttackKind(rawValue: draft.kind.rawValue), twin: nil),
            onset: draft.kind == .legitimate ? 0 : number)
    }

    private func network(_ address: UInt32, _ buffer: inout OutputBuffer) {
        let site = world.site(ofAddress: address)
        let country = LoginPlaces.countries[Int(site.country)]
        let (region, town) = (world.region(ofAddress: address), world.town(ofAddress: address))
        buffer.append(",\"ip\":\"")
        Text.ipv4(address, &buffer)
        buffer.append("\",\"asn\":")
        Text.decimal(UInt64(world.asn(ofAddress: address)), &buffer)
        buffer.append(",\"geo\":{\"country\":\"")
        Text.name(country.code, &buffer)
        buffer.append("\",\"region\":\"")
        Text.name(LoginPlaces.name(region), &buffer)
        buffer.append("\",\"city\":\"")
        Text.name(LoginPlaces.name(town), &buffer)
        buffer.append("\"")
        if options.coordinates {
            // Regions lie within three degrees of the country's middle, towns within half a degree of the region's.
            func offset(_ number: UInt64, _ shift: UInt64, _ reach: Double) -> Double {
                (Double(number >> shift & 0xFFFF) / 65_535 * 2 - 1) * reach
            }
            let latitude = country.latitude + offset(region, 16, 3) + offset(town, 16, 0.5)
            let longitude = country.longitude + offset(region, 32, 3) + offset(town, 32, 0.5)
            buffer.append(",\"lat\":")
            Text.cents(Int64((min(max(latitude, -85), 85) * 100).rounded()), &buffer)
            buffer.append(",\"lon\":")
            Text.cents(Int64((min(max(longitude, -180), 180) * 100).rounded()), &buffer)
        }
        buffer.append("}")
    }

    private func device(_ draft: LoginDraft, _ buffer: inout OutputBuffer) {
        let family = LoginAgent.families[Int(draft.agent.family)]
        buffer.append(",\"device\":{")
        if draft.device != 0 {
            buffer.append("\"id\":\"d-")
            Text.hex(draft.device, digits: 12, &buffer)
            buffer.append("\",")
        }
        buffer.append("\"user_agent\":\"")
        draft.agent.write(&buffer)
        buffer.append("\",\"browser\":\"")
        buffer.append(family.browser)
        buffer.append(" ")
        draft.agent.version(&buffer)
        buffer.append("\",\"os\":\"")
        buffer.append(family.os)
        draft.agent.systemVersion(" ", &buffer)
        buffer.append("\",\"type\":\"")
        buffer.append(family.type.name)
        buffer.append("\"}")
    }
}

extension LoginAgent {
    /// The whole user agent.
    func write(_ buffer: inout OutputBuffer) {
        let form = Self.families[Int(family)].form
        form.withUTF8Buffer { bytes in
            var index = 0
            while index < bytes.count {
                if bytes[index] != UInt8(ascii: "%") || index + 1 == bytes.count {
                    buffer.append(bytes[index])
                    index += 1
                    continue
                }
                switch bytes[index + 1] {
                case UInt8(ascii: "v"): version(&buffer)
                case UInt8(ascii: "o"): systemVersion(nil, &buffer)
                case UInt8(ascii: "u"): systemVersion(nil, joined: UInt8(ascii: "_"), &buffer)
                default: modelName(&buffer)
                }
                index += 2
            }
        }
    }

    /// The browser's version in its family's way of counting.
    func version(_ buffer: inout OutputBuffer) {
        let of = Self.families[Int(family)]
        let releases = Int(release) + 10_000 * of.perMajor
        let major = max(of.major + releases / of.perMajor - 10_000, 1)
        let minor = releases % of.perMajor
        Text.decimal(UInt64(major), &buffer)
        switch of.scheme {
        case .fixed: buffer.append(".0.5414.120")
        case .two:
            buffer.append(".")
            Text.decimal(UInt64(minor), &buffer)
        case .four:
            buffer.append(".0.")
            Text.decimal(UInt64(max(7_390 + (major - 141) * 55, 1)), &buffer)
            buffer.append(".")
            Text.decimal(UInt64(40 + minor * 17), &buffer)
        }
    }

    /// The operating system's version after `lead`; nothing where it has none.
    func systemVersion(_ lead: StaticString?, joined: UInt8 = UInt8(ascii: "."), _ buffer: inout OutputBuffer) {
        switch Self.families[Int(family)].system {
        case .plain: return
        case .yearly:
            if let lead { buffer.append(lead) }
            let count = Int(system) + 9_000
            Text.decimal(UInt64(max(18 + count / 9 - 1_000, 1)), &buffer)
            buffer.append(joined)
            Text.decimal(UInt64(count % 9), &buffer)
        case .model:
            if let lead { buffer.append(lead) }
            Text.decimal(UInt64(11 + Int(system)), &buffer)
        }
    }

    private func modelName(_ buffer: inout OutputBuffer) {
        let lead: [StaticString] = ["SM-", "Pixel ", "CPH", "M2", "V2"]
        buffer.append(lead[Int(model) % 5])
        Text.decimal(UInt64(100 + Int(model) * 37 % 900), &buffer)
    }
}
