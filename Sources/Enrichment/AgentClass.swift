import Events

extension DeviceClass {
    /// What the rules found, put into a class. They name models by the thousand and no classes, so that this goes by the
    /// few names that tell, then by the operating system.
    ///
    /// An iPad that asks for the desktop's pages says it is a Mac; nothing in its agent tells them apart.
    init(agent: ByteView, family: ByteView, system: ByteView, device: ByteView) {
        if device == "Spider" || Self.programs.contains(where: { family.begins(with: $0) }) {
            self = .bot
        } else if Self.others.contains(where: { device.begins(with: $0) || system.begins(with: $0) }) {
            self = .other
        } else if Self.tablets.contains(where: { device.begins(with: $0) || system.begins(with: $0) })
            || (system == "Android" && !agent.contains("Mobile") && !agent.contains("TV"))
        {
            self = .tablet
        } else if system == "Android", agent.contains("TV"), !agent.contains("Mobile") {
            self = .other
        } else if Self.phones.contains(where: { system.begins(with: $0) })
            || device.begins(with: "Generic Smartphone") || device.begins(with: "Generic Feature Phone")
        {
            self = .mobile
        } else if Self.desktops.contains(where: { system.begins(with: $0) }) {
            self = .desktop
        } else {
            self = .unknown
        }
    }

    /// Agents of programs that nobody sits in front of.
    private static let programs: [StaticString] = [
        "HeadlessChrome", "PhantomJS", "curl", "Wget", "Python", "Apache-HttpClient", "Google-HTTP-Java-Client",
        "Go-http-client", "PostmanRuntime", "WinHTTP", "okhttp", "aihttp", "reqwest", "axios", "Java", "libwww-perl", "Boto",
        "aws-",
    ]
    private static let others: [StaticString] = [
        "PlayStation", "Nintendo", "Xbox", "AppleTV", "Apple Watch", "HbbTV", "NetCast", "Inettv", "WebTV", "Roku",
        "Chromecast", "GoogleTV", "tvOS", "WatchOS", "ATV OS X", "FireHbbTV", "Web0S", "Tesla", "Samsung SmartTV", "SmartWatch",
    ]
    private static let tablets: [StaticString] = [
        "iPad", "Kindle", "Generic Tablet", "HP TouchPad", "BlackBerry Tablet OS", "BlackBerry Playbook", "Microsoft Surface RT",
    ]
    private static let phones: [StaticString] = [
        "iOS", "Android", "Windows Phone", "Windows Mobile", "Windows CE", "BlackBerry", "Symbian", "Firefox OS", "KaiOS", "Bada",
        "Tizen", "Sailfish", "MeeGo", "Maemo", "Nokia", "Brew", "BREW", "webOS", "HarmonyOS",
    ]
    private static let desktops: [StaticString] = [
        "Windows", "Mac OS", "Linux", "Ubuntu", "Debian", "Fedora", "Red Hat", "Gentoo", "Mandriva", "SUSE", "CentOS", "Arch",
        "Chrome OS", "FreeBSD", "OpenBSD", "NetBSD", "BSD", "Solaris", "SerenityOS", "Kubuntu", "Slackware", "PCLinuxOS",
    ]
}

extension ByteView {
    func begins(with text: StaticString) -> Bool { prefix(text.utf8CodeUnitCount) == text }

    func contains(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard count >= length else { return false }
        for start in 0...(count - length) where ByteView(base: base.map { $0 + start }, count: length) == text { return true }
        return false
    }
}
