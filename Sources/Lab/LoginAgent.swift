/// A browser on an operating system, as a login shows it: family, model and how far both have been updated.
struct LoginAgent: Sendable, Hashable {
    var family: UInt8
    /// Index of the phone's model, where the family shows one.
    var model: UInt8 = 0
    /// Releases since the family's first.
    var release: Int16 = 0
    /// The operating system's, likewise.
    var system: Int16 = 0

    enum Class: UInt8, Sendable, CaseIterable {
        case mobile, desktop, tablet, bot, unknown
        var name: StaticString {
            switch self {
            case .mobile: "mobile"
            case .desktop: "desktop"
            case .tablet: "tablet"
            case .bot: "bot"
            case .unknown: "unknown"
            }
        }
        /// Shares of rows, as in the RBA data set.
        static let shares: [Double] = [0.628, 0.254, 0.026, 0.065, 0.028]
    }

    /// How a family numbers its releases.
    enum Scheme: Sendable {
        /// Major, zero, build and patch.
        case four
        /// Major and minor.
        case two
        /// One that never changes.
        case fixed
    }
    /// How an operating system's version is told.
    enum System: Sendable {
        /// The text alone.
        case plain
        /// A major and minor version, a new minor every 66 days.
        case yearly
        /// A major version, of the age of the model.
        case model
    }

    struct Family: Sendable {
        var browser: StaticString
        var os: StaticString
        var type: Class
        var share: Double
        /// Days from release to release, and releases to a major one.
        var days: Double
        var perMajor: Int
        var major: Int
        var scheme: Scheme
        var system: System
        /// %v is the version, %o the system's, %u the same with underscores, %m the model.
        var form: StaticString
    }

    static let families: [Family] = [
        Family(browser: "Chrome Mobile", os: "Android", type: .mobile, share: 0.24, days: 7, perMajor: 4, major: 141, scheme: .four, system: .model,
               form: "Mozilla/5.0 (Linux; Android %o; %m) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%v Mobile Safari/537.36"),
        Family(browser: "Mobile Safari", os: "iOS", type: .mobile, share: 0.36, days: 23, perMajor: 16, major: 18, scheme: .two, system: .yearly,
               form: "Mozilla/5.0 (iPhone; CPU iPhone OS %u like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/%v Mobile/15E148 Safari/604.1"),
        Family(browser: "Samsung Internet", os: "Android", type: .mobile, share: 0.13, days: 24, perMajor: 4, major: 28, scheme: .two, system: .model,
               form: "Mozilla/5.0 (Linux; Android %o; SAMSUNG %m) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/%v Chrome/130.0.0.0 Mobile Safari/537.36"),
        Family(browser: "Facebook", os: "iOS", type: .mobile, share: 0.11, days: 6, perMajor: 1, major: 532, scheme: .two, system: .yearly,
               form: "Mozilla/5.0 (iPhone; CPU iPhone OS %u like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/%v]"),
        Family(browser: "Facebook", os: "Android", type: .mobile, share: 0.09, days: 6, perMajor: 1, major: 531, scheme: .two, system: .model,
               form: "Mozilla/5.0 (Linux; Android %o; %m; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0.0.0 Mobile Safari/537.36 [FBAN/FB4A;FBAV/%v]"),
        Family(browser: "Firefox Mobile", os: "Android", type: .mobile, share: 0.03, days: 13, perMajor: 2, major: 143, scheme: .two, system: .model,
               form: "Mozilla/5.0 (Android %o; Mobile; rv:%v) Gecko/143.0 Firefox/%v"),
        Family(browser: "Chrome Mobile iOS", os: "iOS", type: .mobile, share: 0.04, days: 7, perMajor: 4, major: 141, scheme: .four, system: .yearly,
               form: "Mozilla/5.0 (iPhone; CPU iPhone OS %u like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/%v Mobile/15E148 Safari/604.1"),
        Family(browser: "Chrome", os: "Windows 10", type: .desktop, share: 0.40, days: 7, perMajor: 4, major: 141, scheme: .four, system: .plain,
               form: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%v Safari/537.36"),
        Family(browser: "Edge", os: "Windows 10", type: .desktop, share: 0.15, days: 7, perMajor: 4, major: 141, scheme: .four, system: .plain,
               form: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/%v"),
        Family(browser: "Chrome", os: "Mac OS X", type: .desktop, share: 0.13, days: 7, perMajor: 4, major: 141, scheme: .four, system: .yearly,
               form: "Mozilla/5.0 (Macintosh; Intel Mac OS X %u) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%v Safari/537.36"),
        Family(browser: "Safari", os: "Mac OS X", type: .desktop, share: 0.13, days: 23, perMajor: 16, major: 18, scheme: .two, system: .yearly,
               form: "Mozilla/5.0 (Macintosh; Intel Mac OS X %u) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/%v Safari/605.1.15"),
        Family(browser: "Firefox", os: "Windows 10", type: .desktop, share: 0.09, days: 13, perMajor: 2, major: 143, scheme: .two, system: .plain,
               form: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:%v) Gecko/20100101 Firefox/%v"),
        Family(browser: "Firefox", os: "Linux", type: .desktop, share: 0.03, days: 13, perMajor: 2, major: 143, scheme: .two, system: .plain,
               form: "Mozilla/5.0 (X11; Linux x86_64; rv:%v) Gecko/20100101 Firefox/%v"),
        Family(browser: "Opera", os: "Windows 10", type: .desktop, share: 0.03, days: 14, perMajor: 2, major: 122, scheme: .four, system: .plain,
               form: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 OPR/%v"),
        Family(browser: "Chrome", os: "Windows 7", type: .desktop, share: 0.04, days: 40, perMajor: 1, major: 109, scheme: .fixed, system: .plain,
               form: "Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%v Safari/537.36"),
        Family(browser: "Mobile Safari", os: "iPadOS", type: .tablet, share: 0.7, days: 23, perMajor: 16, major: 18, scheme: .two, system: .yearly,
               form: "Mozilla/5.0 (iPad; CPU OS %u like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/%v Mobile/15E148 Safari/604.1"),
        Family(browser: "Chrome", os: "Android", type: .tablet, share: 0.3, days: 7, perMajor: 4, major: 141, scheme: .four, system: .model,
               form: "Mozilla/5.0 (Linux; Android %o; %m) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%v Safari/537.36"),
        Family(browser: "HeadlessChrome", os: "Linux", type: .bot, share: 0.4, days: 28, perMajor: 1, major: 141, scheme: .four, system: .plain,
               form: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/%v Safari/537.36"),
        Family(browser: "Python Requests", os: "Other", type: .bot, share: 0.25, days: 120, perMajor: 2, major: 3, scheme: .two, system: .plain,
               form: "python-requests/%v"),
        Family(browser: "okhttp", os: "Other", type: .bot, share: 0.2, days: 90, perMajor: 4, major: 5, scheme: .two, system: .plain, form: "okhttp/%v"),
        Family(browser: "Monitor", os: "Other", type: .bot, share: 0.15, days: 200, perMajor: 2, major: 2, scheme: .two, system: .plain,
               form: "Mozilla/5.0 (compatible; Monitor/%v)"),
        Family(browser: "Smart TV", os: "Other", type: .unknown, share: 0.5, days: 150, perMajor: 2, major: 7, scheme: .two, system: .plain,
               form: "Mozilla/5.0 (SMART-TV; LINUX) AppleWebKit/537.36 (KHTML, like Gecko) TV/%v"),
        Family(browser: "Console", os: "Other", type: .unknown, share: 0.5, days: 60, perMajor: 3, major: 10, scheme: .two, system: .plain,
               form: "Mozilla/5.0 (Console 5; Console/%v) AppleWebKit/605.1.15 (KHTML, like Gecko)"),
    ]
    static let ofClass: [[Int]] = Class.allCases.map { type in families.indices.filter { families[$0].type == type } }
    private static let sharesOfClass: [[Double]] = ofClass.map { $0.map { families[$0].share } }
    private static let models = 160
    private static let modelRank = Zipf(count: models, exponent: 0.9)

    /// Days since 1970 from which releases are counted; before it they count down.
    static let epoch = 20_362.0

    /// A family of a class, as common as it is.
    static func family(_ of: Class, _ random: inout Random) -> UInt8 {
        UInt8(ofClass[Int(of.rawValue)][random.pick(sharesOfClass[Int(of.rawValue)])])
    }

    /// A device of a family, its software as of `day`, days since 1970, fraction included.
    init(family: UInt8, model: UInt8, day: Double, pace: Double) {
        let of = Self.families[Int(family)]
        self.family = family
        release = Int16(clamping: of.scheme == .fixed ? 0 : Int(((day - Self.epoch) / (of.days * pace)).rounded(.down)))
        switch of.system {
        case .plain: break
        case .yearly: system = Int16(clamping: Int(((day - Self.epoch) / 66).rounded(.down)))
        case .model:
            self.model = model
            system = Int16(model % 5)
        }
    }

    static func model(_ random: inout Random) -> UInt8 { UInt8(modelRank.sample(&random)) }

    var type: Class { Self.families[Int(family)].type }

    private static let firstBrowser = families.map { one in
        UInt32(families.firstIndex { $0.browser.description == one.browser.description && $0.major == one.major } ?? 0)
    }
    private static let firstSystem = families.map { one in
        UInt32(families.firstIndex { $0.os.description == one.os.description } ?? 0)
    }
    /// Equal for browsers of the same name and version.
    var browserKey: UInt32 { Self.firstBrowser[Int(family)] << 16 | UInt32(UInt16(bitPattern: release)) }
    /// Equal for operating systems of the same name and version.
    var systemKey: UInt32 { Self.firstSystem[Int(family)] << 16 | UInt32(UInt16(bitPattern: system)) }
    /// Equal for equal user agents.
    var key: UInt64 {
        UInt64(family) << 40 | UInt64(model) << 32 | UInt64(UInt16(bitPattern: release)) << 16 | UInt64(UInt16(bitPattern: system))
    }
}
