/// Columns as wide as they need be; the first `texts` begin at the left, numbers end at the right.
func textTable(_ rows: [[String]], texts: Int) -> [String] {
    let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
        let cells = row.enumerated().map { column, cell in
            let blanks = String(repeating: " ", count: widths[column] - cell.count)
            return column < texts ? cell + blanks : blanks + cell
        }
        let line = "  " + cells.joined(separator: "  ")
        return String(line.prefix(line.count - line.reversed().prefix { $0 == " " }.count))
    }
}
