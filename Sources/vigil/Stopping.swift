import Dispatch
import Glibc
import Runtime

/// Turns SIGTERM and SIGINT into a request to stop; the second one ends the process at once.
final class SignalWatch {
    private let sources: [any DispatchSourceSignal]

    init(_ stop: StopRequest) {
        let queue = DispatchQueue(label: "signals")
        sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                if stop.isRequested { _exit(128 + number) }
                stop.request()
            }
            source.resume()
            return source
        }
    }
}

/// Waits so long, or until a stop is requested; false when one was.
func wait(milliseconds: Int, unless stop: StopRequest) -> Bool {
    let clock = SystemClock()
    let until = clock.milliseconds + Int64(milliseconds)
    while !stop.isRequested {
        let rest = until - clock.milliseconds
        if rest <= 0 { return true }
        clock.wait(milliseconds: Int(min(rest, 50)))
    }
    return false
}
