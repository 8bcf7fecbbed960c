import ArgumentParser
import Events
import Glibc
import Kafka
import Lab
import Logging
import Runtime

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Labelled synthetic traffic, seeded: the same options, the same bytes.",
        discussion: """
            Users with habits, what is odd about them and yet benign, and attacks. `label` says which event is what; the \
            engine ignores it. NDJSON, or records keyed by user on the topics of their types with --bootstrap-server.
            """)

    @Option(help: "About how many events. Sets the number of users too, unless that is given.")
    var events: Int?

    @Option(help: "Accounts.")
    var users: Int?

    @Option(help: "Length of the stream in days of event time.")
    var days: Int?

    @Option(help: "Whatever is random follows from it.")
    var seed: UInt64 = 1

    @Option(help: "Share of the stream, at its end, that has attacks; 0 for none.")
    var attackShare: Double?

    @Option(help: "Tenant of every event; empty for none.")
    var tenant: String?

    @Option(help: ArgumentHelp("File to write; - for standard output.", valueName: "file"))
    var output = "-"

    @Flag(help: "Write `user<TAB>event` lines, as `kcat -K '\\t'` reads them.")
    var keyed = false

    @Option(help: ArgumentHelp("Produce to these brokers instead: topics logins, actions, challenges.", valueName: "host:port"))
    var bootstrapServer: String?

    @Option(help: "With --bootstrap-server: put them all on this topic.")
    var topic: String?

    @Option(help: "With --bootstrap-server: most events a second.")
    var rate: Int?

    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        if let events, events < 1 { throw ValidationError("--events is at least 1") }
        if let users, !(1...4_000_000).contains(users) { throw ValidationError("--users is from 1 to 4000000") }
        if let days, !(1...3_650).contains(days) { throw ValidationError("--days is from 1 to 3650") }
        if let attackShare, !(0...1).contains(attackShare) { throw ValidationError("--attack-share is from 0 to 1") }
        if let rate, rate < 1 { throw ValidationError("--rate is at least 1") }
        if rate != nil || topic != nil, bootstrapServer == nil {
            throw ValidationError("--rate and --topic are for --bootstrap-server")
        }
    }

    private var options: TrafficOptions {
        var options = events.map { TrafficOptions.sized(events: $0, seed: seed) } ?? TrafficOptions()
        options.seed = seed
        if let users { options.users = users }
        if let days { options.days = days }
        if let tenant { options.tenant = tenant.isEmpty ? nil : tenant }
        if let attackShare {
            options.attackShare = attackShare
            if attackShare == 0 { options.attacks = .none }
        }
        return options
    }

    func run() throws {
        if let bootstrapServer {
            try produce(to: bootstrapServer)
        } else {
            try write()
        }
    }

    private func write() throws {
        let descriptor = output == "-" ? STDOUT_FILENO : open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(Exit.io, "\(output): \(String(cString: strerror(errno)))") }
        var traffic = TrafficGenerator(options)
        var event = OutputBuffer(capacity: 4096)
        var lines = OutputBuffer(capacity: 256 * 1024)
        var isWritten = true
        while isWritten {
            event.removeAll()
            let next = traffic.next(into: &event)
            if let next {
                if keyed {
                    lines.append(event.view(next.key))
                    lines.append(UInt8(ascii: "\t"))
                }
                lines.append(event.view(next.value))
                lines.append(10)
                if lines.count < 192 * 1024 { continue }
            }
            isWritten = Output.write(UnsafeRawBufferPointer(lines.view(from: 0).bytes), to: descriptor)
            lines.removeAll()
            if next == nil { break }
        }
        guard isWritten, output == "-" || close(descriptor) == 0 else {
            throw failure(Exit.io, "\(output): can't write: \(String(cString: strerror(errno)))")
        }
    }

    private func produce(to brokers: String) throws {
        let stop = StopRequest()
        let signals = SignalWatch(stop)
        defer { withExtendedLifetime(signals) {} }
        let clock = SystemClock()
        let begin = clock.milliseconds
        var traffic = TrafficGenerator(options)
        var buffer = OutputBuffer(capacity: 4096)
        var count = 0
        do {
            let feeder = try KafkaFeeder(
                properties: ["bootstrap.servers": brokers], logger: logging.makeLogger(least: .warning))
            defer { feeder.close() }
            while !stop.isRequested, let event = traffic.next(into: &buffer) {
                if let rate {
                    let due = begin + Int64(count) * 1000 / Int64(rate)
                    guard wait(milliseconds: Int(due - clock.milliseconds), unless: stop) else { break }
                }
                try feeder.produce(
                    topic: topic ?? event.topic, key: buffer.view(event.key), value: buffer.view(event.value))
                count += 1
                buffer.removeAll()
            }
            guard try feeder.flush(timeoutMilliseconds: 30_000) else {
                throw failure(Exit.unavailable, "\(brokers): \(feeder.waiting) of \(count) events were not acknowledged")
            }
        } catch let error as LogFailure {
            throw failure(error, stop: Exit.unavailable)
        }
        Output.error("\(count) events produced")
    }
}

extension GeneratedEvent {
    /// The default topic of its type.
    var topic: String {
        switch type {
        case .login: "logins"
        case .action: "actions"
        case .challenge: "challenges"
        case .feedback, .erasure: "feedback"
        }
    }
}
