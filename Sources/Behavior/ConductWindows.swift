import Events

/// How many different things there were in a tumbling window. A late event does not reopen a closed one.
public struct BreadthWindow {
    /// Index (time / length) of the open window; 0 while none is.
    var index: Int64 = 0
    var distinct = HyperLogLog64()
    /// The sketch's estimate, kept because it changes far more seldom than it is asked for.
    public internal(set) var count: Float = 0
    /// Something in the open window spoke against its being the user's.
    var isDoubtful: UInt32 = 0

    public init() {}

    /// Takes in the hash of a thing, and returns how many different ones the window had that it closed; nil where it closed
    /// none, or a doubtful one. `counted` is what `count(with:)` said of the same thing just before, or NaN.
    /// - Complexity: O(1)
    public mutating func add(
        hash: UInt64, at time: Timestamp, length: Int64, isDoubtful doubt: Bool, counted: Float = .nan
    ) -> Float? {
        let window = time.index(of: length, known: index)
        guard window >= index else { return nil }
        var closed: Float?
        let closes = window > index
        if closes {
            if count > 0 && isDoubtful == 0 { closed = count }
            (index, count, isDoubtful) = (window, 0, 0)
            distinct = HyperLogLog64()
        }
        if distinct.add(hash: hash) { count = closes || counted.isNaN ? distinct.estimate : counted }
        if doubt { isDoubtful = 1 }
        return closed
    }

    /// How many there are in the window of `time`.
    public func count(at time: Timestamp, length: Int64) -> Float { time.index(of: length, known: index) == index ? count : 0 }

    /// How many there are with this thing, in the window of `time`.
    public func count(with hash: UInt64, at time: Timestamp, length: Int64) -> Float {
        guard time.index(of: length, known: index) == index else { return 1 }
        var view = distinct
        return view.add(hash: hash) ? max(view.estimate, count) : count
    }
}

/// A tumbling window of one count that can tell whose count it is. A late event does not reopen a closed one.
public struct TalliedWindow {
    /// Index (time / length) of the open window; 0 while none is.
    var index: Int64 = 0
    var count: UInt32 = 0
    /// Something in the open window spoke against its being the user's.
    var isDoubtful: UInt32 = 0

    public init() {}

    /// Counts one, and returns the count of the window that it closed; nil where it closed none, or a doubtful one.
    public mutating func add(at time: Timestamp, length: Int64, isDoubtful doubt: Bool) -> UInt32? {
        let window = time.index(of: length, known: index)
        guard window >= index else { return nil }
        var closed: UInt32?
        if window > index {
            if count > 0 && isDoubtful == 0 { closed = count }
            (index, count, isDoubtful) = (window, 0, 0)
        }
        if count < .max { count += 1 }
        if doubt { isDoubtful = 1 }
        return closed
    }

    /// How many there are in the window of `time`.
    public func count(at time: Timestamp, length: Int64) -> Int {
        time.index(of: length, known: index) == index ? Int(count) : 0
    }
}
