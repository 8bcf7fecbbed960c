import Events
import Foundation
import Testing

@testable import Lab

/// Every benign twin occurs, and looks as it is described.
@Suite struct TwinTests {
    @Test func everyTwinOccursAndIsNumbered() {
        var owner: [UInt32: (user: UInt32, twin: BenignTwin)] = [:]
        var cases: [BenignTwin: Set<UInt32>] = [:]
        for draft in Drafts.long.all {
            guard let twin = draft.twin else {
                #expect(draft.occurrence == 0)
                continue
            }
            #expect(draft.attack == nil)
            let first = owner[draft.occurrence, default: (draft.user, twin)]
            #expect(first == (draft.user, twin), "a case belongs to one twin of one user")
            owner[draft.occurrence] = first
            cases[twin, default: []].insert(draft.occurrence)
        }
        for twin in BenignTwin.allCases { #expect((cases[twin]?.count ?? 0) > 0, "\(twin) does not occur") }
        print(cases.map { "\($0.key) \($0.value.count)" }.sorted().joined(separator: ", "))
    }

    @Test func labelsCarryTheCase() throws {
        let stream = try Stream(Stream.options(users: 20, days: 3))
        var seen = 0
        for (index, event) in stream.events.enumerated() {
            let name = stream.label(index)["case"] as? String
            #expect((name != nil) == (event.label.twin != nil))
            if let name {
                #expect(name.hasPrefix("c-") && UInt32(name.dropFirst(2), radix: 16) == event.label.occurrence)
                seen += 1
            }
        }
        #expect(seen > 0)
    }

    @Test func clocksChangeWhereTheyDo() throws {
        func zone(_ city: String, _ time: String) throws -> Int {
            let date = try Date.ISO8601FormatStyle().parse(time)
            let index = try #require(Place.cities.firstIndex { $0.name.description == city })
            return Place.zone(ofCity: index, at: Int64(date.timeIntervalSince1970 * 1_000))
        }
        #expect(try zone("Oslo", "2026-10-25T00:59:59Z") == 120)
        #expect(try zone("Oslo", "2026-10-25T01:00:00Z") == 60)
        #expect(try zone("Oslo", "2027-03-28T00:59:59Z") == 60)
        #expect(try zone("Oslo", "2027-03-28T01:00:00Z") == 120)
        #expect(try zone("New York", "2026-11-01T05:59:59Z") == -240)
        #expect(try zone("New York", "2026-11-01T06:00:00Z") == -300)
        #expect(try zone("New York", "2026-03-08T06:59:59Z") == -300)
        #expect(try zone("New York", "2026-03-08T07:00:00Z") == -240)
        #expect(try zone("Sydney", "2026-10-03T15:59:59Z") == 600)
        #expect(try zone("Sydney", "2026-10-03T16:00:00Z") == 660)
        #expect(try zone("Auckland", "2026-09-26T13:59:59Z") == 720)
        #expect(try zone("Auckland", "2026-09-26T14:00:00Z") == 780)
        #expect(try zone("Moscow", "2026-07-01T00:00:00Z") == 180)
        #expect(try zone("Oslo", "1970-01-01T00:00:00Z") == 60)
    }

    /// The agreement of this platform's own time zone database, over forty years.
    @Test func clocksAgreeWithTheDatabase() throws {
        for (city, name) in [("Berlin", "Europe/Berlin"), ("Chicago", "America/Chicago"), ("Sydney", "Australia/Sydney"), ("Auckland", "Pacific/Auckland")] {
            guard let zone = TimeZone(identifier: name) else { continue }
            let index = try #require(Place.cities.firstIndex { $0.name.description == city })
            for week in 0..<1_000 {
                let seconds = 1_262_304_000 + Double(week) * 604_800 + 12_345
                let expected = zone.secondsFromGMT(for: Date(timeIntervalSince1970: seconds)) / 60
                #expect(Place.zone(ofCity: index, at: Int64(seconds) * 1_000) == expected, "\(city), \(seconds)")
            }
        }
    }

    @Test func peopleKeepTheirLocalHours() {
        // Of Norway's people, before the clocks are changed on 25 October 2026 and after.
        var sums = [0.0, 0.0], counts = [0.0, 0.0], local = [0.0, 0.0]
        for draft in Drafts.long.all where draft.type == .login && draft.attack == nil && draft.network.city < 5 && draft.homeCity < 5 {
            let side = draft.time < 1_792_890_000_000 ? 0 : 1
            let hour = Double(draft.time % 86_400_000) / 3_600_000
            // Nights count to the day before, so that the mean of hours means something.
            sums[side] += hour < 3 ? hour + 24 : hour
            let clock = Drafts.long.localHour(draft, city: Int(draft.homeCity))
            local[side] += clock < 4 ? clock + 24 : clock
            counts[side] += 1
        }
        let shift = sums[1] / counts[1] - sums[0] / counts[0]
        let kept = local[1] / counts[1] - local[0] / counts[0]
        #expect((0.6...1.4).contains(shift), "\(shift) hours of UTC")
        #expect(abs(kept) < 0.4, "\(kept) hours of the clock")
    }

    @Test func renumberedHomesKeepTheirProvider() {
        let stream = Drafts.long
        var found = 0
        for (_, events) in Dictionary(grouping: stream.all.filter { $0.twin == .renumbering }, by: \.occurrence) {
            let first = events[0]
            let home = stream.person(first.user)
            let before = stream.legitimate[first.user]?.last {
                $0.time < first.time - 3 * 86_400_000 && $0.network.slot == home.residentialSlot && Int($0.network.city) == home.city && $0.twin != .trip
            }
            guard let before else { continue }
            found += 1
            #expect(before.network.ipv4 >> 16 != first.network.ipv4 >> 16)
            #expect(before.network.asn == first.network.asn)
        }
        #expect(found > 0)
    }

    @Test func resetsFollowTheirOrder() {
        var seen = 0
        for (_, events) in Dictionary(grouping: Drafts.long.all.filter { $0.twin == .passwordReset }, by: \.occurrence) {
            guard let success = events.firstIndex(where: { $0.type == .login && !$0.failed }), success + 1 < events.count else { continue }
            seen += 1
            #expect(success >= 2 && events[..<success].allSatisfy { $0.failed })
            #expect(events[success].isReset)
            #expect(events[success + 1].action == .passwordChange)
        }
        #expect(seen > 5)
    }

    @Test func aChangedRoleChangesWhatIsDone() throws {
        var options = TrafficOptions()
        options.twins.roleChange = 1
        let people = (0..<200).map { Person(number: UInt32($0), options: options) }
        let changed = people.filter { $0.roleChange != nil }
        #expect(changed.count > 100)
        let person = try #require(changed.first { $0.role == .customer && $0.roleChange?.role == .analyst } ?? changed.first)
        let day = try #require(person.roleChange?.day)
        var before = person.chain(day: day - 1, options: options)
        var after = person.chain(day: day, options: options)
        #expect(abs(before.share(of: Action.exports, steps: 20) - after.share(of: Action.exports, steps: 20)) > 0.01)
    }

    @Test func carriersShareFewAddresses() {
        let mobile = Drafts.long.all.filter { $0.twin == .carrierNAT }
        let users = Set(mobile.map(\.user)).count
        let addresses = Set(mobile.map(\.network.ipv4)).count
        #expect(users > 50 && Double(addresses) < 0.6 * Double(users), "\(users) users behind \(addresses) addresses")
    }

    @Test func marginalsAreWithinTheirBounds() {
        var options = TrafficOptions()
        options.users = 250
        options.days = 10
        options.seed = 4
        let lines = ActionMarginals.run(options)
        for line in lines { #expect(line.isWithin, "\(line.name): \(line.measured), not \(line.target ?? 0)") }
        #expect(lines.count { $0.target != nil } > 10)
    }
}
