import Behavior
import Events
import Policy
import Testing

@testable import Engine

/// Another plan for an engine at work, and what marks keep meanwhile.
@Suite struct AdoptionTests {
    typealias Line = PropertyTests.Stream.Line

    /// The same users under other rules and another model.
    static func changed(_ plan: EnginePlan) -> EnginePlan {
        var plan = plan
        plan.version = "sha256:changed"
        plan.fallback = .deny
        plan.windows.sessionGap /= 4
        plan.windows.allowedLateness /= 3
        plan.model.mediumScore /= 2
        if !plan.rules.isEmpty { plan.rules.removeFirst() }
        return plan
    }

    private func step(_ engine: Engine, _ lines: [Line], _ range: Range<Int>) -> [UInt8] {
        var effects = Effects()
        for place in range { _ = PropertyTests.step(engine, lines[place], at: place, into: &effects) }
        return Array(effects.bytes.view(from: 0).bytes)
    }

    private func users(_ engine: Engine) -> [String: [UInt8]] {
        var users: [String: [UInt8]] = [:]
        engine.forEachUser { users[$0 + "/" + $1] = $2 }
        return users
    }

    /// An engine that adopts a plan stands where one does that is restored under it.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func adoptingIsRestoring(seed: UInt64) throws {
        let lines = PropertyTests.stream(seed, count: 600)
        let plan = PropertyTests.plan(seed)
        let before = Engine(plan: plan, keepsPreImages: true)
        before.mark(SliceTests.cut(0))
        _ = step(before, lines, 0..<300)
        let slice = before.slice(at: SliceTests.cut(1), dirtyBefore: .max, maxBytes: .max)
        var rows: [UInt32: [UInt8]] = [:]
        before.forEach(in: slice) { number, row in rows[number] = row.map { Array($0) } }
        before.mark(SliceTests.cut(1))
        before.complete(slice)

        let next = Self.changed(plan)
        var redo = slice.redo
        redo.positions = plan.inputs.map { _ in 1 }
        let restored = Engine(plan: next, keepsPreImages: true)
        try restored.restore(redo: redo)
        for (number, row) in rows.sorted(by: { $0.key < $1.key }) {
            try row.withUnsafeBytes { try restored.restore(user: number, row: $0) }
        }
        let adopted = before.adopting(next, decoders: Decoders(plan: next))
        #expect(adopted.version == "sha256:changed " + Engine.version)
        #expect(adopted.dirtyCount == 0 && adopted.counters.events == before.counters.events)

        // What is decided under the new plan can be taken back, and is decided the same again.
        let first = step(adopted, lines, 300..<400)
        adopted.undo()
        #expect(step(adopted, lines, 300..<400) == first, "seed \(seed)")
        #expect(first == step(restored, lines, 300..<400), "seed \(seed)")
        adopted.mark(SliceTests.cut(2))
        #expect(step(adopted, lines, 400..<600) == step(restored, lines, 400..<600), "seed \(seed)")
        #expect(users(adopted) == users(restored), "seed \(seed)")
        #expect(adopted.sharedImage() == restored.sharedImage(), "seed \(seed)")
    }

    @Test func whatStateMeansCannotChange() {
        let plan = PropertyTests.plan(1)
        #expect(Self.changed(plan).canFollow(plan))
        let changes: [(inout EnginePlan) -> Void] = [
            { $0.name = "another" }, { $0.secret = [1] }, { $0.inputs = [] }, { $0.bounds.sessions += 1 },
            { $0.windows.pane += 1 }, { $0.windows.networks += 1 }, { $0.windows.rarity += 1 }, { $0.windows.rate += 1 },
            { $0.windows.rateHop += 1 }, { $0.model.breadthWindow += 1 },
            { $0.model.exportsWindow += 1 },
        ]
        for change in changes {
            var other = plan
            change(&other)
            #expect(!other.canFollow(plan))
        }
    }
}

/// What is kept so that marks can be returned to is bounded, whoever marks.
@Suite struct JournalTests {
    /// A pane of that number in which many have logged in.
    private func pane(_ index: Int64) -> SealedPane {
        SharedViewTests.pane(index, (1...200).map {
            SharedViewTests.login(UInt64($0 + Int(index)), prefix: UInt32($0), provider: UInt32($0 % 40 + 1), failed: $0 % 3 == 0)
        })
    }

    /// Its users do nothing, and others' panes are absorbed and committed: nobody is ever dirty.
    @Test func aPartitionThatOnlyAbsorbsKeepsNothing() throws {
        let story = Story()
        let engine = story.engine
        engine.mark(SliceTests.cut(0))
        story.login()
        engine.mark(SliceTests.cut(1))
        engine.markClean()
        let length = engine.plan.windows.pane
        let first = engine.watermark.milliseconds / length - 300
        var most = 0
        for round in 0..<200 as Range<Int64> {
            engine.absorb(pane(first + round), partition: 1, offset: round)
            engine.mark(SliceTests.cut(2 + round))
            most = max(most, engine.shared.journalBytes)
        }
        #expect(engine.marks.count == 1)
        #expect(engine.shared.journalBytes == 0 && most < 1 << 20, "\(most)")
    }

    /// Where events come from a file nobody returns to a mark, and what was restored changes nothing about that.
    @Test func whoNeverMarksKeepsNothing() throws {
        let plan = Story().engine.plan
        let teller = Engine(plan: plan)
        for round in 0..<20 as Range<Int64> { teller.shared.fold(pane(round + 1)) }
        let told = Population(plan: plan)
        let engine = Engine(plan: plan, population: told)
        engine.mark(SliceTests.cut(0))
        #expect(teller.shared.image().withUnsafeBytes { told.shared.restore($0) })
        for round in 20..<60 as Range<Int64> { told.shared.fold(pane(round + 1)) }
        #expect(told.shared.journalBytes == 0 && engine.marks.count == 1)
    }

    /// What a pane may say is what an image may hold, or a partition could not be restored any more.
    @Test func anAbsurdPaneIsRefusedAtOnce() throws {
        var words = pane(1).words
        for index in [Timestamp.latest.milliseconds, (1 << 42) - 1, .max, -1] as [Int64] {
            words[1] = UInt64(bitPattern: index)
            #expect(SealedPane(words: words) == nil, "\(index)")
        }
        words[1] = UInt64(Timestamp.latest.milliseconds - 1)
        let last = try #require(SealedPane(words: words))
        let story = Story()
        story.login()
        story.engine.absorb(last, partition: 1, offset: 0)
        let copy = Engine(plan: story.engine.plan)
        try story.engine.sharedImage().withUnsafeBytes { try copy.restore(shared: $0) }
        #expect(copy.toAbsorb == [0, 1])
    }
}
