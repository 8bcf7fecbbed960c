import ArgumentParser
import Kafka
import Logging
import Runtime

struct BrokerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker", abstract: "The embedded Kafka broker alone, for trying clients and tests.",
        discussion: "Prints its address and what it can't do, then serves until SIGTERM or Ctrl-C.")

    @Option(help: "Port of 127.0.0.1 to listen on; 0 for any free one.")
    var port: UInt16 = 0

    @Option(help: "Partitions of every topic.")
    var partitions = 6

    @Option(help: "Topics to make, separated by commas.")
    var topics = "logins,actions,challenges,feedback,decisions,dead-letters"

    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        guard (1...10_000).contains(partitions) else { throw ValidationError("--partitions is from 1 to 10000") }
    }

    func run() throws {
        let stop = StopRequest()
        let signals = SignalWatch(stop)
        defer { withExtendedLifetime(signals) {} }
        var names: [String] = []
        for name in topics.split(separator: ",").map(String.init) where !names.contains(name) { names.append(name) }
        let broker: EmbeddedBroker
        do {
            broker = try EmbeddedBroker(port: port, logger: logging.makeLogger(least: .warning))
            for name in names { try broker.createTopic(name, partitions: partitions) }
        } catch {
            throw failure(error, stop: Exit.unavailable)
        }
        Output.line("broker: \(broker.address)")
        Output.line("topics: \(names.joined(separator: ", ")), \(partitions) partitions each")
        Output.error(EmbeddedBroker.limits)
        while wait(milliseconds: 60_000, unless: stop) {}
        broker.close()
    }
}
