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

    // MARK: With what Vigil recorded itself

    func start(
        checkpoint: [Int64]?, recorded: [Int64], isExact: Bool = true, accepts: Bool = false, committed: [Int64?],
        bounds: [(first: Int64, end: Int64)] = [(0, 100), (0, 100)]
    ) -> TaskStart {
        TaskStart(
            checkpoint: checkpoint, recorded: recorded, isExact: isExact, acceptsOffsets: accepts, committed: committed,
            bounds: bounds, topics: ["logins", "actions"])
    }

    @Test func recordedAndCommittedAgree() {
        let start = start(checkpoint: [10, 20], recorded: [15, 30], committed: [15, 30])
        #expect(start.from == [10, 20])
        #expect(start.acknowledged == [15, 30])
        #expect(start.refusal == nil)
        #expect(start.remarks == [])
    }

    @Test func expiredOffsetsAreMadeUpFor() {
        let start = start(checkpoint: [10, 20], recorded: [15, 0], committed: [nil, nil])
        #expect(start.acknowledged == [15, 20])
        #expect(start.refusal == nil)
        #expect(start.remarks.count == 1)
        #expect(start.remarks.first?.contains("logins: the committed offset has expired") == true)
    }

    @Test(arguments: [[12, 30], [40, 30], [15, 31]] as [[Int64]]) func movedOffsetsAreRefused(committed: [Int64]) {
        let start = start(checkpoint: [10, 20], recorded: [15, 30], committed: committed)
        #expect(start.refusal?.contains("--accept-offsets") == true)
    }

    @Test func movedOffsetsAreAcceptedWhenAsked() {
        let start = start(checkpoint: [10, 20], recorded: [15, 30], accepts: true, committed: [40, 5])
        #expect(start.refusal == nil)
        #expect(start.from == [10, 20])
        #expect(start.acknowledged == [15, 30])
        #expect(start.moved == [40, 5])
    }

    @Test func aTopicMadeAnewIsRefused() {
        let bounds: [(first: Int64, end: Int64)] = [(0, 3), (0, 100)]
        let refused = start(checkpoint: [10, 20], recorded: [15, 30], committed: [15, 30], bounds: bounds)
        #expect(refused.refusal?.contains("the log ends at 3") == true)
        let accepted = start(checkpoint: [10, 20], recorded: [15, 30], accepts: true, committed: [15, 30], bounds: bounds)
        #expect(accepted.moved == [3, 30])
        #expect(accepted.from == [3, 30] && accepted.acknowledged == [3, 30], "nothing that is gone is waited for")
    }

    /// Without transactions a cut may be written and its offsets not yet committed, or the other way round.
    @Test func committedPlainlyMayBeOnEitherSideOfTheCuts() {
        let behind = start(checkpoint: [10, 20], recorded: [15, 30], isExact: false, committed: [12, 25])
        #expect(behind.refusal == nil)
        #expect(behind.acknowledged == [12, 25])
        let ahead = start(checkpoint: [10, 20], recorded: [15, 30], isExact: false, committed: [18, 30])
        #expect(ahead.refusal == nil)
        #expect(ahead.acknowledged == [18, 30])
        #expect(start(checkpoint: [10, 20], recorded: [15, 30], isExact: false, committed: [5, 30]).refusal != nil)
        #expect(start(checkpoint: [10, 20], recorded: [15, 30], isExact: false, committed: [nil, nil]).acknowledged == [10, 20])
    }
}
