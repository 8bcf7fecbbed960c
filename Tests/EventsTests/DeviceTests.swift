import Testing

@testable import Events

/// What an event says of its device, where no rules know it better.
@Suite struct DeviceTests {
    @Test(arguments: [
        ("Chrome 126", "Chrome", 126), ("Chrome Mobile iOS 126.0.6478", "Chrome Mobile iOS", 126),
        ("Firefox 20.0.0.1618", "Firefox", 20), ("Mac OS X 10.15.7", "Mac OS X", 10), ("Edge/18", "Edge", 18),
        ("Safari (17.4)", "Safari", 17), ("curl v8.1", "curl", 8), ("Opera", "Opera", 0), ("", "", 0),
        ("360 Browser 12", "360 Browser", 12), ("7Star", "7Star", 0), ("42", "42", 0), ("Web3 App 2", "Web3 App", 2),
        (" 9", " 9", 0), ("v1", "v1", 0), ("Vivaldi 6", "Vivaldi", 6), ("X 99999999999999999999999", "X", 65_535),
    ])
    func nameAndVersion(_ text: String, _ name: String, _ major: Int) {
        let bytes = Array(text.utf8)
        bytes.withUnsafeBufferPointer { bytes in
            let (found, version) = ByteView(base: bytes.baseAddress, count: bytes.count).nameAndVersion
            #expect(found.string == name)
            #expect(Int(version) == major)
        }
    }

    @Test func classesAreReadInWhateverCase() {
        func of(_ text: StaticString) -> DeviceClass { DeviceClass(text: ByteView(staticText: text)) }
        #expect(of("Desktop") == .desktop)
        #expect(of("MOBILE") == .mobile)
        #expect(of("tablet") == .tablet)
        #expect(of("bot") == .bot)
        #expect(of("Computer") == .desktop)
        #expect(of("smartphone") == .mobile)
        #expect(of("tv") == .other)
        #expect(of("toaster") == .unknown)
        #expect(of("") == .unknown)
    }

    @Test func whatIsKnownBetterStays() {
        var event = Event()
        event.browser = ByteView(staticText: "Firefox 20")
        event.os = ByteView(staticText: "Windows 10")
        event.deviceType = ByteView(staticText: "desktop")
        var known = event
        event.settleDevice()
        #expect(event.agentFamilyText.string == "Firefox")
        #expect(event.agentMajor == 20)
        #expect(event.osFamilyText.string == "Windows")
        #expect(event.deviceClass == .desktop)

        known.agentFamilyText = ByteView(staticText: "Chrome")
        known.agentMajor = 126
        known.osFamilyText = ByteView(staticText: "Android")
        known.deviceClass = .mobile
        known.settleDevice()
        #expect(known.agentFamilyText.string == "Chrome")
        #expect(known.agentMajor == 126)
        #expect(known.osFamilyText.string == "Android")
        #expect(known.deviceClass == .mobile)
    }
}
