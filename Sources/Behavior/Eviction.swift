/// Users who gave way at a bound, in the form in which the log keeps it. Redo can't find out by itself who was coldest:
/// it starts from rows of different cuts.
public struct Eviction: Sendable, Equatable {
    /// The engine's count of records when it happened.
    public var sequence: UInt64
    /// The kind that gave way: users who have proven themselves, or names that never did.
    public var proven: Bool
    /// All of that kind gave way who had their last record at or before this count.
    public var touchedUpTo: UInt64
    /// Counts of the last records of the newest among them, ascending. Redo may meet such a user's records after the removal
    /// was persisted, makes a row of a few of them, and can't know its kind. From where redo will begin is not known yet:
    /// where the state topic was lost, it is long before the redo point of today.
    public var recent: [UInt64]

    /// A cut must fit into a record.
    static let mostRecent = 1 << 16

    public init(sequence: UInt64, proven: Bool, touchedUpTo: UInt64, recent: [UInt64] = []) {
        self.sequence = sequence
        self.proven = proven
        self.touchedUpTo = touchedUpTo
        self.recent = recent
    }

    /// - Complexity: O(log *n*)
    func hasRecent(_ touched: UInt64) -> Bool {
        var (low, high) = (0, recent.count)
        while low < high {
            let middle = low + (high - low) / 2
            if recent[middle] < touched { low = middle + 1 } else { high = middle }
        }
        return low < recent.count && recent[low] == touched
    }
}

/// A user as a candidate to give way.
struct Candidate {
    /// The count of records at the user's last one: least is coldest, and no two users share one.
    var touched: UInt64
    var number: UInt32
    var weight: UInt32

    /// Moves the coldest to the front, as few as weigh `need` together (all, if they don't), and returns how many that is.
    /// - Complexity: O(*n*) expected (Hoare's quickselect, weighted)
    static func selectColdest(_ all: inout [Candidate], weighing need: Int) -> Int {
        var (low, high, need) = (0, all.count, need)
        while need > 0 && low < high {
            let (split, weight) = high - low > 16 ? partition(&all, low..<high) : (high, 0)
            if split == high {
                all[low..<high].sort { $0.touched < $1.touched }
                while need > 0 && low < high {
                    need -= Int(all[low].weight)
                    low += 1
                }
            } else if weight >= need {
                high = split
            } else {
                need -= weight
                low = split
            }
        }
        return low
    }

    /// Moves those up to the median of three to the front; returns where they end and what they weigh.
    private static func partition(_ all: inout [Candidate], _ range: Range<Int>) -> (split: Int, weight: Int) {
        let three = [range.lowerBound, range.lowerBound + range.count / 2, range.upperBound - 1].map { all[$0].touched }
        let pivot = three.sorted()[1]
        var (split, weight) = (range.lowerBound, 0)
        for index in range where all[index].touched <= pivot {
            weight += Int(all[index].weight)
            all.swapAt(split, index)
            split += 1
        }
        return (split, weight)
    }
}
