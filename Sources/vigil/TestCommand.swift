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
                reports.append(try report(on: file))
            } catch {
                isUsable = false
            }
        }
        switch format {
        case .text: reports.forEach(show)
        case .json: Output.json(reports)
        }
        guard isUsable else { throw Exit.configuration }
        if let filter, !reports.contains(where: { !$0.tests.isEmpty }) {
            throw failure(Exit.usage, "--filter \(filter): no test has that in its name")
        }
        for report in reports where report.failed > 0 || (strict && !report.unmatched.isEmpty) { throw Exit.findings }
    }

    private func report(on file: String) throws(ExitCode) -> Report {
        var pipeline = try loadPipeline(file)
        pipeline.settleForDerivedSecret(quietly: true)
        if pipeline.tests.isEmpty { Output.error("warning: \(file): there are no tests in it") }
        let runner = TestRunner(pipeline)
        let outcomes = runner.run { (name: String) -> Bool in
            guard let filter else { return true }
            return name.contains(filter)
        }
        let failed = outcomes.count { !$0.isPassed }
        return Report(
            file: file, passed: outcomes.count - failed, failed: failed,
            unmatched: filter == nil ? runner.unmatched(in: outcomes) : [], tests: outcomes)
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
        var summary = "  \(total) \(total == 1 ? "test" : "tests"), \(report.failed) failed"
        if filter == nil {
            let names = report.unmatched.joined(separator: ", ")
            summary += names.isEmpty ? "; every rule is shown at work" : "; rules never shown at work: \(names)"
        }
        Output.line(summary)
    }

    private func show(_ failure: TestOutcome.Failure, _ file: String, _ terminal: Terminal) {
        let place = failure.step == 0 ? "its history" : "step \(failure.step)"
        Output.line("          \(file):\(failure.line):\(failure.column): \(place), \(failure.event)")
        let rows = failure.differences.map { difference -> [String] in
            let expected = printable(difference.expected, atMost: 200)
            return ["            \(difference.field)", "expected \(expected)", "got \(printable(difference.got, atMost: 200))"]
        }
        for line in aligned(rows) { Output.line(terminal.paint(line, .red)) }
        guard let decision = failure.decision else { return }
        let rule = printable(decision.policy.rule ?? "none", atMost: 100)
        let risk = "score \(fixed(decision.score, 1)), level \(decision.level), confidence \(decision.confidence)"
        Output.line("            \(risk), rule \(rule)")
        let reasons = decision.reasons.map { reason -> [String] in
            let sign = reason.points < 0 ? "" : "+"
            let points = "\(sign)\(fixed(reason.points, 1))"
            return ["              \(reason.signal)", points, printable(reason.observed, atMost: 80), printable(reason.expected, atMost: 80)]
        }
        for line in aligned(reasons) { Output.line(terminal.paint(line, .grey)) }
    }
}
