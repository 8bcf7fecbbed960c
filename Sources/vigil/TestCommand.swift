import ArgumentParser
import Lab
import PipelineSpec

struct TestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Runs the tests that pipeline files hold.",
        discussion: """
            A test says what a person has always done, what happens then, and what is to be decided of it: \
            docs/evaluation.md shows how. Exits 1 when a test fails and 78 when a file can't be used.
            """)

    @Argument(help: ArgumentHelp("Pipeline files.", valueName: "file"))
    var files: [String]

    @Option(help: ArgumentHelp("Only tests whose name contains this.", valueName: "text"))
    var filter: String?

    @Flag(help: "Fail where a rule never decides in any expectation.")
    var strict = false

    @Option(help: "text or json.")
    var format = OutputFormat.text

    /// What came of one file, as JSON has it.
    private struct Report: Encodable {
        var file: String
        var passed: Int
        var failed: Int
        /// Rules that no expectation shows at work.
        var unmatched: [String]
        var tests: [TestOutcome]
    }

    func validate() throws {
        if strict, filter != nil { throw ValidationError("--strict needs every test: leave out --filter") }
    }

    func run() throws {
        var isUsable = true
        var reports: [Report] = []
        for file in files {
            do {
                var pipeline = try loadPipeline(file)
                pipeline.settleForDerivedSecret(quietly: true)
                if pipeline.tests.isEmpty { Output.error("warning: \(file): there are no tests in it") }
                let runner = TestRunner(pipeline)
                let outcomes = runner.run { name in filter.map { name.contains($0) } ?? true }
                reports.append(Report(
                    file: file, passed: outcomes.count { $0.isPassed }, failed: outcomes.count { !$0.isPassed },
                    unmatched: filter == nil ? runner.unmatched(in: outcomes) : [], tests: outcomes))
            } catch let code as ExitCode where code == Exit.configuration {
                isUsable = false
            }
        }
        switch format {
        case .text: reports.forEach(show)
        case .json: Output.json(reports)
        }
        guard isUsable else { throw Exit.configuration }
        if let filter, reports.allSatisfy({ $0.tests.isEmpty }) {
            throw failure(Exit.usage, "--filter \(filter): no test has that in its name")
        }
        if reports.contains(where: { $0.failed > 0 || strict && !$0.unmatched.isEmpty }) { throw Exit.findings }
    }

    private func show(_ report: Report) {
        let terminal = Terminal.output
        Output.line(report.file)
        for test in report.tests {
            let mark = test.isPassed ? terminal.paint("ok    ", .green) : terminal.paint("FAILED", .red, bold: true)
            Output.line("  \(mark)  \(printable(test.name, atMost: 200))")
            for failure in test.failures { show(failure, report.file, terminal) }
        }
        let total = report.passed + report.failed
        var summary = "  \(total) test\(total == 1 ? "" : "s"), \(report.failed) failed"
        if filter == nil {
            summary += report.unmatched.isEmpty
                ? "; every rule is shown at work" : "; rules never shown at work: " + report.unmatched.joined(separator: ", ")
        }
        Output.line(summary)
    }

    private func show(_ failure: TestOutcome.Failure, _ file: String, _ terminal: Terminal) {
        let place = failure.step == 0 ? "its history" : "step \(failure.step)"
        Output.line("          \(file):\(failure.line):\(failure.column): \(place), \(failure.event)")
        let rows = failure.differences.map { difference in
            [
                "            " + difference.field, "expected " + printable(difference.expected, atMost: 200),
                "got " + printable(difference.got, atMost: 200),
            ]
        }
        for line in aligned(rows) { Output.line(terminal.paint(line, .red)) }
        guard let decision = failure.decision else { return }
        Output.line(
            "            score \(fixed(decision.score, 1)), level \(decision.level), confidence \(decision.confidence), "
                + "rule \(printable(decision.policy.rule ?? "none", atMost: 100))")
        let reasons = decision.reasons.map { reason in
            [
                "              " + reason.signal, (reason.points < 0 ? "" : "+") + fixed(reason.points, 1),
                printable(reason.observed, atMost: 80), printable(reason.expected, atMost: 80),
            ]
        }
        for line in aligned(reasons) { Output.line(terminal.paint(line, .grey)) }
    }
}
