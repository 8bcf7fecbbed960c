import Events
import Policy
import Risk

/// The circuit breaker of a partition: how many established users a window of event time had, how many of them were asked,
/// and when rules are passed over because those were too many.
///
/// Users are counted once a window, by what their rows remember; so a row that was persisted after the redo point has been
/// counted already and can't be again. Redo therefore doesn't count: an image says what the counts were when it was made,
/// and when the breaker opened between the redo point and then.
struct Breaker {
    /// From the record after that of `sequence` on, whatever happens between these times is relaxed.
    struct Opening: Equatable {
        var sequence: UInt64 = 0
        /// In milliseconds since 1970, `until` excluded.
        var from: Int64 = 0
        var until: Int64 = 0
    }
    struct Count: Equatable {
        /// Where the window begins, in seconds since 1970.
        var window: UInt32 = 0
        var users: UInt32 = 0
        var asked: UInt32 = 0
    }

    let share: Double
    let leastUsers: UInt32
    /// In seconds.
    let window: UInt32
    /// In milliseconds.
    let duration: Int64
    /// Rules that may be relaxed.
    let relaxed: ReportedRules

    private(set) var count = Count()
    /// What is in force.
    private(set) var opening = Opening()
    /// Those since the oldest mark, ascending, behind the one in force at it.
    private(set) var openings = [Opening()]
    /// Redo has not come to where the image was made.
    private(set) var isFollowing = false
    private var followedTo: UInt64 = 0
    private var followedCount = Count()

    init(_ options: BreakerOptions, relaxed: ReportedRules) {
        share = options.share
        leastUsers = UInt32(clamping: options.leastUsers)
        window = max(UInt32(clamping: options.window / 1000), 1)
        duration = options.duration
        self.relaxed = relaxed
    }

    @inline(__always)
    func isOpen(at time: Timestamp) -> Bool { time.milliseconds >= opening.from && time.milliseconds < opening.until }

    /// Where the window of that second begins.
    func start(of second: UInt32) -> UInt32 { second - second % window }

    /// Another user is there in the window that begins at `start`.
    mutating func add(userIn start: UInt32) {
        guard !isFollowing, start >= count.window else { return }
        if start > count.window { count = Count(window: start) }
        count.users &+= 1
    }

    /// Another of them was asked, or would have been. Returns whether that opens the breaker, which was closed.
    mutating func add(askedIn start: UInt32, at time: Timestamp, sequence: UInt64) -> Bool {
        guard !isFollowing, start == count.window else { return false }
        count.asked &+= 1
        guard count.users >= leastUsers, Double(count.asked) > share * Double(count.users) else { return false }
        let wasOpen = isOpen(at: time)
        // As long as it goes on it stays open; but not every user needs to say so.
        if wasOpen && opening.until - time.milliseconds > duration / 2 { return false }
        opening = Opening(
            sequence: sequence, from: wasOpen ? opening.from : time.milliseconds, until: time.milliseconds + duration)
        openings.append(opening)
        return !wasOpen
    }

    /// In redo, puts in force what was before the record of that sequence.
    mutating func follow(before sequence: UInt64) {
        guard isFollowing else { return }
        opening = openings.last { $0.sequence < sequence } ?? openings[0]
        guard sequence > followedTo else { return }
        isFollowing = false
        count = followedCount
    }

    /// No image of an earlier sequence will be asked for.
    mutating func forget(before sequence: UInt64) {
        if let last = openings.lastIndex(where: { $0.sequence <= sequence }) { openings.removeFirst(last) }
    }

    /// Goes on where another one stood, whatever its options were. What is open stays open for as long as it was opened.
    mutating func takeOver(_ other: Breaker) {
        (count, opening, openings) = (other.count, other.opening, other.openings)
        (isFollowing, followedTo, followedCount) = (other.isFollowing, other.followedTo, other.followedCount)
    }

    // MARK: - Image

    /// What redo from `sequence` on needs, where the engine stands at `now`: the openings, each as sequence, from and until,
    /// behind their number; then up to where they are followed, and what was counted by then.
    func image(from sequence: UInt64, now: UInt64) -> [Int64] {
        let first = openings.lastIndex { $0.sequence <= sequence } ?? 0
        let count = isFollowing ? followedCount : count
        var words = [Int64(openings.count - first)]
        for opening in openings[first...] { words += [Int64(bitPattern: opening.sequence), opening.from, opening.until] }
        return words + [
            Int64(bitPattern: isFollowing ? followedTo : now), Int64(count.window), Int64(count.users), Int64(count.asked),
        ]
    }

    /// Takes over what an image says; false where it can't be one.
    mutating func restore(openings: [Opening], followedTo: UInt64, count: Count, sequence: UInt64) -> Bool {
        guard !openings.isEmpty, openings.allSatisfy({ $0.from >= 0 && $0.from <= $0.until }),
            zip(openings, openings.dropFirst()).allSatisfy({ $0.sequence < $1.sequence })
        else { return false }
        self.openings = openings
        self.followedTo = followedTo
        followedCount = count
        isFollowing = true
        follow(before: sequence &+ 1)
        return true
    }
}
