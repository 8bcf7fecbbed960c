import Foundation

extension Evaluation {
    /// Receiver operating characteristics as an SVG: share of attacks found over share of legitimate units suspected, the
    /// latter on a logarithmic axis, because what matters lies far below one in a hundred. A curve for each kind, a panel
    /// for each unit and scorer.
    public var plot: String {
        var panels: [(title: String, curves: [Curve])] = []
        for unit in JudgedUnit.allCases {
            for scorer in scorers {
                let own = curves.filter { $0.unit == unit && $0.scorer == scorer }
                if !own.isEmpty { panels.append(("\(scorer), by \(unit.rawValue)", own)) }
            }
        }
        let columns = min(max(panels.count, 1), 3)
        let rows = max(1, (panels.count + columns - 1) / columns)
        let (width, height) = (Double(columns) * CurvePanel.width, Double(rows) * CurvePanel.height)
        var svg = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(coordinate(width)) \(coordinate(height))" \
            width="\(coordinate(width))" height="\(coordinate(height))" font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="white"/>

            """
        for (index, panel) in panels.enumerated() {
            let left = Double(index % columns) * CurvePanel.width
            let top = Double(index / columns) * CurvePanel.height
            svg += "<g transform=\"translate(\(coordinate(left)) \(coordinate(top)))\">\n"
            svg += CurvePanel(title: panel.title, curves: panel.curves).svg
            svg += "</g>\n"
        }
        return svg + "</svg>\n"
    }
}

private func coordinate(_ value: Double) -> String {
    let text = String(format: "%.1f", value)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

/// One pair of axes with its curves and their legend.
private struct CurvePanel {
    static let width = 560.0
    static let height = 420.0

    var title: String
    var curves: [Evaluation.Curve]

    private let left = 52.0, top = 34.0, side = 330.0, drop = 320.0
    /// Least share of legitimate units that has a place on the axis.
    private let least = 1e-4
    /// Told apart by people who see colours differently: Masataka Okabe and Kei Ito, "Color Universal Design", 2008.
    private let colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999933"]
    private let dashes = ["", "6 3", "2 3"]

    private func x(_ share: Double) -> Double {
        left + side * (1 - log10(max(share, least)) / log10(least))
    }
    private func y(_ share: Double) -> Double { top + drop * (1 - share) }

    var svg: String {
        var out = "<text x=\"\(coordinate(left))\" y=\"20\" font-size=\"14\" font-weight=\"bold\">\(escaped(title))</text>\n"
        out += axes
        for (number, curve) in curves.enumerated() { out += path(curve, number) }
        let order = curves.indices.sorted { curves[$0].area > curves[$1].area }
        for (row, number) in order.enumerated() { out += legend(curves[number], number, row) }
        return out
    }

    private var axes: String {
        var out = ""
        for (share, label) in [(1e-4, "0.01 %"), (1e-3, "0.1 %"), (1e-2, "1 %"), (1e-1, "10 %"), (1, "100 %")] {
            out += line(x(share), top, x(share), top + drop)
            out += "<text x=\"\(coordinate(x(share)))\" y=\"\(coordinate(top + drop + 16))\" text-anchor=\"middle\">\(label)</text>\n"
        }
        for step in 0...5 {
            let share = Double(step) / 5
            out += line(left, y(share), left + side, y(share))
            out += "<text x=\"\(coordinate(left - 6))\" y=\"\(coordinate(y(share) + 4))\" text-anchor=\"end\">\(step * 20)</text>\n"
        }
        // Chance, bent by the axis.
        let chance = (0...40).map { step in
            let share = pow(10, Double(step - 40) / 10)
            return "\(coordinate(x(share))) \(coordinate(y(share)))"
        }
        out += "<polyline points=\"\(chance.joined(separator: " "))\" fill=\"none\" stroke=\"#aaaaaa\" stroke-dasharray=\"3 3\"/>\n"
        let (centre, middle) = (left + side / 2, top + drop / 2)
        out += "<text x=\"\(coordinate(centre))\" y=\"\(coordinate(top + drop + 36))\" text-anchor=\"middle\">"
            + "legitimate units suspected</text>\n"
        out += "<text transform=\"translate(14 \(coordinate(middle))) rotate(-90)\" text-anchor=\"middle\">attacks found, %</text>\n"
        return out
    }

    private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
        "<line x1=\"\(coordinate(x1))\" y1=\"\(coordinate(y1))\" x2=\"\(coordinate(x2))\" y2=\"\(coordinate(y2))\" "
            + "stroke=\"#dddddd\"/>\n"
    }

    private func path(_ curve: Evaluation.Curve, _ number: Int) -> String {
        // Between two thresholds nothing more is found; across a tie the two shares rise together.
        var (px, py) = (x(0), y(0))
        var steps = ["M\(coordinate(px)) \(coordinate(py))"]
        func draw(_ toX: Double, _ toY: Double) {
            guard abs(toX - px) >= 0.5 || abs(toY - py) >= 0.5 else { return }
            steps.append("L\(coordinate(toX)) \(coordinate(toY))")
            (px, py) = (toX, toY)
        }
        for corner in curve.corners {
            draw(x(corner.above), py)
            draw(x(corner.reached), y(corner.found))
        }
        draw(x(1), py)
        return "<path d=\"\(steps.joined())\" fill=\"none\" stroke=\"\(colour(number))\" stroke-width=\"2\"\(dash(number))/>\n"
    }

    private func legend(_ curve: Evaluation.Curve, _ number: Int, _ row: Int) -> String {
        let (start, height) = (left + side + 14, top + 10 + Double(row) * 17)
        return "<line x1=\"\(coordinate(start))\" y1=\"\(coordinate(height))\" x2=\"\(coordinate(start + 18))\" "
            + "y2=\"\(coordinate(height))\" stroke=\"\(colour(number))\" stroke-width=\"2\"\(dash(number))/>\n"
            + "<text x=\"\(coordinate(start + 23))\" y=\"\(coordinate(height + 4))\" font-size=\"11\">"
            + "\(String(format: "%.3f", curve.area)) \(escaped(curve.kind))</text>\n"
    }

    private func colour(_ number: Int) -> String { colours[number % colours.count] }

    private func dash(_ number: Int) -> String {
        let dash = dashes[number / colours.count % dashes.count]
        return dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\""
    }

    /// Names come from the data.
    private func escaped(_ text: String) -> String {
        let short = text.count <= 20 ? text : text.prefix(19) + "…"
        return short.unicodeScalars.map { scalar in
            switch scalar {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&quot;"
            default: scalar.value < 32 || scalar.value == 127 ? "\u{FFFD}" : String(scalar)
            }
        }.joined()
    }
}
