import CSimdjson

extension IPAddress {
    /// Reads an IPv4 address in dotted decimal (no leading zeros) or an IPv6 address in the text forms of RFC 4291
    /// section 2.2, embedded IPv4 among them. Zone ids and prefixes are refused; IPv4-mapped addresses become IPv4.
    public init?(text: ByteView) {
        guard let p = text.base, text.count >= 2, text.count <= 45 else { return nil }
        if let address = Self.v4(p, text.count) {
            self.init(family: .v4, high: 0, low: UInt64(address))
        } else if let (high, low) = Self.v6(p, text.count) {
            if high == 0, low >> 32 == 0xFFFF {
                self.init(family: .v4, high: 0, low: low & 0xFFFF_FFFF)
            } else {
                self.init(family: .v6, high: high, low: low)
            }
        } else {
            return nil
        }
    }

    @inline(__always)
    private static func v4(_ p: UnsafePointer<UInt8>, _ n: Int) -> UInt32? { UInt32(exactly: vj_ipv4(p, n)) }

    private static func v6(_ p: UnsafePointer<UInt8>, _ n: Int) -> (UInt64, UInt64)? {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var groups = 0
        var gap = -1
        func push(_ group: UInt32) {
            high = high << 16 | low >> 48
            low = low << 16 | UInt64(group)
            groups += 1
        }
        var i = 0
        if p[0] == 0x3A {
            guard n >= 2, p[1] == 0x3A else { return nil }
            gap = 0
            i = 2
        }
        while i < n {
            guard groups < 8 else { return nil }
            let start = i
            var group: UInt32 = 0
            while i < n, let digit = Self.hex(p[i]) {
                guard i - start < 4 else { return nil }
                group = group << 4 | digit
                i += 1
            }
            if i < n, p[i] == 0x2E {
                guard groups <= 6, let last = v4(p + start, n - start) else { return nil }
                push(last >> 16)
                push(last & 0xFFFF)
                i = n
                break
            }
            guard i > start else { return nil }
            push(group)
            if i == n { break }
            guard p[i] == 0x3A, i + 1 < n else { return nil }
            i += 1
            if p[i] == 0x3A {
                guard gap < 0 else { return nil }
                gap = groups
                i += 1
            }
        }
        if gap < 0 { return groups == 8 ? (high, low) : nil }
        guard groups < 8 else { return nil }
        let after = groups - gap
        // What stood before the gap moves to the front; what came after it stays at the end.
        let tailBits = after * 16
        func shifted(_ high: UInt64, _ low: UInt64, left bits: Int) -> (UInt64, UInt64) {
            if bits == 0 { return (high, low) }
            if bits >= 128 { return (0, 0) }
            if bits >= 64 { return (low << UInt64(bits - 64), 0) }
            return (high << UInt64(bits) | low >> UInt64(64 - bits), low << UInt64(bits))
        }
        func shifted(_ high: UInt64, _ low: UInt64, right bits: Int) -> (UInt64, UInt64) {
            if bits == 0 { return (high, low) }
            if bits >= 128 { return (0, 0) }
            if bits >= 64 { return (0, high >> UInt64(bits - 64)) }
            return (high >> UInt64(bits), low >> UInt64(bits) | high << UInt64(64 - bits))
        }
        let head = shifted(high, low, right: tailBits)
        let front = gap == 0 ? (0, 0) : shifted(head.0, head.1, left: 128 - gap * 16)
        let up = shifted(high, low, left: 128 - tailBits)
        let tail = after == 0 ? (0, 0) : shifted(up.0, up.1, right: 128 - tailBits)
        return (front.0 | tail.0, front.1 | tail.1)
    }

    @inline(__always) private static func hex(_ c: UInt8) -> UInt32? {
        switch c {
        case 48...57: UInt32(c - 48)
        case 65...70: UInt32(c - 55)
        case 97...102: UInt32(c - 87)
        default: nil
        }
    }
}
