/// What kind of device an event came from.
public enum DeviceClass: UInt8, Sendable, CaseIterable {
    case unknown, desktop, mobile, tablet, bot
    /// Televisions, consoles, watches and the like.
    case other

    /// The class that a text such as `device.type` names, in whatever case; `unknown` when it names none.
    /// - Complexity: O(*n*), no allocation
    public init(text: ByteView) {
        @inline(__always) func reads(_ name: StaticString) -> Bool { text.isEqual(ignoringCase: name) }
        switch text.count {
        case 2: self = reads("pc") ? .desktop : reads("tv") ? .other : .unknown
        case 3: self = reads("bot") ? .bot : .unknown
        case 5: self = reads("phone") ? .mobile : reads("other") ? .other : .unknown
        case 6:
            self = reads("mobile") ? .mobile : reads("tablet") ? .tablet : reads("laptop") ? .desktop
                : reads("spider") ? .bot : .unknown
        case 7: self = reads("desktop") ? .desktop : reads("crawler") ? .bot : reads("console") ? .other : .unknown
        case 8: self = reads("computer") ? .desktop : .unknown
        case 10: self = reads("smartphone") ? .mobile : .unknown
        default: self = .unknown
        }
    }
}

extension Event {
    /// Fills family, version and class of the device from what the event says of itself, where nothing is known better.
    ///
    /// `browser` and `os` are names with a version behind them, as in `Chrome Mobile 126.0.1` or `Mac OS X 14`: the name
    /// is the family, the first number behind it the major version.
    /// - Complexity: O(*n*) in the texts, no allocation
    public mutating func settleDevice() {
        if !agentFamilyText.isPresent, browser.isPresent {
            let (family, major) = browser.nameAndVersion
            agentFamilyText = family
            agentMajor = major
        }
        if !osFamilyText.isPresent, os.isPresent { osFamilyText = os.nameAndVersion.name }
        if deviceClass == .unknown, deviceType.isPresent { deviceClass = DeviceClass(text: deviceType) }
    }
}

extension ByteView {
    /// The text before its first number, and that number. A number counts where a word begins or behind a `v`; a text
    /// that is all number is a name. Numbers beyond 65,535 read as 65,535.
    var nameAndVersion: (name: ByteView, major: UInt16) {
        var start = 1
        while start < count, !(Self.isDigit(self[start]) && startsVersion(at: start)) { start &+= 1 }
        guard start < count else { return (self, 0) }
        var major = 0
        var i = start
        while i < count, Self.isDigit(self[i]) {
            major = min(major &* 10 &+ Int(self[i] &- 48), Int(UInt16.max))
            i &+= 1
        }
        var end = start
        if end > 1, self[end &- 1] | 0x20 == UInt8(ascii: "v"), Self.isGap(self[end &- 2]) { end &-= 1 }
        while end > 0, Self.isGap(self[end &- 1]) { end &-= 1 }
        return end > 0 ? (prefix(end), UInt16(major)) : (self, 0)
    }

    private func startsVersion(at index: Int) -> Bool {
        let before = self[index &- 1]
        return Self.isGap(before)
            || (before | 0x20 == UInt8(ascii: "v") && index > 1 && Self.isGap(self[index &- 2]))
    }

    @inline(__always) private static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 <= 9 }

    /// Blanks, `/`, `-`, `_`, `(`.
    @inline(__always) private static func isGap(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x2F || byte == 0x2D || byte == 0x5F || byte == 0x28
    }

    /// Whether the text reads so when ASCII letters of either case are taken for the same; `text` is of lower-case letters.
    @inline(__always)
    fileprivate func isEqual(ignoringCase text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount, let base else { return false }
        guard count >= 4 && count <= 8 else { return (0..<count).allSatisfy { base[$0] | 0x20 == text.utf8Start[$0] } }
        // Two words that overlap.
        let (mine, other, last) = (UnsafeRawPointer(base), UnsafeRawPointer(text.utf8Start), count &- 4)
        let first = (mine.loadUnaligned(as: UInt32.self) | 0x2020_2020) ^ other.loadUnaligned(as: UInt32.self)
        let second = mine.loadUnaligned(fromByteOffset: last, as: UInt32.self) | 0x2020_2020
        return first | (second ^ other.loadUnaligned(fromByteOffset: last, as: UInt32.self)) == 0
    }
}
