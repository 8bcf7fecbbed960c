import Events
import Foundation
import Testing

@testable import Lab

/// A small stream of logins, drafts and bytes.
private struct Logins {
    var options: LoginOptions
    var users: Int
    var drafts: [LoginDraft] = []
    var world: LoginWorld
    var mostHeld = 0

    init(rows: Int = 20_000, seed: UInt64 = 3, _ change: (inout LoginOptions) -> Void = { _ in }) {
        var options = LoginOptions()
        (options.rows, options.seed) = (rows, seed)
        change(&options)
        var traffic = LoginTraffic(options)
        (self.options, users, world) = (traffic.options, traffic.users, traffic.world)
        while let draft = traffic.nextDraft() {
            drafts.append(draft)
            mostHeld = max(mostHeld, traffic.heldEvents)
        }
        print("seed \(seed): \(drafts.count) logins of \(users) accounts")
    }

    static func bytes(_ options: LoginOptions, most: Int = .max) -> [UInt8] {
        var traffic = LoginTraffic(options)
        var buffer = OutputBuffer()
        var count = 0
        while count < most, traffic.next(into: &buffer) != nil {
            buffer.append(10)
            count += 1
        }
        return Array(buffer.view(from: 0).bytes)
    }
}

@Suite struct LoginTests {
    private static let stream = Logins()

    @Test func equalOptionsGiveEqualBytes() {
        var options = LoginOptions()
        options.rows = 3_000
        let first = Logins.bytes(options)
        #expect(first == Logins.bytes(options))
        options.seed = 2
        #expect(first != Logins.bytes(options))
    }

    @Test func everyLineIsALoginOfTheContract() throws {
        var options = LoginOptions()
        (options.rows, options.tenant, options.deviceIDs, options.coordinates) = (2_000, "acme", 0.5, true)
        var traffic = LoginTraffic(options)
        var buffer = OutputBuffer()
        var last = Timestamp.distantPast
        var ids = Set<String>()
        var withDevice = 0
        while let event = traffic.next(into: &buffer) {
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(buffer.view(event.value).bytes)) as? [String: Any])
            #expect(event.time >= last)
            last = event.time
            ids.insert(try #require(object["id"] as? String))
            #expect(object["user"] as? String == buffer.view(event.key).string)
            #expect(object["type"] as? String == "login" && object["tenant"] as? String == "acme")
            #expect((object["outcome"] as? String == "success") == (object["session"] != nil))
            let geo = try #require(object["geo"] as? [String: Any])
            #expect(geo["country"] is String && geo["region"] is String && geo["city"] is String)
            let (latitude, longitude) = (try #require(geo["lat"] as? Double), try #require(geo["lon"] as? Double))
            #expect(abs(latitude) <= 90 && abs(longitude) <= 180)
            let device = try #require(object["device"] as? [String: Any])
            if device["id"] != nil { withDevice += 1 }
            let agent = try #require(device["user_agent"] as? String)
            #expect(!agent.contains("%"))
            let label = try #require(object["label"] as? [String: Any])
            let kind = try #require(LoginKind(rawValue: label["kind"] as? String ?? ""))
            #expect((label["onset"] as? String) == (kind == .legitimate ? nil : object["id"] as? String))
            buffer.removeAll()
        }
        #expect(ids.count > 1_800 && withDevice > 200 && withDevice < ids.count / 2)
    }

    @Test func marginalsAreNearTheirTargets() {
        var options = LoginOptions()
        (options.rows, options.seed) = (60_000, 5)
        // A few numbers rest on few attackers here.
        let few: Set = ["known provider, naive", "known provider, vpn", "takeovers without history", "last month over first"]
        for line in LoginMarginals.run(options) where !few.contains(line.name) {
            #expect(line.isWithin, "seed \(options.seed): \(line.name) is \(line.measured), not \(line.target ?? 0)")
        }
    }

    @Test(arguments: [1, 2] as [UInt64])
    func theFlatRatioScoresAsOnRealLogins(seed: UInt64) {
        var options = LoginOptions()
        (options.rows, options.seed) = (50_000, seed)
        // More attackers than real, so that a small stream has enough to measure.
        (options.naiveRate, options.vpnRate, options.targetedRate, options.takeoverRate) = (0.008, 0.008, 0.008, 0.004)
        let report = HonestyCheck.run(options)
        #expect(report.findings.count == HonestyCheck.kinds.count)
        for finding in report.findings {
            print("seed \(seed): \(finding.kind) \(finding.auc), best single \(finding.singles[0])")
            #expect(finding.passes, "seed \(seed): \(finding.kind) has \(finding.auc)")
        }
    }

    @Test func theCheckFindsAGeneratorThatGivesAttackersAway() {
        var options = LoginOptions()
        options.rows = 20_000
        // Nobody ever moves or updates: whatever is new is an attacker.
        (options.travel, options.strangeDevice, options.vpnShare, options.carrierShare) = (0, 0, 0, 0)
        (options.fixedHomes, options.releasePace, options.officeShare) = (1, 20, 0)
        let report = HonestyCheck.run(options)
        #expect(!report.passes)
        #expect(report.findings.contains { $0.kind == "naive" && !$0.passes })
    }

    @Test func attackersKnowWhatTheirKindKnows() {
        let stream = Logins(rows: 30_000, seed: 4) { options in
            (options.naiveRate, options.vpnRate, options.targetedRate, options.veryTargetedRate) = (0.01, 0.01, 0.01, 0.01)
        }
        var ratio = FlatRatio()
        var seen: [LoginKind: (count: Double, country: Double, asn: Double, type: Double)] = [:]
        for draft in stream.drafts where draft.succeeds {
            let values = FlatRatio.Values(draft, stream.world)
            if draft.kind == .legitimate {
                ratio.learn(values, of: draft.user)
                continue
            }
            if draft.kind == .takeover { continue }
            // A password is stolen at a login: there is always one before.
            #expect(ratio.history(of: draft.user) > 0)
            var row = seen[draft.kind] ?? (0, 0, 0, 0)
            row.count += 1
            if ratio.isKnown(.country, values, of: draft.user) { row.country += 1 }
            if ratio.isKnown(.asn, values, of: draft.user) { row.asn += 1 }
            if ratio.isKnown(.type, values, of: draft.user) { row.type += 1 }
            seen[draft.kind] = row
        }
        for kind in LoginKind.attackers {
            let row = seen[kind] ?? (1, 0, 0, 0)
            #expect(row.count > 100)
            #expect((row.country / row.count > 0.95) == (kind != .naive), "\(kind): \(row)")
            #expect((row.asn / row.count > 0.9) == (kind == .targeted || kind == .veryTargeted), "\(kind): \(row)")
            #expect((row.type / row.count > 0.95) == (kind == .targeted || kind == .veryTargeted), "\(kind): \(row)")
        }
    }

    @Test func holdsADayAndLittleElse() {
        let stream = Self.stream
        #expect(stream.mostHeld < stream.drafts.count / 20)
        #expect(MemoryLayout<LoginAccounts.Account>.stride <= 28)
    }

    @Test func versionsOnlyMoveForward() {
        let options = LoginOptions()
        let world = LoginWorld(options)
        for number in 0..<300 as Range<UInt32> {
            let person = LoginPerson(number: number, world: world, options: options)
            for slot in 0..<person.devices {
                var last = person.device(slot, day: 20_362, options: options)
                for day in stride(from: 20_363.0, to: 20_730, by: 3) {
                    let now = person.device(slot, day: day, options: options)
                    if now.family == last.family, now.model == last.model { #expect(now.release >= last.release) }
                    last = now
                }
            }
        }
    }

    @Test func addressProviderAndPlaceAgree() {
        var ofAddress: [UInt32: UInt32] = [:]
        for draft in Self.stream.drafts {
            #expect(draft.address >> 28 == 0xF)
            let asn = Self.stream.world.asn(ofAddress: draft.address)
            #expect(ofAddress[draft.address, default: asn] == asn)
            ofAddress[draft.address] = asn
        }
        #expect(LoginPlaces.countries.count == 229 && Set(LoginPlaces.countries.map(\.code)).count == 229)
    }

    @Test func namesAndIdsTellNothing() {
        let stream = Self.stream
        var buffer = OutputBuffer()
        func name(_ user: UInt32) -> String {
            buffer.removeAll()
            Text.user(user, &buffer)
            return buffer.view(from: 0).string
        }
        // Names of accounts and of nobody have one form and lie among each other.
        let known = stream.drafts.filter { Int($0.user) < stream.users }.map { name($0.user) }
        let unknown = stream.drafts.filter { Int($0.user) >= stream.users }.map { name($0.user) }
        let digits: (String) -> Double = { Double(Int($0.suffix(6), radix: 16) ?? 0) }
        let mean = { (names: [String]) in names.map(digits).reduce(0, +) / Double(names.count) / Double(0xFF_FFFF) }
        #expect(abs(mean(known) - mean(unknown)) < 0.05)
        // Numbers of ids rise and fall as often in the order of time.
        let ids = EventWriter({ var traffic = TrafficOptions(); traffic.seed = stream.options.seed; return traffic }())
        let numbers = stream.drafts.map { ids.number($0.ordinal) }
        let rises = zip(numbers, numbers.dropFirst()).count { $0 < $1 }
        #expect(abs(Double(rises) / Double(numbers.count) - 0.5) < 0.02)
        let mid = UInt64(1) << 47
        let hostile = zip(stream.drafts, numbers).filter { LoginKind.attackers.contains($0.0.kind) }
        #expect(abs(Double(hostile.count { $0.1 < mid }) / Double(hostile.count) - 0.5) < 0.25)
    }

    @Test func everyParameterCanBeSet() throws {
        var options = LoginOptions()
        for setting in LoginOptions.settings {
            let before = options
            try setting.set(setting.value(in: options), in: &options)
            #expect(options == before, "\(setting.name) reads back as something else")
        }
        #expect(Set(LoginOptions.settings.map(\.name)).count == LoginOptions.settings.count)
        try options.set("attack.naive=0.05")
        #expect(options.naiveRate == 0.05)
        #expect(throws: SettingError.unknown("atack.naive", nearest: "attack.naive")) { try options.set("atack.naive=1") }
        #expect(throws: SettingError.form("rows")) { try options.set("rows") }
        #expect(throws: SettingError.self) { try options.set("unknown=2") }
        let shifted = Logins(rows: 8_000, seed: 1) { $0.unknownShare = 0.2; $0.successShare = 0.6 }
        let succeeded = Double(shifted.drafts.count { $0.succeeds }) / Double(shifted.drafts.count)
        #expect(abs(succeeded - 0.6) < 0.04)
    }

    @Test func absurdOptionsDoNotTrap() {
        var options = LoginOptions()
        (options.rows, options.days, options.drift) = (200, 1, -.infinity)
        (options.unknownShare, options.campaignShare, options.delayMedian) = (.nan, 9, -1)
        (options.naiveRate, options.takeoverRate, options.ownersHome, options.start) = (5, 1, .nan, .distantPast)
        #expect(!Logins.bytes(options).isEmpty)
    }

    @Test func theAreaCountsTiesHalf() {
        #expect(HonestyCheck.auc([1, 2, 3], over: [0, 0]) == 1)
        #expect(HonestyCheck.auc([1], over: [1, 1]) == 0.5)
        #expect(HonestyCheck.auc([1, 3], over: [1, 2]) == 0.625)
    }
}
