import Testing

@testable import Runtime

/// Where a partition begins, case by case. One input unless said otherwise; the log holds 10 to 100.
@Suite struct TaskStartTests {
    func start(
        _ checkpoint: [Int64]?, _ committed: [Int64?], bounds: [(first: Int64, end: Int64)] = [(10, 100)]
    ) -> TaskStart {
        TaskStart(checkpoint: checkpoint, committed: committed, bounds: bounds, topics: ["logins", "actions"])
    }

    @Test func nothingKnownStartsAtTheFirstRecord() {
        let s = start(nil, [nil])
        #expect(s.from == [10] && s.acknowledged == [10] && !s.usesCheckpoint && s.remarks.isEmpty)
    }

    @Test func committedWithoutCheckpointStartsEmptyAndSaysSo() {
        let s = start(nil, [50])
        #expect(s.from == [50] && s.acknowledged == [50] && s.remarks.count == 1)
    }

    @Test func checkpointWithoutCommitStartsThereLive() {
        let s = start([40], [nil])
        #expect(s.from == [40] && s.acknowledged == [40] && s.usesCheckpoint && s.remarks.isEmpty)
    }

    @Test func redoRunsFromTheCheckpointToTheCommit() {
        let s = start([40], [50])
        #expect(s.from == [40] && s.acknowledged == [50] && s.usesCheckpoint)
    }

    @Test func checkpointAheadOfTheCommitIsNotUsed() {
        let s = start([60], [50])
        #expect(s.from == [50] && !s.usesCheckpoint && s.remarks.count == 2)
    }

    @Test func checkpointAheadOfTheLogIsNotUsed() {
        let s = start([101], [nil])
        #expect(s.from == [10] && !s.usesCheckpoint && s.remarks.count == 1)
    }

    @Test func commitBeyondTheLogIsIgnored() {
        let s = start([40], [200])
        #expect(s.from == [40] && s.acknowledged == [40] && s.usesCheckpoint && s.remarks.count == 1)
    }

    @Test func recordsThatAreGoneAreNamed() {
        let s = start([5], [50])
        #expect(s.from == [10] && s.acknowledged == [50] && s.remarks == ["logins: offsets 5 to 9 are gone from the log; starting after them"])
    }

    @Test func recordsThatAreGoneUndecidedAreCounted() {
        let s = start([5], [7])
        #expect(s.from == [10] && s.acknowledged == [10] && s.usesCheckpoint && s.remarks.count == 2)
        #expect(s.remarks.last?.hasPrefix("logins: 3 offsets from 7 on were never decided") == true)
    }

    @Test func inputsAreDecidedTogether() {
        let s = start([40, 7], [50, 3], bounds: [(10, 100), (0, 100)])
        #expect(s.from == [50, 3] && !s.usesCheckpoint)
    }
}
