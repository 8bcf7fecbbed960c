import Events
import Testing

@testable import Behavior
@testable import Engine

/// What a sealed pane holds, against sums made the plain way.
@Suite struct PaneSumsTests {
    private struct Network {
        var (tries, failures) = (UInt64(0), UInt64(0))
        var (tried, failing) = (HyperLogLog16(), HyperLogLog16())
    }

    private static func networks(_ logins: [Contribution]) -> [UInt64] {
        var sums: [UInt64: Network] = [:]
        for login in logins {
            for (kind, value) in [login.prefix, login.provider, login.device].enumerated() where value != 0 {
                var sum = sums[UInt64(kind) << 32 | UInt64(value)] ?? Network()
                sum.tries += 1
                _ = sum.tried.add(hash: login.user)
                if login.failed != 0 {
                    sum.failures += 1
                    _ = sum.failing.add(hash: login.user)
                }
                sums[UInt64(kind) << 32 | UInt64(value)] = sum
            }
        }
        let heaviest = sums.sorted { ($1.value.failures, $1.value.tries, $0.key) < ($0.value.failures, $0.value.tries, $1.key) }
        return heaviest.prefix(SealedPane.mostNetworks).sorted { $0.key < $1.key }.flatMap { key, sum in
            [key, sum.tries | sum.failures << 32, sum.tried.word, sum.failing.word]
        }
    }

    private static func values(_ logins: [Contribution]) -> [UInt64] {
        var sums: [UInt64: (logins: Int, users: HyperLogLog64)] = [:]
        for login in logins where login.failed == 0 {
            let values = [UInt32(login.country), login.provider, login.agent, login.os, UInt32(login.deviceClass)]
            var keys = values.enumerated().filter { $0.element != 0 }.map { UInt64($0.offset) << 32 | UInt64($0.element) }
            keys.append(SealedPane.everybody << 32 | login.user % UInt64(SealedPane.strata))
            for key in keys {
                var sum = sums[key] ?? (0, HyperLogLog64())
                sum.logins += 1
                _ = sum.users.add(hash: login.user)
                sums[key] = sum
            }
        }
        let everybody = sums.filter { $0.key >> 32 == SealedPane.everybody }
        let others = sums.filter { $0.key >> 32 != SealedPane.everybody }
        let heaviest = others.sorted { ($1.value.logins, $0.key) < ($0.value.logins, $1.key) }
        let kept = Array(heaviest.prefix(SealedPane.mostValues - everybody.count)) + Array(everybody)
        return kept.sorted { $0.key < $1.key }.flatMap { key, sum in [key] + (0..<4).map { sum.users.words[$0] } }
    }

    private static func actions(_ actions: [UInt64]) -> [UInt64] {
        var sums: [UInt64: UInt64] = [:]
        for entry in Set(actions) { sums[entry >> 32, default: 0] += 1 }
        let heaviest = sums.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(SealedPane.mostActions)
        return heaviest.sorted { $0.key < $1.key }.map { $0.key | $0.value << 32 }
    }

    /// Few logins of few kinds, as usual, up to more kinds than are kept.
    @Test(arguments: [
        (0, 0, 5), (0, 1, 1), (1, 0, 1), (2, 3, 2), (9, 90, 8), (40, 300, 20), (700, 2_000, 5_000), (2_048, 4_096, 1 << 30),
    ])
    func sumsAreThoseOfEveryLoginAndAction(logins: Int, actions: Int, kinds: UInt64) {
        for seed in UInt64(1)...4 {
            var random = SplitMix(seed)
            let hash = SharedViewTests.hash
            let open = OpenPane()
            for _ in 0..<logins {
                var login = SharedViewTests.login(
                    random.next() % (2 * kinds), prefix: UInt32(random.next() % kinds), provider: UInt32(random.next() % kinds),
                    device: UInt32(random.next() % kinds), country: UInt16(random.next() % min(kinds, 300)),
                    failed: random.next() % 3 == 0)
                (login.agent, login.os) = (UInt32(random.next() % kinds), UInt32(random.next() % 4))
                login.deviceClass = UInt8(random.next() % 4)
                open.add(login)
            }
            for _ in 0..<actions {
                open.add(action: UInt32(random.next() % kinds + 1), user: hash(random.next() % (2 * kinds), 11))
            }
            let sealed = SealedPane(open, index: 7, part: 2)
            let networks = Self.networks(Array(open.logins))
            let values = Self.values(Array(open.logins))
            let done = Self.actions(Array(open.actions))
            let counts = UInt64(networks.count / 4) | UInt64(values.count / 5) << 32
            #expect(sealed.words == [1 | 2 << 32, 7, counts, UInt64(done.count)] + networks + values + done, "seed \(seed)")
            #expect(SealedPane(words: sealed.words) == sealed, "seed \(seed)")
        }
    }
}
