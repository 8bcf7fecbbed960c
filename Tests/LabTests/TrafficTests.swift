import Events
import Foundation
import Testing

@testable import Lab

/// A whole small stream, decoded.
struct Stream {
    var options: TrafficOptions
    var events: [GeneratedEvent] = []
    var objects: [[String: Any]] = []
    var bytes = 0
    var mostHeld = 0
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325

    init(_ options: TrafficOptions, decode: Bool = true) throws {
        self.options = options
        var generator = TrafficGenerator(options)
        var buffer = OutputBuffer()
        while let event = generator.next(into: &buffer) {
            let view = buffer.view(event.value)
            for byte in view.bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            bytes += view.count
            mostHeld = max(mostHeld, generator.heldEvents)
            if decode {
                let object = try JSONSerialization.jsonObject(with: Data(view.bytes)) as? [String: Any]
                try #require(object != nil, "seed \(options.seed): not an object")
                objects.append(object ?? [:])
                try #require(buffer.view(event.key).string == object?["user"] as? String)
                try #require(buffer.view(event.id).string == object?["id"] as? String)
            }
            events.append(event)
            buffer.removeAll()
        }
        print("seed \(options.seed): \(events.count) events, \(bytes / max(events.count, 1)) bytes each, FNV-1a \(String(hash, radix: 16))")
    }

    static func options(users: Int = 60, days: Int = 14, seed: UInt64 = 7) -> TrafficOptions {
        var options = TrafficOptions()
        options.users = users
        options.days = days
        options.seed = seed
        return options
    }

    func label(_ index: Int) -> [String: Any] { objects[index]["label"] as? [String: Any] ?? [:] }
}

@Suite struct TrafficTests {
    @Test func equalSeedsGiveEqualBytes() throws {
        let first = try Stream(Stream.options(), decode: false)
        let second = try Stream(Stream.options(), decode: false)
        let other = try Stream(Stream.options(seed: 8), decode: false)
        #expect(first.hash == second.hash)
        #expect(first.hash != other.hash)
    }

    @Test func everyLineIsAnEventInOrder() throws {
        let stream = try Stream(Stream.options())
        var ids = Set<String>()
        var last = Timestamp.distantPast
        for (index, event) in stream.events.enumerated() {
            let object = stream.objects[index]
            #expect(event.time >= last)
            last = event.time
            for field in ["id", "type", "time", "tenant", "user", "ip", "asn", "geo", "device", "label"] {
                #expect(object[field] != nil, "\(field) is missing")
            }
            ids.insert(object["id"] as? String ?? "")
            let failed = object["outcome"] as? String == "failure"
            #expect((object["session"] == nil) == failed)
            #expect((object["token"] == nil) == failed)
            switch event.type {
            case .login: #expect(object["outcome"] != nil)
            default: #expect(object["action"] != nil && object["resource"] != nil)
            }
            let milliseconds = try Date.ISO8601FormatStyle(includingFractionalSeconds: true)
                .parse(object["time"] as? String ?? "").timeIntervalSince1970 * 1_000
            #expect(abs(milliseconds - Double(event.time.milliseconds)) < 1)
        }
        #expect(ids.count == stream.events.count)
        #expect(stream.events.allSatisfy { $0.time >= stream.options.start && $0.time < stream.options.end })
    }

    @Test func labelsTellTheTruth() throws {
        let stream = try Stream(Stream.options(users: 150))
        var seen: [String: (time: Timestamp, kind: String)] = [:]
        var hostile = 0
        for (index, event) in stream.events.enumerated() {
            let label = stream.label(index)
            let kind = try #require(label["kind"] as? String)
            if kind == "legitimate" {
                #expect(label["onset"] == nil)
                #expect(event.label.attack == nil)
                continue
            }
            hostile += 1
            #expect(AttackKind(rawValue: kind) != nil)
            #expect(event.time >= stream.options.attackStart)
            let onset = try #require(label["onset"] as? String)
            #expect(onset == GeneratedEvent.eventID(event.onset))
            if onset == stream.objects[index]["id"] as? String { seen[onset] = (event.time, kind) }
            let first = try #require(seen[onset], "an onset comes before what follows it")
            #expect(first.kind == kind && first.time <= event.time)
        }
        let generator = TrafficGenerator(stream.options)
        for kind in AttackKind.ofTraffic {
            let found = seen.values.count { $0.kind == kind.rawValue }
            #expect(found >= 1 && found <= generator.plannedAttacks(kind), "\(kind)")
        }
        let share = Double(hostile) / Double(stream.events.count)
        #expect(share > 0.002 && share < 0.15, "share of hostile events is \(share)")
    }

    @Test func addressesNetworksAndPlacesAgree() throws {
        let stream = try Stream(Stream.options(users: 100, days: 7))
        var ofPrefix: [String: String] = [:]
        for object in stream.objects {
            let ip = try #require(object["ip"] as? String)
            let geo = try #require(object["geo"] as? [String: Any])
            let prefix = ip.contains(":") ? ip.split(separator: ":").prefix(2).joined(separator: ":")
                : ip.split(separator: ".").prefix(2).joined(separator: ".")
            let place = "\(object["asn"] ?? "") \(geo["country"] ?? "") \(geo["city"] ?? "")"
            #expect(ofPrefix[prefix, default: place] == place)
            ofPrefix[prefix] = place
        }
        #expect(ofPrefix.count > 20)
    }

    @Test func peopleHaveHabits() throws {
        var options = Stream.options(users: 80)
        options.attacks = .none
        let stream = try Stream(options)
        var devices: [String: [String: Int]] = [:]
        var networks: [String: [Int: Int]] = [:]
        for object in stream.objects where object["type"] as? String == "login" {
            let user = object["user"] as? String ?? ""
            let device = (object["device"] as? [String: Any])?["id"] as? String ?? ""
            devices[user, default: [:]][device, default: 0] += 1
            networks[user, default: [:]][object["asn"] as? Int ?? 0, default: 0] += 1
        }
        func modalShare<Key>(_ counts: [String: [Key: Int]]) -> Double {
            let shares = counts.values.filter { $0.values.reduce(0, +) >= 8 }.map {
                Double($0.values.max() ?? 0) / Double($0.values.reduce(0, +))
            }
            return shares.reduce(0, +) / Double(shares.count)
        }
        print("seed \(options.seed): modal device \(modalShare(devices)), modal network \(modalShare(networks))")
        #expect(modalShare(devices) > 0.65)
        #expect(modalShare(networks) > 0.6)
    }

    @Test func ratesAreAsAsked() throws {
        var options = TrafficOptions.sized(events: 40_000, seed: 3)
        options.attacks = .none
        let stream = try Stream(options, decode: false)
        #expect(stream.events.count > 34_000 && stream.events.count < 46_000)
        let logins = stream.events.count { $0.type == .login }
        let perLogin = Double(stream.events.count) / Double(logins)
        #expect(perLogin > 10 && perLogin < 22)
        #expect(!stream.events.contains { $0.label.attack != nil })
    }

    @Test func holdsNoMoreThanADay() throws {
        let stream = try Stream(Stream.options(users: 40, days: 28), decode: false)
        #expect(stream.mostHeld < stream.events.count / 5)
    }

    @Test func parsedDetailIsSmaller() throws {
        var options = Stream.options(users: 30, days: 5)
        options.attacks = .none
        let both = try Stream(options, decode: false)
        options.detail = .parsed
        let parsed = try Stream(options, decode: false)
        #expect(both.events.count == parsed.events.count)
        #expect((440...540).contains(parsed.bytes / parsed.events.count))
        #expect((560...700).contains(both.bytes / both.events.count))
    }

    @Test func absurdOptionsDoNotTrap() throws {
        var options = TrafficOptions()
        options.users = -3
        options.days = 0
        options.events = -1
        options.start = .distantPast
        options.attackShare = .infinity
        options.gapMedian = .infinity
        options.sessionsMedian = -.infinity
        options.stuffingNames = -5...(-1)
        options.stuffingAddresses = 0...0
        options.attacks[.hijack] = .nan
        options.attacks[.stuffing] = 1e300
        options.attacks[.takeover] = -1
        options.tenant = "a\"b\\c\n"
        options.twins.trip = .nan
        options.twins.deviceDays = 0
        _ = try Stream(options)
    }

    @Test func benchmarkRecordsHaveTheirSize() throws {
        var traffic = BenchmarkTraffic(users: 1_000, seed: 5)
        var buffer = OutputBuffer()
        let slices = traffic.fill(&buffer, records: 2_000)
        #expect(slices.reduce(0) { $0 + $1.value.count } == 2_000 * BenchmarkTraffic.meanBytes)
        var users: [String: Int] = [:]
        for slice in slices {
            let view = buffer.view(slice.value)
            #expect(abs(view.count - BenchmarkTraffic.meanBytes) <= 12)
            let object = try #require(try JSONSerialization.jsonObject(with: Data(view.bytes)) as? [String: Any])
            #expect(object["user"] as? String == buffer.view(slice.key).string)
            users[buffer.view(slice.key).string, default: 0] += 1
        }
        let most = users.values.max() ?? 0
        #expect(most > 150 && most < 400, "the first of 1,000 Zipf users has a share of 0.13, here \(most) of 2,000")
    }
}
