import ArgumentParser
import Kafka
import Logging
import PipelineSpec
import Runtime

struct TopicsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topics", abstract: "The topics a pipeline needs, checked or created.",
        discussion: "Exits 1 when something is missing or does not fit.")

    @Argument(help: ArgumentHelp("Pipeline file.", valueName: "file"))
    var file: String

    @Flag(help: "Create what is missing.")
    var create = false

    @Option(help: "text or json.")
    var format = OutputFormat.text

    @OptionGroup var logging: LoggingOptions

    private struct Row: Encodable {
        var topic: String
        var role: String
        var partitions: Int?
        var state: String
    }

    func run() throws {
        var pipeline = try loadPipeline(file)
        let needs: [TopicAdmin.Need]
        let rows: [Row]
        let problems: [String]
        do {
            let admin = try TopicAdmin(properties: pipeline.kafka, logger: logging.makeLogger(least: .critical))
            if try admin.isEmbedded() { pipeline.settleForEmbeddedBroker() }
            needs = pipeline.topicNeeds
            let created = create ? try admin.create(needs) : []
            let counts = try admin.partitionCounts(needs.map(\.name))
            rows = zip(needs, counts).map { need, count in
                Row(
                    topic: need.name, role: need.role.rawValue, partitions: count,
                    state: created.contains(need.name) ? "created" : count == nil ? "missing" : "there")
            }
            let findings = try admin.check(needs)
            problems = findings.problems
            for note in findings.notes { Output.error("warning: \(note)") }
        } catch {
            throw failure(error)
        }
        switch format {
        case .json: Output.json(rows)
        case .text:
            let table = [["topic", "", "partitions", "state"]]
                + rows.map { [$0.topic, $0.role, $0.partitions.map(String.init) ?? "-", $0.state] }
            for line in aligned(table) { Output.line(line) }
        }
        for problem in problems { Output.error("error: \(problem)") }
        if !problems.isEmpty { throw Exit.findings }
    }
}

/// Columns of equal width, two spaces apart.
func aligned(_ rows: [[String]]) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
    return rows.map { row in
        let cells = row.enumerated().map { column, cell in
            column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
        }
        return cells.joined(separator: "  ")
    }
}
