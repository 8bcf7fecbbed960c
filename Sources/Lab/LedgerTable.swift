extension ScenarioLedger {
    /// A part of the rendered table, for a caller that colours.
    public enum Style: Sendable {
        /// A table's first line.
        case header
        /// An attack kind by the share stopped, 0…1.
        case attack(share: Double)
        /// Legitimate traffic or a benign twin.
        case legitimate
        /// An explanation.
        case note
    }

    /// The closing table as lines of aligned text without line ends. `paint` may wrap a finished line in colour;
    /// it is called after alignment, so escape sequences don't disturb it.
    public func table(paint: (String, Style) -> String = { line, _ in line }) -> [String] {
        var lines: [String] = []
        let attackRows = attacks
        var cells = [["attack", "scenarios", "stopped", "share", "events: median", "p90", "seconds: median", "p90"]]
        for row in attackRows {
            cells.append([
                row.kind, "\(row.scenarios)", "\(row.stopped)", Self.percent(row.share),
                Self.text(row.medianEvents), Self.text(row.p90Events), Self.text(row.medianSeconds), Self.text(row.p90Seconds),
            ])
        }
        for (index, line) in Self.align(cells).enumerated() {
            lines.append(paint(line, index == 0 ? .header : .attack(share: attackRows[index - 1].share)))
        }
        lines.append(paint("events and seconds run from the first hostile event to the first intervention; 1 event is the first itself", .note))
        lines.append("")
        cells = [["legitimate traffic", "events", "challenges", "per 1,000", "denied", "per 1,000"]]
        for (index, row) in legitimate.enumerated() {
            cells.append([
                index == 0 ? "all" : row.name, "\(row.events)", "\(row.challenges)",
                Self.fixed(row.challengesPerThousand, 2), "\(row.denials)", Self.fixed(row.denialsPerThousand, 2),
            ])
        }
        for (index, line) in Self.align(cells).enumerated() { lines.append(paint(line, index == 0 ? .header : .legitimate)) }
        return lines
    }

    private static func text(_ value: Int?) -> String { value.map(String.init) ?? "-" }
    private static func text(_ value: Double?) -> String { value.map { fixed($0, 1) } ?? "-" }
    private static func percent(_ share: Double) -> String { fixed(100 * share, 1) + " %" }

    /// A number from 0 up to 10^15 with a fixed count of decimals.
    private static func fixed(_ value: Double, _ decimals: Int) -> String {
        var scale = 1
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int(min(max(value * Double(scale), 0), 1e15).rounded())
        let fraction = String(scaled % scale)
        return "\(scaled / scale)." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }

    /// First column to the left, the others to the right.
    private static func align(_ rows: [[String]]) -> [String] {
        guard let columns = rows.first?.count else { return [] }
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                let pad = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + pad : pad + cell
            }.joined(separator: "  ")
        }
    }
}
