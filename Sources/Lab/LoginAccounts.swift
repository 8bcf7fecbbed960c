import Glibc

/// The accounts, and on which day each is next visited: a calendar of linked lists, 28 bytes an account.
struct LoginAccounts: Sendable {
    struct Account: Sendable {
        /// The next in the same day's list; `.max` at its end.
        var next: UInt32 = .max
        /// Where in the stream the next visit is, 0…1 of its volume.
        var position: Float = 0
        /// Volume per unit of gap.
        var scale: Float = 0
        /// The next visit's number, how many there are, and how many are left.
        var visit: UInt16 = 0
        var visits: UInt16 = 0
        var left: UInt16 = 0
        /// Successful logins by now, the account's owner's.
        var successes: UInt16 = 0
        /// Attempts that the visit with the last number may have; the others end by themselves.
        var last: UInt16 = 0
    }

    /// What happens at one visit: attempts that fail, then one that succeeds or none.
    struct Visit {
        var failures: Int
        var succeeds: Bool
        /// To the next visit, in units of the account's own pace.
        var gap: Double
        var attempts: Int { failures + (succeeds ? 1 : 0) }
    }

    private(set) var accounts: [Account]
    private var heads: [UInt32]
    private let seed: UInt64
    /// Share of attempts that fail.
    private let failing: Double
    private let options: LoginOptions
    /// Successful logins of the whole stream on accounts that had one before.
    private(set) var returning = 0

    init(count: Int, failing: Double, _ options: LoginOptions) {
        self.options = options
        self.failing = failing
        seed = Random.mix(options.seed, 0x6163_636F)
        accounts = Array(repeating: Account(), count: count)
        heads = Array(repeating: .max, count: options.days)
        for number in accounts.indices { begin(UInt32(number)) }
    }

    /// No accounts.
    static let none = LoginAccounts(count: 0, failing: 0, LoginOptions())

    /// Lays out all visits of an account on the circle of the stream's volume, so that no part of the stream has more
    /// than its share, and enters the first.
    private mutating func begin(_ number: UInt32) {
        var random = Random(seed: Random.mix(seed, UInt64(number)))
        let attempts = Self.attempts(random.uniform())
        var visits: [Visit] = []
        var left = attempts
        var last = attempts
        var succeeded = 0
        while left > 0 {
            last = left
            let next = visit(number, visits.count, left)
            visits.append(next)
            left -= next.attempts
            if next.succeeds { succeeded += 1 }
        }
        returning += max(0, succeeded - 1)
        let gaps = visits.dropLast().reduce(0) { $0 + $1.gap }
        var account = Account(visits: UInt16(visits.count), left: UInt16(visits.count), last: UInt16(last))
        let span = min(0.97, random.lognormal(median: 0.45, sigma: 0.7))
        account.scale = Float(gaps > 0 ? span / gaps : 0)
        account.position = begin(of: number)
        // What lies beyond the stream's end comes at its begin, before the rest.
        var position = account.position
        for (index, visit) in visits.enumerated() {
            if position >= 1 {
                account.position = position - 1
                account.visit = UInt16(index)
                break
            }
            position += account.scale * Float(visit.gap)
        }
        accounts[Int(number)] = account
        enter(number, notBefore: 0)
    }

    private func begin(of number: UInt32) -> Float { Float(Random.mix(seed, UInt64(number), 1) >> 40) * 0x1p-24 }

    /// A visit by its number: a pure function, so that none need be kept. `left` is how many attempts are allowed.
    private func visit(_ number: UInt32, _ index: Int, _ left: Int) -> Visit {
        var owner = Random(seed: Random.mix(seed, UInt64(number), 2))
        let fails = min(-log(1 - owner.uniform()) * failing * 1.06, 0.9)
        var random = Random(seed: Random.mix(seed, UInt64(number) << 20 | UInt64(index), 3))
        var visit = Visit(failures: 0, succeeds: false, gap: random.lognormal(median: 1, sigma: 1.5))
        while visit.failures < left {
            if !random.chance(fails) {
                visit.succeeds = true
                break
            }
            visit.failures += 1
            if random.chance(0.2) { break }
        }
        return visit
    }

    /// Puts an account into the list of its next visit's day.
    private mutating func enter(_ number: UInt32, notBefore day: Int) {
        let account = accounts[Int(number)]
        var next = min(Int(volume: Double(account.position), options), options.days - 1)
        let weekday = Self.weekday(next, options)
        if weekday >= 5 {
            // Weekends are for some; the others come on a day of that week.
            var random = Random(seed: Random.mix(seed, UInt64(number) << 20 | UInt64(account.visit), 4))
            let person = LoginPerson.keepsWeekends(number, options)
            if !random.chance(person) { next = next - weekday + random.below(5) }
        }
        next = max(next, day)
        accounts[Int(number)].next = heads[next]
        heads[next] = number
    }

    /// 0 is Monday.
    static func weekday(_ day: Int, _ options: LoginOptions) -> Int {
        (Int(options.start.milliseconds / LoginOptions.dayMilliseconds) + day + 3) % 7
    }

    /// Calls `body` with every visit of a day, and moves the calendar on.
    mutating func visits(on day: Int, _ body: (inout Account, UInt32, Visit) -> Void) {
        while heads[day] != .max {
            let number = heads[day]
            var account = accounts[Int(number)]
            heads[day] = account.next
            let isLast = account.visit + 1 == account.visits
            let now = visit(number, Int(account.visit), isLast ? Int(account.last) : .max)
            body(&account, number, now)
            account.left -= 1
            account.visit += 1
            account.position += account.scale * Float(now.gap)
            if account.visit == account.visits {
                account.visit = 0
                account.position = begin(of: number)
            }
            accounts[Int(number)] = account
            if account.left > 0 { enter(number, notBefore: day) }
        }
    }

    /// Attempts of an account by its rank, 0…1: median 2, 90th percentile 9, 99th 28, and 39.7 % with one.
    static func attempts(_ rank: Double) -> Int {
        let knots: [(rank: Double, attempts: Double)] = [(0.414, 1.5), (0.575, 2.5), (0.908, 9.45), (0.991, 28.4)]
        if rank < knots[0].rank { return 1 }
        for (low, high) in zip(knots, knots.dropFirst()) where rank < high.rank {
            let part = (rank - low.rank) / (high.rank - low.rank)
            return Int((low.attempts * pow(high.attempts / low.attempts, part)).rounded())
        }
        return Int(min(28.4 * pow(0.009 / max(1 - rank, 1e-6), 0.5), 500).rounded())
    }

    /// Mean of `attempts`.
    static let meanAttempts: Double = {
        let steps = 100_000
        return (0..<steps).reduce(0.0) { $0 + Double(attempts((Double($1) + 0.5) / Double(steps))) } / Double(steps)
    }()
}

extension Int {
    /// The day of a stream on which a share of its volume has passed. Volume grows linearly over the stream.
    init(volume: Double, _ options: LoginOptions) {
        let growth = options.growth
        let total = 1 + growth / 2
        let x = abs(growth) < 1e-9 ? volume : (sqrt(1 + 2 * growth * volume * total) - 1) / growth
        self = Swift.max(0, Int(x * Double(options.days)))
    }
}
