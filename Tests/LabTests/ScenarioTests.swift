import Events
import Testing

@testable import Lab

/// Every attack has the shape that it is described with.
@Suite struct ScenarioTests {
    private static let sessions = Drafts.attacked([.hijack: 250, .replay: 250, .impossibleTravel: 50])
    private static let logins = Drafts.attacked([.naive: 60, .vpn: 60, .targeted: 60, .veryTargeted: 60, .takeover: 60, .pushBombing: 60])

    @Test func everyKindOccursAsPlanned() {
        for kind in AttackKind.ofTraffic {
            let found = Drafts.long.scenarios[kind]?.count ?? 0
            #expect(found >= 1 && found <= Drafts.long.planned[kind] ?? 0, "\(kind): \(found)")
            for scenario in Drafts.long.scenarios[kind] ?? [] {
                #expect(scenario[0].ordinal == scenario[0].onset, "\(kind): the onset is the first")
            }
        }
        #expect(Drafts.long.scenarios[.masquerade] == nil)
    }

    @Test func hijackersKeepSomething() {
        let scenarios = Self.sessions.scenarios[.hijack] ?? []
        let legitimate = Dictionary(grouping: Self.sessions.all.filter { $0.attack == nil }, by: \.session)
        var agents = 0.0
        var networks = 0.0
        for events in scenarios {
            let victim = legitimate[events[0].session]?.last { $0.time <= events[0].time }
            #expect(victim?.user == events[0].user && victim?.token == events[0].token)
            let sameNetwork = victim.map { $0.network.city == events[0].network.city && $0.network.host == events[0].network.host } ?? false
            if victim?.device.agent == events[0].device.agent { agents += 1 }
            if sameNetwork { networks += 1 }
        }
        let count = Double(scenarios.count)
        #expect(count > 80)
        #expect((0.2...0.45).contains(agents / count), "\(agents) of \(count) keep the user agent")
        #expect((0.04...0.2).contains(networks / count), "\(networks) of \(count) keep the network too")
    }

    @Test func replaysComeLaterFromElsewhere() {
        let legitimate = Dictionary(grouping: Self.sessions.all.filter { $0.attack == nil }, by: \.token)
        for events in Self.sessions.scenarios[.replay] ?? [] {
            let first = events[0]
            let before = (legitimate[first.token] ?? []).filter {
                (60_000...3_600_000).contains(first.time - $0.time) && $0.user == first.user && $0.session == first.session
            }
            #expect(!before.isEmpty)
            #expect(before.contains { $0.network.ipv4 != first.network.ipv4 })
        }
    }

    @Test func whatIsKnownOfAVictimIsUsed() {
        let stream = Self.logins
        for (kind, scenarios) in stream.scenarios where [.vpn, .targeted, .veryTargeted].contains(kind) {
            #expect(scenarios.count > 15)
            for events in scenarios {
                let (login, victim) = (events[0], stream.person(events[0].user))
                #expect(login.type == .login && !login.failed)
                let country = Place.countryOfCity[Int(login.network.city)]
                // One in eight of the first kind uses an exit of his own, which may be anywhere.
                if kind == .vpn, login.network.slot == UInt8(Network.Slot.hosting) { continue }
                #expect(country == Place.countryOfCity[victim.city], "\(kind)")
                if kind == .vpn { continue }
                #expect(login.network.slot == victim.residentialSlot)
                let theirs = victim.device(0, day: stream.day(login), epochDay: Int(login.time / 86_400_000), options: stream.options)
                #expect(login.device.agent.family == theirs.device.agent.family)
                #expect(login.device.id != theirs.device.id || login.device.id == 0)
                if kind == .targeted { continue }
                #expect(Int(login.network.city) == victim.city)
                #expect(login.device.agent == theirs.device.agent)
            }
        }
    }

    @Test func victimsHaveAPast() {
        let stream = Self.logins
        let past = stream.legitimate
        for kind in [AttackKind.naive, .vpn, .targeted, .veryTargeted, .pushBombing] {
            for events in stream.scenarios[kind] ?? [] {
                let logins = past[events[0].user]?.count { $0.type == .login && !$0.failed && $0.time < events[0].time } ?? 0
                #expect(logins >= stream.options.established, "\(kind)")
            }
        }
    }

    @Test func takeoversFollowTheChain() {
        let chain: [Action] = [.contactChange, .passwordChange, .factorRemove]
        for events in Self.logins.scenarios[.takeover] ?? [] {
            let steps = events.filter { $0.type == .action }.map(\.action)
            let last = chain.compactMap { steps.lastIndex(of: $0) }
            #expect(!last.isEmpty)
            #expect(steps.contains(.transferCreate))
            #expect(events.contains { $0.type == .login && !$0.failed })
        }
    }

    @Test func pushesComeAtNight() {
        let stream = Self.logins
        for events in stream.scenarios[.pushBombing] ?? [] {
            let victim = stream.person(events[0].user)
            #expect(victim.strong)
            let logins = events.filter { $0.type == .login && !$0.strong }
            #expect(stream.options.pushes.contains(logins.count))
            #expect((0.5...6).contains(stream.localHour(events[0], city: victim.city)))
            #expect(logins[logins.count - 1].time - logins[0].time < 90 * 60_000)
            #expect(Set(logins.map(\.session)).count == logins.count)
        }
    }

    @Test func insidersExportOffHours() {
        var options = TrafficOptions()
        options.users = 60
        options.days = 40
        options.seed = 9
        options.attacks = .none
        options.attacks[.insider] = 15
        let stream = Drafts(options)
        let past = stream.legitimate
        var usual = 0.0
        var now = 0.0
        var long = 0
        for events in stream.scenarios[.insider] ?? [] {
            let user = events[0].user
            let days = Set(events.map(stream.day))
            #expect(days.count <= options.insiderDays.upperBound)
            if days.count >= 3 { long += 1 }
            let exports = events.count { Action.exports.contains($0.action) && $0.type == .action }
            let before = past[user]?.count { Action.exports.contains($0.action) && $0.type == .action } ?? 0
            usual += Double(before) / Double(options.days)
            now += Double(exports) / Double(days.count)
            let own = Set((past[user] ?? []).map(\.device.agent.family))
            for login in events where login.type == .login {
                let hour = stream.localHour(login, city: stream.person(user).city)
                #expect(hour > 19 || hour < 7, "\(hour)")
                #expect(login.network.city == UInt8(stream.person(user).city) && own.contains(login.device.agent.family))
            }
        }
        print("insiders: \(now / usual) times the usual exports a day")
        #expect((3.5...7).contains(now / usual))
        // Some days are spent on a trip, or lie beyond the stream's end.
        #expect(2 * long > stream.scenarios[.insider]?.count ?? 0)
    }

    @Test func campaignsKeepTheirBounds() {
        var options = TrafficOptions()
        options.users = 150
        options.days = 6
        options.seed = 2
        options.actionsMedian = 2
        options.attacks = .none
        options.attacks[.stuffing] = 12
        options.attacks[.spray] = 12
        options.campaignEvents = 1
        options.stuffingNames = 1_000...4_000
        options.sprayNames = 100...300
        let stream = Drafts(options)
        var tries = 0.0
        var hits = 0.0
        for events in stream.scenarios[.stuffing] ?? [] {
            let logins = events.filter { $0.type == .login }
            #expect(Set(logins.map(\.network.ipv4)).count <= 50)
            tries += Double(logins.count)
            hits += Double(logins.count { !$0.failed })
        }
        #expect(tries > 2_000 && (0.003...0.008).contains(hits / tries), "\(hits) of \(tries)")
        for events in stream.scenarios[.spray] ?? [] {
            let logins = events.filter { $0.type == .login }
            #expect((5...200).contains(Set(logins.map(\.network.ipv4)).count))
            let most = Dictionary(grouping: logins) { UInt64($0.user) << 16 | UInt64(stream.day($0)) }.values.map(\.count).max() ?? 0
            #expect((1...3).contains(most), "\(most) tries on one name and day")
        }
    }

    @Test func settingsReadBackAndApply() throws {
        var names = Set<String>()
        var options = TrafficOptions()
        for setting in TrafficOptions.settings {
            #expect(names.insert(setting.name).inserted, "\(setting.name) twice")
            #expect(setting.name.allSatisfy { $0.isLowercase || $0 == "_" || $0 == "." })
            try options.set("\(setting.name)=\(setting.value(in: options))")
        }
        #expect(options == TrafficOptions())
        try options.set("attacks.very_targeted=7")
        try options.set("warmup_days=3")
        try options.set("twins.daylight_saving=false")
        #expect(options.attacks[.veryTargeted] == 7 && options.warmupDays == 3 && !options.twins.daylightSaving)
        #expect(options.attackStart == options.start + 3 * TrafficOptions.dayMilliseconds)
        #expect(throws: SettingError.self) { try options.set("attacks.masquerade=1") }
        #expect(throws: SettingError.self) { try options.set("twins.trip=2") }
    }
}
