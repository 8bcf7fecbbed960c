import Events

extension Timestamp {
    /// The index of the stretch of `length` milliseconds that the time lies in. Mostly it is `known`, which takes no division
    /// to see.
    @inline(__always) @inlinable
    func index(of length: Int64, known: Int64) -> Int64 {
        let since = milliseconds &- known &* length
        return since >= 0 && since < length ? known : milliseconds / length
    }
}

/// A hopping window of counts: the last `panes` panes of `hop` milliseconds each, in a ring of 16.
/// What reads it is always inlined: a function called with the window as a value copies all of it for every pane.
/// At most 16 panes; a pane saturates at 65,535.
public struct HoppingWindow {
    /// Index (time / hop) of the newest pane; 0 while empty.
    @usableFromInline var newest: Int64 = 0
    @usableFromInline var counts = InlineArray<16, UInt16>(repeating: 0)

    public init() {}

    /// Counts one event. A late one counts in its own pane while the window still holds it, else in the newest:
    /// events held back must not make a burst look smaller.
    /// - Complexity: O(panes passed), at most 16.
    @inlinable public mutating func add(at time: Timestamp, hop: Int64, panes: Int) {
        let pane = time.index(of: hop, known: newest)
        if pane > newest {
            // All at once: how many have passed is guessed wrong more often than not.
            let places = SIMD16<Int16>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
            let ages = (SIMD16(repeating: Int16(truncatingIfNeeded: pane & 15)) &- places) & 15
            // The sign of a pane's age less that many, spread over all bits, says whether it has passed.
            let passed = (ages &- SIMD16(repeating: Int16(truncatingIfNeeded: min(pane &- newest, 16)))) &>> 15
            let held = unsafeBitCast(counts, to: SIMD16<Int16>.self) & ~passed
            counts = unsafeBitCast(held, to: InlineArray<16, UInt16>.self)
            newest = pane
        }
        let held = pane > newest &- Int64(panes) ? pane : newest
        let slot = Int(held & 15)
        if counts[slot] < .max { counts[slot] += 1 }
    }

    /// Events in the panes that a window ending with `time`'s pane covers.
    /// - Complexity: O(panes), at most 16.
    @inline(__always)
    @inlinable public func count(at time: Timestamp, hop: Int64, panes: Int) -> Int {
        let passed = max(time.index(of: hop, known: newest) - newest, 0)
        let held = Int64(panes) - passed
        if held <= 0 { return 0 }
        return withUnsafeBytes(of: counts) { counts in
            var sum = 0
            for age in 0..<held {
                sum &+= Int(counts.load(fromByteOffset: Int((newest &- age) & 15) &* 2, as: UInt16.self))
            }
            return sum
        }
    }

    /// At least as many as any window has: those of all panes of the ring, passed or not.
    /// - Complexity: O(1)
    @inline(__always)
    @inlinable public var most: Int {
        let words = unsafeBitCast(counts, to: SIMD4<UInt64>.self)
        // Each word holds four counts: first two by two, then both halves.
        let low = SIMD4<UInt64>(repeating: 0x0000_FFFF_0000_FFFF)
        let sum = ((words & low) &+ (words &>> 16 & low)).wrappedSum()
        return Int(truncatingIfNeeded: (sum & 0xFFFF_FFFF) &+ sum >> 32)
    }
}

/// A tumbling window of one count. A late event does not reopen a closed window.
public struct TumblingWindow {
    /// Index (time / length) of the open window; 0 while none is.
    @usableFromInline var index: Int64 = 0
    @usableFromInline var count: UInt32 = 0

    public init() {}

    /// Counts one event and returns the count of the window that it closed, if it closed one with events in it.
    @inlinable public mutating func add(at time: Timestamp, length: Int64) -> UInt32? {
        let window = time.index(of: length, known: index)
        if window == index {
            if count < .max { count += 1 }
            return nil
        }
        if window < index { return nil }
        let closed = count
        index = window
        count = 1
        return closed > 0 ? closed : nil
    }
}

/// A session window: it lasts while events follow each other within a gap.
public struct SessionWindow {
    public private(set) var start: Timestamp
    public private(set) var last: Timestamp

    public init(at time: Timestamp) {
        start = time
        last = time
    }

    public func hasEnded(at time: Timestamp, gap: Int64) -> Bool { time - last > gap }

    /// Takes in an event of the session; a late one can't shorten it.
    public mutating func extend(to time: Timestamp) { last = max(last, time) }
}

/// A sliding window over the exact times of a bounded number of events, newest overwriting oldest.
/// The count is exact up to the capacity and says "at least" beyond it.
public struct SlidingWindow {
    public static let capacity = 16
    @usableFromInline var times = InlineArray<16, Int64>(repeating: .min)
    @usableFromInline var next: UInt32 = 0
    @usableFromInline var padding: UInt32 = 0

    public init() {}

    @inlinable public mutating func add(at time: Timestamp) {
        times[Int(next & 15)] = time.milliseconds
        next &+= 1
    }

    @inlinable public mutating func removeAll() { self = SlidingWindow() }

    /// Events in (time − length, time].
    @inline(__always)
    @inlinable public func count(at time: Timestamp, length: Int64) -> Int {
        var sum = 0
        for index in 0..<Self.capacity where times[index] > time.milliseconds - length && times[index] <= time.milliseconds {
            sum += 1
        }
        return sum
    }
}

/// Running mean and variance of a decayed stream (West 1979, with weights); of logarithms where it is fed logarithms.
public struct DecayedMoments {
    /// Decayed number of values.
    public var weight: Float = 0
    public var mean: Float = 0
    /// Decayed sum of squared deviations.
    public var squares: Float = 0

    public init() {}

    /// Takes in a value of a weight above 0. What is not finite changes nothing.
    @inlinable public mutating func add(_ value: Float, weight added: Float = 1) {
        guard value.isFinite && added > 0 && added.isFinite else { return }
        weight += added
        let delta = value - mean
        mean += delta * added / weight
        squares += added * delta * (value - mean)
    }

    /// Chan, Golub, LeVeque 1979.
    public mutating func merge(_ other: DecayedMoments, weight factor: Float) {
        let added = other.weight * factor
        guard added > 0 else { return }
        let total = weight + added
        let delta = other.mean - mean
        squares += other.squares * factor + delta * delta * weight * added / total
        mean += delta * added / total
        weight = total
    }

    @inlinable public mutating func decay(by factor: Float) {
        weight *= factor
        squares *= factor
    }

    /// 0 while fewer than two values were seen.
    @inlinable public var variance: Float { weight > 1 ? squares / (weight - 1) : 0 }
}
