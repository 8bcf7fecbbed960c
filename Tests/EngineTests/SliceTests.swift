import Behavior
import Events
import Testing

@testable import Engine

@Suite struct SliceTests {
    static func cut(_ commit: Int64) -> CutMark {
        CutMark(positions: [commit], cutsOffset: commit * 10, milliseconds: commit * 1000)
    }

    /// One user becomes dirty in each commit's interval: a0 after cut 0, a1 after cut 1, …; a0 has an event in each.
    static func story(commits: Int64) -> Story {
        let story = Story()
        for commit in 0..<commits {
            story.engine.mark(cut(commit))
            for user in ["a\(commit)", "a0"] {
                story.user = user
                story.login()
            }
        }
        return story
    }

    @Test func theLongestDirtyComeFirstAndRedoBeginsAtWhoIsLeft() {
        let engine = Self.story(commits: 5).engine
        let now = Self.cut(5)
        #expect(engine.dirtyCount == 5)
        #expect(engine.oldestMark == Self.cut(0))
        #expect(engine.slice(at: now, dirtyBefore: -1, maxBytes: .max).isEmpty, "nobody is due")
        let due = engine.slice(at: now, dirtyBefore: 2000, maxBytes: .max)
        #expect(due.numbers == [0, 1, 2])
        #expect((due.redo.positions, due.redo.cutsOffset) == ([3], 30))
        let one = engine.slice(at: now, dirtyBefore: .max, maxBytes: 0)
        #expect(one.numbers == [0], "at least one")
        #expect(one.redo.positions == [1])
        #expect(one.bytes > 0 && due.bytes > one.bytes)
        let all = engine.slice(at: now, dirtyBefore: .max, maxBytes: .max)
        #expect(all.numbers == [0, 1, 2, 3, 4])
        #expect(all.redo.positions == now.positions && all.redo.shared == engine.sharedImage())
        #expect(engine.dirtyCount == 5, "a slice changes nothing")

        engine.mark(now)
        engine.complete(due)
        #expect(engine.dirtyCount == 2)
        #expect(engine.oldestMark == Self.cut(3))
        engine.complete(engine.slice(at: now, dirtyBefore: .max, maxBytes: .max))
        #expect(engine.dirtyCount == 0 && engine.oldestMark == nil)
    }

    @Test func whoIsDirtyAgainBelongsToTheCutOfThatTime() {
        let story = Self.story(commits: 3)
        let engine = story.engine
        let slice = engine.slice(at: Self.cut(3), dirtyBefore: 0, maxBytes: .max)
        engine.mark(Self.cut(3))
        engine.complete(slice)
        for commit in 4..<9 as Range<Int64> { engine.mark(Self.cut(commit)) }
        story.login()
        #expect(engine.dirtyCount == 3)
        #expect(engine.marks.count <= 4, "cuts to which nobody belongs are dropped")
        engine.complete(engine.slice(at: Self.cut(9), dirtyBefore: 3000, maxBytes: .max))
        #expect(engine.oldestMark == Self.cut(8))
    }

    @Test func redoOfACopyThatIsBehindStays() throws {
        let story = Self.story(commits: 3)
        let engine = story.engine
        for commit in 3..<8 as Range<Int64> {
            let slice = engine.slice(at: Self.cut(commit), dirtyBefore: .max, maxBytes: .max)
            engine.mark(Self.cut(commit))
            engine.complete(slice, keepsRedo: true)
            #expect(engine.firstRedo?.positions == [0])
            #expect(engine.marks.count <= 3, "what lies between is nobody's")
            story.login()
            #expect(engine.slice(at: Self.cut(99), dirtyBefore: .max, maxBytes: 0).redo.positions == [99], "others begin later")
            #expect(engine.oldestMark == Self.cut(commit), "whoever is dirty is so since then")
        }
        engine.dropPassed()
        #expect(engine.firstRedo?.positions == [7])
        engine.complete(engine.slice(at: Self.cut(8), dirtyBefore: .max, maxBytes: .max))
        #expect(engine.firstRedo?.positions == [7])
    }

    @Test func rowsAreShownAsTheyAreAndWithoutWhatOnlyMemoryKnows() throws {
        let story = Self.story(commits: 2)
        let engine = story.engine
        let slice = engine.slice(at: Self.cut(2), dirtyBefore: .max, maxBytes: .max)
        var numbers: [UInt32] = []
        try engine.forEach(in: slice) { number, row in
            numbers.append(number)
            let row = try #require(row)
            let copy = Engine(plan: engine.plan)
            try copy.restore(user: number, row: row)
            #expect(copy.dirtyCount == 0)
            var states: [[UInt8]] = []
            for each in [engine, copy] { each.forEachUser { if $1 == "a\(number)" { states.append($2) } } }
            #expect(states.count == 2 && states[0] == states[1])
            #expect(try #require(engine.canonical(row: row)).bytes == states[0])
        }
        #expect(numbers == slice.numbers)
        #expect(engine.withRow(number: 99) { $0 == nil })
    }

    @Test func everybodyIsWrittenAgainWhereTheCopyIsLost() {
        let story = Story()
        let engine = Engine(plan: story.engine.plan, keepsPreImages: true)
        let lines = PropertyTests.stream(3, count: 300)
        engine.mark(Self.cut(0))
        func step(_ range: Range<Int>) {
            var effects = Effects()
            for place in range {
                lines[place].bytes.withUnsafeBufferPointer {
                    let value = ByteView(base: $0.baseAddress, count: $0.count)
                    _ = engine.step(
                        Record(input: 0, partition: 0, offset: Int64(place), timestamp: nil, key: .absent, value: value),
                        into: &effects)
                }
            }
        }
        step(0..<150)
        engine.mark(Self.cut(1))
        engine.markClean()
        let users = engine.userCount
        step(150..<200)
        engine.markAllDirty()
        #expect(engine.dirtyCount >= users)
        engine.undo()
        #expect(engine.dirtyCount == users && engine.userCount == users, "an abort doesn't take that back")
        var shown = 0
        engine.forEachDirty { _, row in shown += row == nil ? 0 : 1 }
        #expect(shown == users)
    }
}
