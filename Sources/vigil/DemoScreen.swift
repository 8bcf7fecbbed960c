import Glibc
import Lab

/// The demo's live view: redrawn in place on a terminal, a line every two seconds elsewhere.
struct DemoScreen {
    let terminal = Terminal.output
    let heading: String
    private var drawn = 0
    private var before: (decided: Int, at: Double)?
    private var told = 0
    private var lastLine = -10.0

    init(heading: String) { self.heading = heading }

    mutating func show(_ view: DemoBoard.View, seconds: Double) {
        let rate = before.map { Double(view.decided - $0.decided) / max(seconds - $0.at, 0.001) } ?? 0
        if terminal.isInteractive {
            draw(lines(view, rate: rate))
            before = (view.decided, seconds)
        } else if seconds - lastLine >= 2 {
            tell(view, rate: rate, seconds: seconds)
            before = (view.decided, seconds)
            lastLine = seconds
        }
    }

    private func lines(_ view: DemoBoard.View, rate: Double) -> [String] {
        let size = Terminal.size
        let latency = Self.percentiles(view.latencies)
        var lines = [
            terminal.paint(String(heading.prefix(size.columns - 1)), nil, bold: true),
            "",
            "events     \(pad(grouped(view.decided), 12)) \(grouped(Int(rate)))/s, \(view.inFlight) in flight, \(view.answers) challenges answered",
            "decisions  " + Self.verdicts(view),
            "latency    p50 \(fixed(latency.p50, 1)) ms, p99 \(fixed(latency.p99, 1)) ms from produced to decision seen",
            "",
            "latest interventions",
        ]
        let room = min(12, max(0, size.rows - lines.count - 2))
        for decision in view.interventions.suffix(room).reversed() {
            lines.append(decision.line(terminal, width: size.columns - 1))
        }
        while lines.count < 7 + room { lines.append("") }
        return lines
    }

    private mutating func draw(_ lines: [String]) {
        let up = drawn > 0 ? "\u{1B}[\(drawn)A" : ""
        Output.write(up + lines.map { "\r\u{1B}[K\($0)\n" }.joined(), to: STDOUT_FILENO)
        drawn = lines.count
    }

    private mutating func tell(_ view: DemoBoard.View, rate: Double, seconds: Double) {
        if drawn == 0 {
            Output.line(heading)
            drawn = 1
        }
        let latency = Self.percentiles(view.latencies)
        Output.line(
            "\(fixed(seconds, 0)) s: \(view.decided) events, \(Int(rate))/s, \(Self.verdicts(view)), latency p50 "
                + "\(fixed(latency.p50, 1)) ms p99 \(fixed(latency.p99, 1)) ms")
        for decision in view.interventions.suffix(min(2, view.interventionCount - told)) {
            Output.line("  " + decision.line(terminal))
        }
        told = view.interventionCount
    }

    private static func verdicts(_ view: DemoBoard.View) -> String {
        ["allow", "step_up", "deny", "terminate_session"].map { "\($0) \(grouped(view.verdicts[$0] ?? 0))" }
            .joined(separator: ", ")
    }

    static func percentiles(_ values: [Double]) -> (p50: Double, p99: Double) {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return (0, 0) }
        return (sorted[sorted.count / 2], sorted[min(sorted.count - 1, sorted.count * 99 / 100)])
    }

    /// The closing table.
    func close(_ ledger: ScenarioLedger) {
        Output.line("")
        let table = ledger.table { line, style in
            switch style {
            case .header: terminal.paint(line, nil, bold: true)
            case .attack(let share): terminal.paint(line, share >= 0.9 ? .green : share >= 0.5 ? .yellow : .red)
            case .legitimate: line
            case .note: terminal.paint(line, .grey)
            }
        }
        for line in table { Output.line(line) }
    }
}
