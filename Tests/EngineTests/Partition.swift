import Behavior
import Events
import Testing

@testable import Engine

/// One partition as a shard keeps it, without a shard: an engine, what it persisted, and what its commits told the cuts.
final class Partition {
    typealias Line = PropertyTests.Stream.Line

    let plan: EnginePlan
    let lines: [Line]
    var random: SplitMix
    var engine: Engine
    var effects = Effects()

    /// The state file.
    var rows: [UInt32: [UInt8]] = [:]
    var redo: [UInt8]?
    /// A second copy, which misses slices now and then and catches up piece by piece.
    struct Copy {
        var rows: [UInt32: [UInt8]] = [:]
        var redo: [UInt8]?
        /// Whose rows it missed.
        var missed: Set<UInt32> = []
        /// How often it took a slice and missed others still.
        var timesBehind = 0
    }
    var copy: Copy?
    /// What each commit said of evictions, in the log's form.
    var cuts: [[Eviction]] = []

    /// The line to step next, and the one after the last committed.
    var next = 0
    var committed = 0
    var commits: Int64 = 0
    /// Commits by which persisting lags at most.
    var lag = 8

    init(seed: UInt64, plan: EnginePlan, lines: [Line]) {
        (self.plan, self.lines) = (plan, lines)
        random = SplitMix(seed &* 31 &+ 7)
        engine = Engine(plan: plan, keepsPreImages: true)
        engine.mark(cut)
    }

    func below(_ bound: Int) -> Int { Int(random.next() % UInt64(max(bound, 1))) }

    var cut: CutMark {
        CutMark(
            positions: [Int64((next + 1) / 2), Int64(next / 2)], cutsOffset: Int64(cuts.count), milliseconds: commits * 100)
    }

    /// Steps the next line, bringing in the pages it asks for; returns what came out.
    func step(recovering: Bool = false) throws -> [UInt8] {
        effects.removeAll()
        var asked = 0
        while let page = PropertyTests.step(engine, lines[next], at: next, into: &effects, recovering: recovering) {
            #expect(effects.outputs.isEmpty)
            try #require(rows[page], "page \(page)").withUnsafeBytes { try engine.restore(page: page, row: $0) }
            asked += 1
            try #require(asked < 3)
        }
        next += 1
        return Array(effects.bytes.view(from: 0).bytes)
    }

    /// Persists a slice of some age and size, and commits.
    func commit() {
        let age = below(16) == 0 ? Int64.max : (commits + 1 - Int64(below(lag))) * 100
        commit(dirtyBefore: age, maxBytes: below(3) == 0 ? .max : below(8_000))
    }

    func commit(dirtyBefore milliseconds: Int64, maxBytes: Int) {
        commits += 1
        let evictions = engine.evictions
        var now = cut
        now.cutsOffset += 1
        let slice = engine.slice(at: now, dirtyBefore: milliseconds, maxBytes: maxBytes)
        engine.forEach(in: slice) { number, row in rows[number] = row.map { Array($0) } }
        redo = slice.redo.encoded()
        cuts.append(evictions)
        engine.mark(now)
        engine.complete(slice, keepsRedo: copy != nil)
        if copy != nil { follow(slice) }
        committed = next
    }

    /// The second copy takes the slice, and of those it missed whoever has not changed since; or it misses the slice as well.
    private func follow(_ slice: StateSlice) {
        guard var copy, below(4) > 0 else {
            copy?.missed.formUnion(slice.numbers)
            return
        }
        let missed = copy.missed.subtracting(slice.numbers)
        copy.missed = missed.intersection(engine.dirtyNumbers)
        for number in missed.subtracting(copy.missed).union(slice.numbers) {
            copy.rows[number] = engine.withRow(number: number) { $0.map { Array($0) } }
        }
        copy.redo = (copy.missed.isEmpty ? slice.redo : engine.firstRedo)?.encoded()
        if copy.missed.isEmpty { engine.dropPassed() } else { copy.timesBehind += 1 }
        self.copy = copy
    }

    /// What is not committed is taken back.
    func abort() {
        engine.undo()
        next = committed
    }

    /// What was persisted is lost but for the second copy.
    func lose() {
        guard let copy else { return }
        (rows, redo) = (copy.rows, copy.redo)
        self.copy?.missed = []
    }

    /// Memory is gone: what was persisted is restored, and the log between the redo point and the last commit redone.
    func crash() throws {
        engine = Engine(plan: plan, keepsPreImages: true)
        engine.newerRowWins = copy != nil
        next = committed
        guard let redo = try redo?.withUnsafeBytes({ try RedoPoint(decoding: $0) }) else {
            (next, committed, cuts) = (0, 0, [])
            engine.mark(cut)
            return
        }
        try engine.restore(redo: redo)
        for (number, row) in rows.sorted(by: { $0.key < $1.key }) {
            try row.withUnsafeBytes {
                if random.next() % 3 == 0 {
                    try engine.restorePaged(user: number, row: $0)
                } else {
                    try engine.restore(user: number, row: $0)
                }
            }
        }
        let behind = Int(redo.positions[0] + redo.positions[1])
        for cut in cuts[Int(redo.cutsOffset)...] { engine.follow(cut) }
        next = behind
        while next < committed { _ = try step(recovering: true) }
        engine.stopFollowing()
        // The state of the last commit is where the next begins.
        engine.mark(cut)
    }

    /// Everybody's state by name, those paged out included.
    func people() throws -> [String: [UInt8]] {
        var people: [String: [UInt8]] = [:]
        engine.forEachUser { people[$0 + "/" + $1] = $2 }
        engine.forEachPage { number in
            let shown = rows[number]?.withUnsafeBytes { engine.canonical(row: $0) }
            if let shown = shown ?? nil { people[shown.tenant + "/" + shown.user] = shown.bytes }
        }
        try #require(people.count == engine.userCount)
        return people
    }
}
