import Glibc

/// The clock that intervals are measured by, never event time. A seam, so that tests own time.
public protocol RuntimeClock: Sendable {
    /// Milliseconds since some fixed moment; never goes back.
    var milliseconds: Int64 { get }
    /// Milliseconds since 1970: only to tell how old a file is.
    var wallMilliseconds: Int64 { get }
    /// Lets that much time pass.
    func wait(milliseconds: Int)
}

/// The machine's monotonic clock.
public struct SystemClock: RuntimeClock {
    public init() {}

    public var milliseconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }

    public var wallMilliseconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }

    public func wait(milliseconds: Int) {
        var time = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        nanosleep(&time, nil)
    }
}
