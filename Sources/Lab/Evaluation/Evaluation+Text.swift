import Foundation

extension Evaluation {
    /// The evaluation as tables for a person.
    public var lines: [String] {
        var out = [
            "\(counts.events) events of \(counts.users) users, \(counts.measured) of them measured: "
                + "\(counts.hostile) hostile in \(counts.scenarios) attacks"
                + (counts.answered > 0 ? "; \(counts.answered) questions answered" : "")
                + (counts.rejected > 0 ? "; \(counts.rejected) records rejected" : "")
        ]
        for unit in JudgedUnit.allCases { out += ranking(unit) }
        out += histories
        out += interventions
        out += burdens
        out += twinTable
        out += reliability
        return out
    }

    private func ranking(_ unit: JudgedUnit) -> [String] {
        let rows = ranking.filter { $0.unit == unit && $0.history == "any" }
        guard let first = rows.first else { return [] }
        let many = scorers.count > 1
        let header = ["kind"] + (many ? ["scorer"] : []) + [
            "attacks", "AUC", "recall at 1 %", "at 0.1 %", "suspected /1000 at .90", "at .99",
        ] + (many ? ["vigil ahead by"] : [])
        let cells = rows.map { row in
            [row.kind] + (many ? [row.scorer] : []) + [
                "\(row.attacks)", text(row.auc, 3), text(row.recallAt1Percent, 2), text(row.recallAt01Percent, 2),
                text(row.suspectedPer1000At90, 1), text(row.suspectedPer1000At99, 1),
            ] + (many ? [text(row.vigilAhead, 3)] : [])
        }
        return ["", "by \(unit.rawValue), \(first.legitimate) legitimate"] + textTable([header] + cells, texts: many ? 2 : 1)
    }

    private var histories: [String] {
        let names = HistoryClass.allCases.map(\.name)
        var cells: [[String]] = []
        for row in ranking where row.history == "any" && row.scorer == Self.vigil && row.unit != .event {
            let parts = names.map { name in
                ranking.first { $0.history == name && $0.unit == row.unit && $0.kind == row.kind && $0.scorer == row.scorer }
            }
            cells.append([row.unit.rawValue, row.kind] + parts.map { part in
                part.map { "\(text($0.auc, 3)) of \($0.attacks)" } ?? "-"
            })
        }
        guard !cells.isEmpty else { return [] }
        return ["", "AUC by history: successful logins before"] + textTable([["unit", "kind"] + names] + cells, texts: 2)
    }

    private var interventions: [String] {
        guard !attacks.isEmpty else { return [] }
        let cells = attacks.map { row in
            [
                row.kind, "\(row.attacks)", text(row.stopped, 3), text(row.medianEvents, 0), text(row.p90Events, 0),
                text(row.medianSeconds, 1), text(row.p90Seconds, 1),
            ]
        }
        let header = ["kind", "attacks", "stopped", "median events", "p90", "median seconds", "p90"]
        return ["", "attacks at this policy, from onset to first intervention"] + textTable([header] + cells, texts: 1)
    }

    private var burdens: [String] {
        let cells = burden.filter { $0.legitimate > 0 }.map { row in
            [row.confidence, "\(row.legitimate)", text(row.challengesPer1000, 2), text(row.denialsPer1000, 2)]
        }
        guard !cells.isEmpty else { return [] }
        return ["", "legitimate users at this policy, per 1,000 \(burdenPer.rawValue)s"]
            + textTable([["confidence", "\(burdenPer.rawValue)s", "challenges", "denials"]] + cells, texts: 1)
    }

    private var twinTable: [String] {
        guard !twins.isEmpty else { return [] }
        let cells = twins.map { row in
            [
                row.twin, "\(row.cases)", "\(row.events)", "\(row.challenges)", "\(row.denials)", "\(row.mostChallenges)",
                "\(row.casesBeyondOne)",
            ]
        }
        let header = ["twin", "cases", "events", "challenges", "denials", "most in a case", "cases beyond one"]
        return ["", "benign twins at this policy"] + textTable([header] + cells, texts: 1)
    }

    private var reliability: [String] {
        let cells = calibration.bins.map { bin in
            [
                "\(percent(bin.low))–\(percent(bin.high)) %", "\(bin.events)", percent(bin.expected, 2),
                percent(bin.observed, 2),
            ]
        }
        guard !cells.isEmpty else { return [] }
        let summary = "calibration: expected error \(number(calibration.expectedError, 4)), "
            + "Brier \(number(calibration.brier, 4)), log loss \(number(calibration.logLoss, 4))"
        return ["", summary] + textTable([["score", "events", "expected %", "hostile %"]] + cells, texts: 1)
    }

    private func percent(_ share: Double, _ decimals: Int? = nil) -> String {
        let text = number(share * 100, decimals ?? 1)
        return decimals == nil && text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private func number(_ value: Double, _ decimals: Int) -> String { String(format: "%.\(decimals)f", value) }

    private func text(_ estimate: Estimate?, _ decimals: Int) -> String {
        guard let estimate else { return "-" }
        let value = number(estimate.value, decimals)
        guard let low = estimate.low, let high = estimate.high else { return value }
        return "\(value) (\(number(low, decimals))–\(number(high, decimals)))"
    }
}
