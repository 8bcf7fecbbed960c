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

            --half actions has logins, sessions of actions and whole scenarios; logins has logins alone, by the marginals \
            of the RBA data set; commands has sequences of commands in the form of Schonlau's.
            """)

    @Option(help: ArgumentHelp("What to make: actions, logins or commands.", valueName: "half"))
    var half = TrafficHalf.actions

    @Option(help: "About how many events. Sets the number of users too, unless that is given.")
    var events: Int?

    @Option(help: "Accounts. Of logins and commands, `--set` has what there is.")
    var users: Int?

    @Option(help: "Length of the stream in days of event time.")
    var days: Int?

    @Option(help: "Whatever is random follows from it.")
    var seed: UInt64 = 1

    @Option(help: "Share of the stream, at its end, that has attacks; 0 for none.")
    var attackShare: Double?

    @Option(help: "Tenant of every event; empty for none.")
    var tenant: String?

    @Option(help: ArgumentHelp("Set any parameter; --settings lists them.", valueName: "name=value"))
    var set: [String] = []

    @Flag(help: "List the parameters of this half with their values, and stop.")
    var settings = false

    @Flag(help: "Make the stream and print its marginals beside their targets instead.")
    var report = false

    @Flag(help: "Is the login half as hard as real logins? Exit 1 when it is not.")
    var check = false

    @Option(help: "Of --settings, --report and --check: text or json.")
    var format = OutputFormat.text

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
        if check, half != .logins { throw ValidationError("--check is for --half logins") }
        if report, half == .commands { throw ValidationError("--report is for --half actions and --half logins") }
        if attackShare != nil, half != .actions { throw ValidationError("--attack-share is for --half actions") }
        if users != nil, half == .logins { throw ValidationError("logins set their number of users by --events") }
        if days != nil, half == .commands { throw ValidationError("commands come a block a day: --set test_blocks=…") }
        if events != nil, half == .commands { throw ValidationError("commands have users and blocks: --set users=…") }
        _ = try stream
    }

    /// What is asked for, with everything that was set.
    private var stream: TrafficStream {
        get throws {
            switch half {
            case .actions: return .actions(try applied(actionOptions))
            case .logins:
                var options = LoginOptions()
                options.seed = seed
                if let events { options.rows = events }
                if let days { options.days = days }
                if let tenant { options.tenant = tenant.isEmpty ? nil : tenant }
                return .logins(try applied(options))
            case .commands:
                var options = CommandOptions()
                options.seed = seed
                if let users { options.users = users }
                if let tenant { options.tenant = tenant.isEmpty ? nil : tenant }
                return .commands(try applied(options))
            }
        }
    }

    private var actionOptions: TrafficOptions {
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

    private func applied<Options: Settable>(_ options: Options) throws -> Options {
        var options = options
        for assignment in set {
            do {
                try options.set(assignment)
            } catch {
                throw ValidationError("--set \(error)")
            }
        }
        return options
    }

    func run() throws {
        let stream = try stream
        if settings { return list(stream) }
        if report { return GenerateReport(format: format).marginals(of: stream) }
        if check, case .logins(let options) = stream {
            guard GenerateReport(format: format).check(options) else { throw Exit.findings }
            return
        }
        switch stream {
        case .actions(let options): try deliver(TrafficGenerator(options))
        case .logins(let options): try deliver(LoginTraffic(options))
        case .commands(let options): try deliver(CommandTraffic(options: options))
        }
    }

    private func deliver(_ traffic: some Traffic) throws {
        if let bootstrapServer {
            try produce(traffic, to: bootstrapServer)
        } else {
            try write(traffic)
        }
    }

    private func list(_ stream: TrafficStream) {
        let report = GenerateReport(format: format)
        switch stream {
        case .actions(let options): report.settings(of: options)
        case .logins(let options): report.settings(of: options)
        case .commands(let options): report.settings(of: options)
        }
    }

    private func write(_ source: some Traffic) throws {
        var traffic = source
        let descriptor = output == "-" ? STDOUT_FILENO : open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(Exit.io, "\(output): \(String(cString: strerror(errno)))") }
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

    private func produce(_ source: some Traffic, to brokers: String) throws {
        var traffic = source
        let stop = StopRequest()
        let signals = SignalWatch(stop)
        defer { withExtendedLifetime(signals) {} }
        let clock = SystemClock()
        let begin = clock.milliseconds
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

/// What `vigil generate` can make.
enum TrafficHalf: String, ExpressibleByArgument, CaseIterable {
    case actions, logins, commands
}

/// What is asked for.
enum TrafficStream {
    case actions(TrafficOptions)
    case logins(LoginOptions)
    case commands(CommandOptions)
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
