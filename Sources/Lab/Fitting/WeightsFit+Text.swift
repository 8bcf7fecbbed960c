import Foundation

extension WeightsFit {
    /// What the fit gained and changed, as tables for a person.
    public var lines: [String] {
        func number(_ value: Double, _ decimals: Int) -> String { String(format: "%.\(decimals)f", value) }
        var out = [
            "fitted on \(events) events, measured on \(heldOutEvents) of users held out",
            "log loss \(number(logLossBefore, 4)) → \(number(logLossAfter, 4)), base \(number(baseBefore, 1)) → \(number(base, 1)), "
                + "calibration slope \(number(slope, 3)) offset \(number(offset, 3))",
        ]
        let header = ["unit", "kind", "attacks", "AUC before", "after", "recall at 1 % before", "after"]
        out += ["", "users held out"] + textTable([header] + gains.map { gain in
            [
                gain.unit.rawValue, gain.kind, "\(gain.attacks)", number(gain.aucBefore, 4), number(gain.aucAfter, 4),
                number(gain.recallBefore, 3), number(gain.recallAfter, 3),
            ]
        }, texts: 2)
        let changed = weights.sorted { ($0.spoke > 0 ? 0 : 1, $0.signal) < ($1.spoke > 0 ? 0 : 1, $1.signal) }
        out += ["", "weights"] + textTable([["signal", "spoke of", "before", "after"]] + changed.map { weight in
            [weight.signal, "\(weight.spoke)", number(weight.before, 2), number(weight.after, 2)]
        }, texts: 1)
        return out
    }
}
