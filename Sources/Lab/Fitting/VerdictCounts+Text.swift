extension VerdictCounts {
    /// How many there were and from whom, for a person.
    public func lines(_ leftOut: RecordedVerdicts.LeftOut) -> [String] {
        let rows = [("analysts", analyst), ("users", user), ("challenges", challenge)].map { source, count in
            [source, "\(count.legitimate)", "\(count.hostile)"]
        }
        var out = textTable([["verdicts by", "legitimate", "hostile"]] + rows, texts: 1)
        if unjudged > 0 { out.append("  \(unjudged) events without a verdict count as legitimate") }
        let reasons = [
            (leftOut.unheeded, "not heeded when they came"), (leftOut.weakMethod, "passed by a method that can be phished"),
            (leftOut.unknown, "on what is not among the decisions"),
        ]
        let said = reasons.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        if !said.isEmpty { out.append("  left out: " + said.joined(separator: ", ")) }
        return out
    }
}
