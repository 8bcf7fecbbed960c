/// A browser on an operating system, at a version that ages with time.
struct Agent: Sendable, Equatable {
    enum Family: UInt8, Sendable, CaseIterable {
        case chromeWindows, chromeMac, safariMac, firefoxWindows, edgeWindows, firefoxLinux
        case chromeAndroid, safariPhone, samsung, safariTablet
    }
    enum Class: UInt8, Sendable {
        case mobile, desktop, tablet
        var name: StaticString {
            switch self {
            case .mobile: "mobile"
            case .desktop: "desktop"
            case .tablet: "tablet"
            }
        }
    }

    var family: Family
    var version: UInt16
    /// Second part of the version, where the family shows one.
    var minor: UInt8

    /// Shares of device classes and of families within one, near those of the RBA data set without its bots.
    static let classShares: [Double] = [0.69, 0.28, 0.03]
    static func family(_ of: Class, _ random: inout Random) -> Family {
        switch of {
        case .mobile: [.chromeAndroid, .safariPhone, .samsung][random.pick([0.42, 0.45, 0.13])]
        case .desktop:
            [.chromeWindows, .chromeMac, .safariMac, .firefoxWindows, .edgeWindows, .firefoxLinux][
                random.pick([0.45, 0.12, 0.15, 0.08, 0.18, 0.02])]
        case .tablet: .safariTablet
        }
    }

    /// The version of `family` that is current on a day, days since 1970.
    init(_ family: Family, day: Int) {
        self.family = family
        minor = 0
        switch family {
        case .chromeWindows, .chromeMac, .chromeAndroid, .edgeWindows:
            version = UInt16(clamping: 126 + (day - 19_885) / 28)  // 126 came in June 2024, a new one every four weeks.
        case .firefoxWindows, .firefoxLinux:
            version = UInt16(clamping: 127 + (day - 19_885) / 28)
        case .samsung:
            version = UInt16(clamping: 25 + (day - 19_830) / 110)
        case .safariMac, .safariPhone, .safariTablet:
            let years = (day - 19_617) / 365  // A new major version each September; 17 came in 2023, 18 was followed by 26.
            version = UInt16(clamping: years < 2 ? 17 + years : 24 + years)
            minor = UInt8(clamping: (day - 19_617) % 365 / 52)
        }
    }

    var deviceClass: Class {
        switch family {
        case .chromeAndroid, .safariPhone, .samsung: .mobile
        case .safariTablet: .tablet
        default: .desktop
        }
    }
    var os: StaticString {
        switch family {
        case .chromeWindows, .firefoxWindows, .edgeWindows: "Windows 10"
        case .chromeMac, .safariMac: "Mac OS X 10.15"
        case .firefoxLinux: "Linux"
        case .chromeAndroid, .samsung: "Android 10"
        case .safariPhone: "iOS"
        case .safariTablet: "iPadOS"
        }
    }
    var browser: StaticString {
        switch family {
        case .chromeWindows, .chromeMac: "Chrome "
        case .chromeAndroid: "Chrome Mobile "
        case .safariMac: "Safari "
        case .safariPhone, .safariTablet: "Mobile Safari "
        case .firefoxWindows, .firefoxLinux: "Firefox "
        case .edgeWindows: "Edge "
        case .samsung: "Samsung Internet "
        }
    }

    /// The user agent's fixed parts around its version: `head` version `middle` (version again where `repeats`) `tail`.
    var form: (head: StaticString, middle: StaticString, repeats: Bool, tail: StaticString) {
        switch family {
        case .chromeWindows:
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/", ".0.0.0 Safari/537.36", false, "")
        case .chromeMac:
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/", ".0.0.0 Safari/537.36", false, "")
        case .edgeWindows:
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/", ".0.0.0 Safari/537.36 Edg/", true, ".0.0.0")
        case .firefoxWindows:
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:", ".0) Gecko/20100101 Firefox/", true, ".0")
        case .firefoxLinux:
            ("Mozilla/5.0 (X11; Linux x86_64; rv:", ".0) Gecko/20100101 Firefox/", true, ".0")
        case .chromeAndroid:
            ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/", ".0.0.0 Mobile Safari/537.36", false, "")
        case .samsung:
            ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/", ".0 Chrome/121.0.0.0 Mobile Safari/537.36", false, "")
        case .safariMac:
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/", " Safari/605.1.15", false, "")
        case .safariPhone:
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/", " Mobile/15E148 Safari/604.1", false, "")
        case .safariTablet:
            ("Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/", " Mobile/15E148 Safari/604.1", false, "")
        }
    }
    var showsMinor: Bool { family == .safariMac || family == .safariPhone || family == .safariTablet }
}

/// A device as an event shows it.
struct Device: Sendable, Equatable {
    /// 0 when the event names none.
    var id: UInt64
    var agent: Agent
}
