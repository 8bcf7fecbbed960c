import Events
import Foundation
import Testing

@testable import Behavior
@testable import Engine

/// What crosses users: panes, the view folded from them, and the store under it.
@Suite struct SharedViewTests {
    static let hash = KeyedHash(secret: Array("a secret for tests".utf8))

    static func view(_ change: (inout WindowOptions, inout StateBounds) -> Void = { _, _ in }) -> SharedView {
        var (windows, bounds) = (WindowOptions(), StateBounds())
        (bounds.sharedNetworks, bounds.sharedValues) = (512, 512)
        change(&windows, &bounds)
        return SharedView(windows: windows, bounds: bounds, hash: hash)
    }

    static func login(
        _ user: UInt64, prefix: UInt32 = 0, provider: UInt32 = 0, device: UInt32 = 0, country: UInt16 = 0, failed: Bool = false
    ) -> Contribution {
        var seen = Observation(time: Timestamp(milliseconds: 0))
        (seen.network, seen.asn, seen.device, seen.country) = (prefix, provider, device, country)
        return Contribution(of: seen, user: hash(user, 11), failed: failed)
    }

    static func pane(_ index: Int64, part: UInt32 = 0, _ logins: [Contribution], actions: [UInt32] = []) -> SealedPane {
        let open = OpenPane()
        for login in logins { open.add(login) }
        for (user, action) in actions.enumerated() { open.add(action: action, user: hash(UInt64(user), 11)) }
        return SealedPane(open, index: index, part: part)
    }

    static func shuffled(_ count: Int, _ random: inout SplitMix) -> [Int] {
        var order = Array(0..<count)
        for place in order.indices.dropFirst().reversed() { order.swapAt(place, Int(random.next() % UInt64(place + 1))) }
        return order
    }

    /// Panes of a day.
    static let day: Int64 = 86_400_000 / 5_000
    /// The pane of 2026-01-01.
    static let start: Int64 = 1_767_225_600_000 / 5_000

    // MARK: - The store

    @Test(arguments: [UInt64(1), 2, 3, 4]) func aStoreGoesBackToEveryMark(seed: UInt64) {
        var random = SplitMix(seed)
        let store = JournaledWords(count: 200)
        var marks: [(place: Int, words: [UInt64])] = []
        for step in 0..<3_000 {
            switch random.next() % 12 {
            case 0: marks.append((store.mark(), store.copy(at: nil)))
            case 1 where !marks.isEmpty:
                let back = marks.last!
                store.undo(to: back.place)
                #expect(store.copy(at: nil) == back.words, "seed \(seed), step \(step)")
            case 2 where marks.count > 2:
                marks.removeFirst()
                store.drop(before: marks[0].place)
            case 3 where marks.count > 6:
                marks = marks.enumerated().filter { $0.offset % 2 == 0 || $0.offset == marks.count - 1 }.map(\.element)
                for (index, place) in store.thin(keeping: marks.map(\.place)).enumerated() { marks[index].place = place }
            default:
                let word = Int(random.next() % 200)
                store.touch(word)
                store.words[word] = random.next() % 5
            }
            if step % 50 == 0 {
                for mark in marks { #expect(store.copy(at: mark.place) == mark.words, "seed \(seed), step \(step)") }
            }
        }
    }

    @Test(arguments: [UInt64(5), 6]) func packingGivesBackTheWords(seed: UInt64) {
        var random = SplitMix(seed)
        for length in [0, 1, 7, 600, 70_000] {
            let density = random.next() % 4
            let words = (0..<length).map { _ in random.next() % 4 > density ? random.next() >> (random.next() % 64) : 0 }
            let packed = WordPacking.pack(words)
            #expect(packed.withUnsafeBytes { WordPacking.unpack($0, count: length) } == words, "seed \(seed)")
            #expect(packed.withUnsafeBytes { WordPacking.unpack($0, count: length + 1) } == nil)
            if length > 0 { #expect(packed.dropLast().withUnsafeBytes { WordPacking.unpack($0, count: length) } == nil) }
        }
    }

    // MARK: - Panes

    @Test func aPaneIsReadBackAndNothingElseIs() throws {
        let pane = Self.pane(
            Self.start, part: 3, (0..<40).map { Self.login($0, prefix: UInt32($0 % 5 + 1), country: 7, failed: $0 % 3 == 0) },
            actions: [1, 1, 2])
        let bytes = pane.encoded()
        #expect(bytes.withUnsafeBytes { SealedPane($0) } == pane)
        #expect(bytes.dropLast(8).withUnsafeBytes { SealedPane($0) } == nil)
        for at in [0, 8 + 7, 16, 20, 24, 36] {
            var other = bytes
            other[at] ^= 0xFF
            #expect(other.withUnsafeBytes { SealedPane($0) } == nil, "byte \(at)")
        }
    }

    @Test func aPaneKeepsTheHeaviest() {
        let flood = (0..<1_500).map { Self.login($0, prefix: UInt32($0 + 100), provider: 5, device: UInt32($0 + 9)) }
        let spray = (0..<30).map { Self.login(5_000 + $0, prefix: 77, failed: true) }
        let view = Self.view()
        view.advance(to: Self.start + 2)
        let pane = Self.pane(Self.start, flood + spray)
        #expect(pane.byteCount < 50_000)
        view.fold(pane)
        #expect(view.activity(prefix: 77).failures == 30)
        #expect(view.activity(provider: 5).tries == 1_500)
        #expect((1_350...1_650).contains(view.users))
    }

    // MARK: - The view

    @Test(arguments: [UInt64(11), 12, 13]) func panesOfOneTimeFoldInAnyOrder(seed: UInt64) {
        var random = SplitMix(seed)
        // So many keys that none has to give way.
        let panes = (0..<300).map { number in
            Self.pane(Self.start + Int64(number / 6), (0..<Int(random.next() % 6)).map { _ in
                Self.login(
                    random.next() % 50, prefix: UInt32(random.next() % 12), provider: UInt32(random.next() % 5),
                    device: UInt32(random.next() % 20), country: UInt16(random.next() % 6), failed: random.next() % 3 == 0)
            }, actions: (0..<Int(random.next() % 4)).map { _ in UInt32(random.next() % 9 + 1) })
        }
        let (one, other) = (Self.view(), Self.view())
        for index in stride(from: 0, to: panes.count, by: 6) {
            let group = Array(panes[index..<index + 6])
            for view in [one, other] { view.advance(to: group[0].index + 2) }
            for pane in group { one.fold(pane) }
            for place in Self.shuffled(6, &random) { other.fold(group[place]) }
        }
        for key in UInt32(1)..<25 {
            #expect(one.activity(prefix: key) == other.activity(prefix: key), "seed \(seed)")
            #expect(one.activity(provider: key) == other.activity(provider: key), "seed \(seed)")
            #expect(one.activity(device: key) == other.activity(device: key), "seed \(seed)")
            for kind in RarityKind.allCases { #expect(one.users(of: kind, key) == other.users(of: kind, key), "seed \(seed)") }
            #expect(one.actionShare(key) == other.actionShare(key), "seed \(seed)")
        }
        #expect(one.users == other.users && one.users > 20)
    }

    @Test func windowsPassAndWhatIsCommonIsForgotten() {
        let view = Self.view()
        let window: Int64 = 360
        let begin = (Self.start / window + 1) * window
        view.advance(to: begin + 2)
        view.fold(Self.pane(begin, [Self.login(1, prefix: 9, country: 3, failed: true), Self.login(2, prefix: 9, country: 3)]))
        #expect(view.activity(prefix: 9).tries == 2 && view.activity(prefix: 9).failures == 1)
        #expect(view.activity(prefix: 9).usersTried == 2 && view.activity(prefix: 9).usersFailing == 1)
        #expect(view.users(of: .country, 3) == 1 && view.users == 1)
        view.advance(to: begin + window + 2)
        #expect(view.activity(prefix: 9).usersTried == 2)
        view.fold(Self.pane(begin + window, [Self.login(3, prefix: 9)]))
        #expect(view.activity(prefix: 9).tries == 3 && view.activity(prefix: 9).usersTried == 3)
        // A pane that comes late belongs to its own window.
        view.fold(Self.pane(begin + 1, [Self.login(4, prefix: 9)]))
        #expect(view.activity(prefix: 9).tries == 4)
        view.advance(to: begin + 2 * window)
        #expect(view.activity(prefix: 9).tries == 1)
        view.advance(to: begin + 3 * window)
        #expect(view.activity(prefix: 9) == NetworkActivity())
        view.advance(to: begin + 100 * Self.day)
        #expect(view.users == 0 && view.users(of: .country, 3) == 0)
    }

    @Test func tenThousandAccountsOfOnesOwnMakeNoNetworkCommon() {
        let view = Self.view()
        var day = Self.start / Self.day
        func live(_ logins: (Int64) -> [Contribution]) {
            view.advance(to: day * Self.day + 100)
            var all = logins(day)[...]
            var part: UInt32 = 0
            while !all.isEmpty {
                view.fold(Self.pane(day * Self.day, part: part, Array(all.prefix(2_000))))
                all = all.dropFirst(2_000)
                part += 1
            }
            day += 1
        }
        // 3,000 people, of whom a third has provider 1 and a twentieth provider 2.
        func provider(_ person: UInt32) -> UInt32 {
            if person % 3 == 0 { return 1 }
            return person % 20 == 1 ? 2 : 10 + person % 90
        }
        let people = (0..<UInt32(3_000)).map { Self.login(UInt64($0), provider: provider($0)) }
        for _ in 0..<16 { live { _ in people } }
        #expect((700...1_400).contains(view.users(of: .provider, 1)))
        let before = view.users(of: .provider, 2)
        let own = (0..<10_000).map { Self.login(UInt64(100_000 + $0), provider: $0 % 2 == 0 ? 7_777 : 2) }
        live { _ in people + own }
        #expect(view.users(of: .provider, 7_777) <= 8)
        #expect(view.users(of: .provider, 2) <= before * 1.13 + 1)
        for _ in 0..<6 { live { _ in people + own } }
        // Everybody's number has grown too; the share is what tells.
        #expect(view.users(of: .provider, 7_777) / view.users < 0.01)
        #expect(view.users(of: .provider, 1) > 700)
    }

    @Test func namesThatNeverSucceedEvictNothing() {
        let view = Self.view()
        view.advance(to: Self.start + 2)
        view.fold(Self.pane(Self.start, (0..<400).map { Self.login($0, prefix: 1, provider: UInt32($0 / 4 + 1), failed: false) }))
        view.fold(Self.pane(Self.start, part: 1, (0..<60).map { Self.login($0, prefix: 2, failed: true) }))
        let known = (1...100).filter { view.users(of: .provider, UInt32($0)) > 0 }
        #expect(known.count == 100)
        for part in 0..<UInt32(20) {
            let names = (0..<UInt32(2_000)).map { number -> Contribution in
                let name = part * 2_000 + number
                return Self.login(UInt64(1_000_000 + name), prefix: 1_000 + name, provider: 5_000 + number, failed: true)
            }
            view.fold(Self.pane(Self.start + 1, part: part, names))
        }
        #expect(known.allSatisfy { view.users(of: .provider, UInt32($0)) > 0 })
        #expect(view.activity(prefix: 2).failures == 60, "what many tried stays")
    }

    @Test func aFullImageFitsARecord() throws {
        let view = SharedView(windows: WindowOptions(), bounds: StateBounds(), hash: Self.hash)
        var random = SplitMix(3)
        for word in 0..<view.store.count { view.words[word] = random.next() | 0x0101_0101_0101_0101 }
        #expect(view.image().count + 100_000 < 1_000_000, "\(view.image().count)")
    }

    @Test(arguments: [UInt64(21), 22]) func anImageIsReadBackAndDamageIsNoTrap(seed: UInt64) throws {
        var random = SplitMix(seed)
        let view = Self.view()
        view.advance(to: Self.start + 3)
        for index in 0..<3 {
            view.fold(Self.pane(Self.start + Int64(index), (0..<200).map {
                Self.login($0, prefix: UInt32(random.next() % 90), country: UInt16(random.next() % 9), failed: random.next() % 2 == 0)
            }, actions: [1, 2, 3]))
        }
        let image = view.image()
        let other = Self.view()
        #expect(image.withUnsafeBytes { other.restore($0) })
        #expect(other.image() == image)
        let larger = Self.view { $1.sharedNetworks = 1_024 }
        #expect(image.withUnsafeBytes { larger.restore($0) })
        for key in UInt32(1)..<90 { #expect(larger.activity(prefix: key) == view.activity(prefix: key)) }
        let cutOtherwise = Self.view { windows, _ in windows.pane = 10_000 }
        #expect(image.withUnsafeBytes { cutOtherwise.restore($0) })
        #expect(cutOtherwise.users == 0)
        for _ in 0..<300 {
            var damaged = image
            for _ in 0..<3 { damaged[Int(random.next() % UInt64(damaged.count))] = UInt8(truncatingIfNeeded: random.next()) }
            let victim = Self.view()
            guard damaged.withUnsafeBytes({ victim.restore($0) }) else { continue }
            victim.advance(to: Self.start + 5)
            victim.fold(Self.pane(Self.start + 4, (0..<50).map { Self.login($0, prefix: UInt32($0 + 1), country: UInt16($0 % 9)) }))
            for key in UInt32(1)..<20 {
                _ = victim.activity(prefix: key)
                _ = victim.users(of: .country, key)
            }
        }
    }
}
