import Foundation

extension Backtest {
    /// The backtest as tables for a person.
    public var lines: [String] {
        var out = ["A  \(pipelines.a)", "B  \(pipelines.b)", "", summary]
        out += decisions
        out += differences
        out += challengeTable
        out += ruleTable
        out += attackTable
        out += rankingTable
        out += examples
        return out
    }

    private var summary: String {
        var text = "\(counts.events) events of \(counts.users) users on \(counts.userDays) days of use"
        if counts.warmedUp > 0 { text += "; \(counts.warmedUp) more to warm up" }
        if counts.rejected.a + counts.rejected.b > 0 { text += "; rejected by A \(counts.rejected.a), by B \(counts.rejected.b)" }
        if counts.decidedByOne > 0 { text += "; \(counts.decidedByOne) events to one of the two only" }
        let assumption =
            switch answers {
            case BacktestAnswers.passed.rawValue:
                burden == nil ? "whoever is asked passes" : "whoever is asked passes, an attacker walks away"
            case BacktestAnswers.recorded.rawValue: "whoever is asked answers as recorded"
            default: "nobody answers"
            }
        text += "\nassumed: \(assumption)"
        if counts.recordedChallenges > 0, answers != BacktestAnswers.recorded.rawValue {
            text += "; \(counts.recordedChallenges) recorded answers are left out"
        }
        if counts.recordedFeedback > 0 { text += "; \(counts.recordedFeedback) recorded verdicts are left out" }
        return text
    }

    private var decisions: [String] {
        let cells = verdicts.map { row in
            [row.decision, "\(row.events.a)", "\(row.events.b)", signed(row.events), "\(row.users.a)", "\(row.users.b)"]
        }
        return ["", "decisions"] + textTable([["", "A", "B", "B − A", "users A", "users B"]] + cells, texts: 1)
    }

    private var differences: [String] {
        guard !changes.isEmpty else { return ["", "no event is decided differently"] }
        let cells = changes.map { [$0.a, $0.b, "\($0.events)", "\($0.users)"] }
        return ["", "decided differently"] + textTable([["A", "B", "events", "users"]] + cells, texts: 2)
    }

    private var challengeTable: [String] {
        let per = challengesPer1000UsersADay
        var cells = [
            ["all", "\(challenges.a)", "\(challenges.b)", signed(challenges)],
            ["per 1,000 users a day", number(per.a, 2), number(per.b, 2), signed(per.b - per.a, 2)],
        ]
        if let burden {
            cells.append(["of legitimate users", "\(burden.challenges.a)", "\(burden.challenges.b)", signed(burden.challenges)])
            if burden.logins > 0 {
                let logins = Double(burden.logins) / 1_000
                let (a, b) = (Double(burden.challenges.a) / logins, Double(burden.challenges.b) / logins)
                cells.append(["per 1,000 legitimate logins", number(a, 2), number(b, 2), signed(b - a, 2)])
            }
            cells.append(["refusals of legitimate users", "\(burden.refusals.a)", "\(burden.refusals.b)", signed(burden.refusals)])
        }
        return ["", "challenges"] + textTable([["", "A", "B", "B − A"]] + cells, texts: 1)
    }

    private var ruleTable: [String] {
        guard !rules.isEmpty else { return [] }
        let cells = rules.map { row in
            [
                row.rule, "\(row.interventions.a)", "\(row.interventions.b)", "\(row.challenges.a)", "\(row.challenges.b)",
                "\(row.addedChallenges.a)", "\(row.addedChallenges.b)",
            ]
        }
        let header = ["rule", "decides A", "B", "challenges A", "B", "only A asks", "only B"]
        return ["", "interventions by rule"] + textTable([header] + cells, texts: 1)
    }

    private var attackTable: [String] {
        guard !attacks.isEmpty else { return [] }
        let cells = attacks.map { row in
            [
                row.kind, "\(row.attacks)", "\(row.caught.a)", "\(row.caught.b)", "\(row.caughtAlone.a)", "\(row.caughtAlone.b)",
                row.medianEvents.a.map(String.init) ?? "-", row.medianEvents.b.map(String.init) ?? "-",
                "\(row.events)", "\(row.eventsLetThrough.a)", "\(row.eventsLetThrough.b)",
            ]
        }
        let header = [
            "kind", "attacks", "caught A", "B", "only A", "only B", "median events A", "B", "events", "let through A", "B",
        ]
        var out = ["", "attacks, from onset to first intervention"] + textTable([header] + cells, texts: 1)
        if unlabelled > 0 { out.append("  \(unlabelled) events without a label are counted nowhere here") }
        return out
    }

    private var rankingTable: [String] {
        guard !attacks.isEmpty else { return [] }
        guard scoredApart > 0 else { return ["", "both give every event the same score"] }
        let cells = attacks.map { row in
            [
                row.kind, text(row.auc.a), text(row.auc.b), text(row.recallAt01Percent.a), text(row.recallAt01Percent.b),
                text(row.recallAt1Percent.a), text(row.recallAt1Percent.b), text(row.recallAt5Percent.a), text(row.recallAt5Percent.b),
            ]
        }
        let header = ["kind", "AUC A", "B", "recall at 0.1 % A", "B", "at 1 % A", "B", "at 5 % A", "B"]
        return ["", "scores by event: \(scoredApart) are scored differently"] + textTable([header] + cells, texts: 1)
    }

    private var examples: [String] {
        guard !sample.isEmpty else { return [] }
        var out = ["", "differing decisions, some of each kind"]
        for difference in sample {
            let who = printable(difference.tenant.map { "\($0)/\(difference.user)" } ?? difference.user)
            out.append("  \(difference.time)  \(difference.type) \(printable(difference.event)) of \(who)")
            for (side, decision) in [("A", difference.a), ("B", difference.b)] {
                let rule = decision.policy.rule ?? "none"
                let reasons = decision.reasons.prefix(4).map { "\($0.signal) \(signed($0.points, 1))" }.joined(separator: ", ")
                let verdict = "\(decision.decision) by \(rule), \(decision.level) \(number(decision.score, 1))"
                out.append("    \(side)  \(verdict): \(reasons.isEmpty ? "no reasons" : reasons)")
            }
        }
        return out
    }

    /// Ids come from the history: nothing in them may move a cursor.
    private func printable(_ text: String) -> String {
        String(text.unicodeScalars.prefix(64).map { scalar -> Character in
            let category = scalar.properties.generalCategory
            return category == .control || category == .format ? "\u{FFFD}" : Character(scalar)
        })
    }

    private func number(_ value: Double, _ decimals: Int) -> String { String(format: "%.\(decimals)f", value) }

    private func signed(_ value: Double, _ decimals: Int) -> String { String(format: "%+.\(decimals)f", value) }

    private func signed(_ both: Both<Int>) -> String {
        let change = both.b - both.a
        return change > 0 ? "+\(change)" : "\(change)"
    }

    private func text(_ value: Double?) -> String { value.map { number($0, 3) } ?? "-" }
}
