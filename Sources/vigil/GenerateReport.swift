import Lab

/// What `vigil generate` prints about a stream instead of the stream.
struct GenerateReport {
    var format: OutputFormat

    private struct Parameter: Encodable {
        var name: String
        var value: String
        var wanted: String
        var help: String
    }

    func settings<Options: Settable>(of options: Options) {
        let list = Options.settings.map {
            Parameter(name: $0.name, value: $0.value(in: options), wanted: $0.wanted, help: $0.help)
        }
        if format == .json { return Output.json(list) }
        table([["parameter", "value", "", ""]] + list.map { [$0.name, $0.value, $0.wanted, $0.help] }, left: [0, 2, 3])
    }

    /// Marginals beside their targets; what lies outside is marked.
    func marginals(of stream: TrafficStream) {
        let lines: [LoginMarginals.Line]
        switch stream {
        case .actions(let options): lines = ActionMarginals.run(options)
        case .logins(let options): lines = LoginMarginals.run(options)
        case .commands: return
        }
        if format == .json { return Output.json(lines) }
        table([["", "measured", "target", ""]] + lines.map {
            [$0.name, number($0.measured), $0.target.map(number) ?? "", $0.isWithin ? "" : "outside"]
        }, left: [0, 3])
    }

    /// Prints the honesty check; whether it passed.
    func check(_ options: LoginOptions) -> Bool {
        let report = HonestyCheck.run(options)
        if format == .json {
            Output.json(report)
            return report.passes
        }
        var rows = [["kind", "logins", "AUC", "band", "all", "best single feature", "", ""]]
        for finding in report.findings {
            let band = finding.low.map { fixed($0, 2) + "–" + fixed(finding.high ?? 1, 2) } ?? "none"
            let best = finding.singles.first
            rows.append([
                finding.kind, "\(finding.attacks)", fixed(finding.auc, 3), band, fixed(finding.aucWithNoHistory, 3),
                best?.feature ?? "", best.map { fixed($0.auc, 3) } ?? "",
                !finding.passes ? "outside its band" : finding.singles.allSatisfy(\.passes) ? "" : "a feature beats the ratio",
            ])
        }
        table(rows, left: [0, 3, 5, 7])
        Output.line("""
            AUC of the flat ratio: logins of a kind over \(grouped(report.legitimate)) legitimate successful logins, both on \
            accounts with an earlier one;
            "all" has those on accounts without as well. A single feature ties within \(fixed(HonestyCheck.tolerance, 2)).
            """)
        return report.passes
    }

    private func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e12 ? grouped(Int(value)) : fixed(value, value < 10 ? 3 : 1)
    }

    /// Columns are aligned; those in `left` to the left, the others to the right.
    private func table(_ rows: [[String]], left: Set<Int>) {
        guard let columns = rows.first?.count else { return }
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            var line = ""
            for (column, cell) in row.enumerated() {
                let pad = String(repeating: " ", count: widths[column] - cell.count)
                line += (column == 0 ? "" : "  ") + (left.contains(column) ? cell + pad : pad + cell)
            }
            while line.last == " " { line.removeLast() }
            Output.line(line)
        }
    }
}
