import Dispatch
import Events
import Foundation
import Kafka
import Logging
import PipelineSpec
import Runtime
import StateStore
import Synchronization

/// A process's repartitioner on a thread of its own: lays the records of sources with `repartition: true` out by user.
final class Repartitioning: Sendable {
    struct Status {
        /// Records written since the start.
        var records: UInt64 = 0
        /// It has partitions to read; another process may have them all.
        var isReading = false
    }
    private let current = Mutex(Status())
    private let failed = Mutex<String?>(nil)
    private let done = DispatchGroup()

    var status: Status { current.withLock { $0 } }

    /// Ends with `stop`, and requests it when it can't go on: without its records the shards would only seem to work.
    init(_ pipeline: Pipeline, transactionalID: String?, stop: StopRequest, logger: Logger) {
        done.enter()
        let thread = Thread { [self] in
            do throws(LogFailure) {
                let worker = try Repartitioner(
                    properties: pipeline.kafka, sources: pipeline.repartitions.map(\.source), group: pipeline.group,
                    instance: pipeline.instance.map { "\($0)-repartition" }, transactionalID: transactionalID,
                    queueBytes: max(1 << 20, pipeline.delivery.queueBytes / 4), logger: logger,
                    subject: pipeline.repartitionSubject())
                try worker.run(until: stop) { worker in
                    current.withLock { $0 = Status(records: worker.forwarded, isReading: worker.isReading) }
                }
            } catch {
                failed.withLock { $0 = error.description }
                stop.request()
            }
            done.leave()
        }
        thread.name = "repartition"
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Waits until it has ended. Returns why it could not go on, nil when it was stopped.
    func wait() -> String? {
        done.wait()
        return failed.withLock { $0 }
    }
}

extension Pipeline {
    /// Starts repartitioning; nil where no source needs it.
    func startRepartitioning(directory: StateDirectory?, stop: StopRequest, logger: Logger) -> Repartitioning? {
        if repartitions.isEmpty { return nil }
        let isExact = delivery.mode == .exactlyOnce
        return Repartitioning(
            self, transactionalID: isExact ? "\(transactionalName(directory))-repartition" : nil, stop: stop, logger: logger)
    }

    /// Finds who a source's record is about by decoding it, as the engine will: for records that may have no key. One
    /// thread uses it.
    func repartitionSubject() -> Repartitioner.Subject {
        let inputs = repartitions.map { repartition in
            var decode = plan.inputs[repartition.input].decode
            decode.requiresKey = false
            return (decoder: EventDecoder(bounds: decode.bounds), plan: DecodePlan(decode))
        }
        var event = Event()
        return { record in
            let input = inputs[Int(record.input)]
            switch input.decoder.decode(record, options: input.plan, into: &event) {
            case .ignored: return nil
            case .event, .rejected: return event.user.isPresent ? (event.tenant, event.user) : nil
            }
        }
    }
}
