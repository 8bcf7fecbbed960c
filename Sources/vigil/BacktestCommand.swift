import ArgumentParser
import Lab
import PipelineSpec

struct BacktestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backtest",
        abstract: "Two pipelines over the same history: who would be asked, blocked or let through differently.",
        discussion: """
            Baselines are rebuilt under both, side by side. With labels it also says what either catches and misses. \
            docs/evaluation.md explains every table. Exits 66 when the events can't be read, 65 where there are none, and 78 \
            when a pipeline can't be used.
            """)

    @Argument(help: ArgumentHelp("The pipeline in force.", valueName: "a"))
    var a: String

    @Argument(help: ArgumentHelp("The pipeline that may replace it.", valueName: "b"))
    var b: String

    @Option(help: ArgumentHelp("Events as NDJSON, labelled or not; - for standard input.", valueName: "events"))
    var input: String

    @Option(help: ArgumentHelp("The file's records are as on this topic of both pipelines.", valueName: "topic"))
    var source: String?

    @Option(help: "What becomes of questions: passed, by whoever is not labelled an attacker; recorded, as the history's challenge events say; none.")
    var answers = BacktestAnswers.passed

    @Option(help: ArgumentHelp("The first part only builds baselines: a share of the file (0.3) or days (14d).", valueName: "part"))
    var warmup: String?

    @Option(help: "Most differing decisions shown with both explanations.")
    var sample = 6

    @Option(help: "Read at most so many lines.")
    var limit: Int?

    @Option(help: "text or json.")
    var format = OutputFormat.text

    func validate() throws {
        guard (0...1_000).contains(sample) else { throw ValidationError("--sample is from 0 to 1000") }
        if let limit, limit < 1 { throw ValidationError("--limit is at least 1") }
        if let warmup {
            guard let part = WarmUp(text: warmup) else { throw ValidationError("--warmup is a share like 0.3 or days like 14d") }
            if case .share = part, input == "-" { throw ValidationError("--warmup of standard input is in days, like 14d") }
        }
    }

    func run() throws {
        // Both files' problems at once.
        let contenders = [a, b].map { file in Result { try contender(file) } }
        let (first, second) = (try contenders[0].get(), try contenders[1].get())
        var options = BacktestOptions()
        options.answers = answers
        options.warmUp = warmup.flatMap(WarmUp.init(text:))
        options.sample = sample
        options.limit = limit ?? .max
        let progress = ProgressLine()
        let backtest: Backtest
        do {
            backtest = try Backtest(of: first, against: second, over: input, options: options) { progress.draw(lines: $0, share: $1) }
        } catch {
            throw failure(error)
        }
        progress.clear()
        if backtest.counts.events == 0 {
            let place = backtest.counts.warmedUp > 0 ? "after the warm-up" : "in it"
            throw failure(Exit.badData, "\(input): there is no login and no action \(place)")
        }
        switch format {
        case .text: backtest.lines.forEach(Output.line)
        case .json: Output.json(backtest)
        }
    }

    private func contender(_ file: String) throws -> Backtest.Contender {
        let pipeline = try labPipeline(file, source: source)
        return Backtest.Contender(name: file, plan: pipeline.plan, enrichment: pipeline.makeEnrichment())
    }
}

extension BacktestAnswers: ExpressibleByArgument {}
