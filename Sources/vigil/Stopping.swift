import Dispatch
import Glibc
import Runtime
import Synchronization

/// Asks for the pipeline file to be read again; may be set from any thread.
final class ReloadRequest: Sendable {
    private let requested = Atomic<Bool>(false)
    func request() { requested.store(true, ordering: .releasing) }
    /// Whether it was asked for since the last call.
    func take() -> Bool { requested.exchange(false, ordering: .acquiringAndReleasing) }
}

/// Turns SIGTERM and SIGINT into a request to stop, the second of which ends the process at once; and SIGHUP into one to
/// reload, where somebody heeds it.
final class SignalWatch {
    private var sources: [any DispatchSourceSignal] = []

    init(_ stop: StopRequest, reload: ReloadRequest? = nil) {
        let queue = DispatchQueue(label: "signals")
        for number in [SIGTERM, SIGINT] {
            watch(number, on: queue) {
                if stop.isRequested { _exit(128 + number) }
                stop.request()
            }
        }
        if let reload { watch(SIGHUP, on: queue) { reload.request() } }
    }

    private func watch(_ number: Int32, on queue: DispatchQueue, _ act: @escaping @Sendable () -> Void) {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler(handler: act)
        source.resume()
        sources.append(source)
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
