import Events
import Runtime

/// Recognises the partitioner of each input from where its first keyed records lie, because inputs written with
/// different ones would split one user over two partitions.
///
/// Only a record that murmur2 and CRC32 place differently, or that neither explains, says anything. A verdict takes
/// `enough` records in its favour; against it, two records or one in twenty are forgiven, since a person may have
/// produced a few to a partition of his choice. A topic with one partition, or with few records, stays undecided,
/// which is no error: one partition splits nobody, and few records are watched until they are enough.
public struct PartitionerRecognizer: Sendable {
    /// Records in favour of a verdict, or in contradiction to every verdict, before it is spoken.
    public static let enough = 12
    /// Keyed records of a topic after which a decided one is watched no more.
    public static let watched = 2_000

    private struct Tally {
        var seen = 0
        var murmur2 = 0
        var crc32 = 0
        var neither = 0
        var verdict: Partitioner?
    }

    private let topics: [String]
    private let partitionCounts: [Int]
    private var tallies: [Tally]

    /// `topics` and `partitionCounts` belong together by position, the input's index.
    public init(topics: [String], partitionCounts: [Int]) {
        self.topics = topics
        self.partitionCounts = partitionCounts
        tallies = Array(repeating: Tally(), count: topics.count)
    }

    /// The partitioner of an input; nil while undecided.
    public func verdict(of input: Int) -> Partitioner? { tallies[input].verdict }

    /// Looks at one record. Records without a key, or with an empty one, which librdkafka spreads at random, say
    /// nothing.
    /// - Throws: `.stop` when the topic's records fit no one partitioner, or fit another than those of another topic.
    public mutating func observe(input: Int, partition: Int32, key: ByteView) throws(LogFailure) {
        let count = partitionCounts[input]
        if count < 2 || key.isEmpty { return }
        if tallies[input].seen >= Self.watched && tallies[input].verdict != nil { return }
        let byMurmur2 = Partitioner.murmur2.partition(of: key, count: count) == partition
        let byCRC32 = Partitioner.crc32.partition(of: key, count: count) == partition
        tallies[input].seen += 1
        switch (byMurmur2, byCRC32) {
        case (true, true): return
        case (true, false): tallies[input].murmur2 += 1
        case (false, true): tallies[input].crc32 += 1
        case (false, false): tallies[input].neither += 1
        }
        try judge(input)
    }

    private mutating func judge(_ input: Int) throws(LogFailure) {
        let tally = tallies[input]
        let best = max(tally.murmur2, tally.crc32)
        let against = tally.murmur2 + tally.crc32 + tally.neither - best
        if against <= max(2, best / 20) {
            guard best >= Self.enough else { return }
            tallies[input].verdict = tally.murmur2 > tally.crc32 ? .murmur2 : .crc32
            try compare(input)
        } else if best + against >= Self.enough {
            throw .stop(
                "topic \(topics[input]): of \(best + against) keyed records \(tally.murmur2) lie where murmur2 puts "
                    + "them, \(tally.crc32) where CRC32 does, \(tally.neither) where neither does: its producers do "
                    + "not agree on a partitioner, so one user's events are spread over partitions. \(Self.remedy)")
        }
    }

    private func compare(_ input: Int) throws(LogFailure) {
        guard let mine = tallies[input].verdict else { return }
        for other in topics.indices {
            guard let theirs = tallies[other].verdict, theirs != mine else { continue }
            throw .stop(
                "topic \(topics[input]) is partitioned by \(mine.text) and topic \(topics[other]) by \(theirs.text), "
                    + "so one user's events lie on different partitions. \(Self.remedy)")
        }
    }

    private static let remedy =
        "Use one partitioner for all producers of all inputs: librdkafka clients such as kcat match Java with "
        + "`partitioner=murmur2_random`. Records already written stay where they are: start with new topics, or a new "
        + "group past them"
}
