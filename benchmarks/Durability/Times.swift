import Glibc

/// Seconds of the wall clock and of this thread's processor time.
struct Times {
    var wall = 0.0
    var processor = 0.0

    static func now() -> Times { Times(wall: read(CLOCK_MONOTONIC), processor: read(CLOCK_THREAD_CPUTIME_ID)) }

    private static func read(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    static func - (a: Times, b: Times) -> Times { Times(wall: a.wall - b.wall, processor: a.processor - b.processor) }
    static func += (a: inout Times, b: Times) {
        a.wall += b.wall
        a.processor += b.processor
    }
}
