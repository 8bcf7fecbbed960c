import Foundation
import Risk

/// A calibration alone: log-odds become log-odds that mean a probability, and weights stay what they are. Fitted on some
/// users and measured on others.
///
/// Platt's scaling with his targets, which keep a few verdicts from promising certainty (John Platt, "Probabilistic Outputs
/// for Support Vector Machines", 1999). Where the events were chosen by what they are, as those with a verdict were, what
/// share of them is hostile says who was chosen, while the slope is found all the same (Ross Prentice, Ronald Pyke, "Logistic
/// disease incidence models and case-control studies", Biometrika 66, 1979): then the slope is on everything but the base.
public struct CalibrationFit: Sendable, Encodable {
    /// One side of before and after, on the users held out.
    public struct Measure: Sendable, Encodable {
        /// Mean distance between expected and observed share, 0…1.
        public var expectedError: Double
        /// Nats an event.
        public var logLoss: Double
    }

    public var slope: Double
    public var offset: Double
    public var keepsBase: Bool
    public var events: Int
    public var hostile: Int
    public var heldOutEvents: Int
    public var heldOutHostile: Int
    /// With `keepsBase`, both are measured with the offset that the sample's own choice asks for.
    public var before: Measure
    public var after: Measure

    /// - Parameters:
    ///   - base: the model's, in points.
    ///   - keepsBase: see `FitOptions.keepsBase`.
    ///   - heldOut: share of users that is measured on.
    /// - Throws: `FitProblem` where either part of the users lacks hostile or legitimate events.
    /// - Complexity: O(rounds × events)
    public init(_ run: LabelledRun, base: Double, keepsBase: Bool, heldOut: Double) throws(FitProblem) {
        var parts = [(logits: [Double](), isHostile: [Bool]()), (logits: [Double](), isHostile: [Bool]())]
        for event in run.events[run.firstMeasured...] {
            let part = WeightsFit.isHeldOut(run.userNames[Int(event.user)], share: heldOut) ? 1 : 0
            parts[part].logits.append(Double(event.logit))
            parts[part].isHostile.append(event.isHostile)
        }
        for (part, users) in zip(parts, ["fitted on", "held out"]) {
            guard part.isHostile.contains(true), part.isHostile.contains(false) else {
                throw FitProblem(description: "among the users \(users) there are no "
                    + (part.isHostile.contains(true) ? "legitimate" : "hostile") + " events: more verdicts are needed")
            }
        }
        let (fitted, kept) = (parts[0], parts[1])
        let scaling = Self.scaling(fitted.logits, fitted.isHostile, fitsSlope: true)
        var chosen = 0.0
        if keepsBase { chosen = Self.scaling(fitted.logits, fitted.isHostile, fitsSlope: false).offset }
        func measure(_ slope: Double, _ offset: Double) -> Measure {
            let found = Reliability(logits: kept.logits.map { Float(slope * $0 + offset) }, isHostile: kept.isHostile)
            return Measure(expectedError: found.expectedError, logLoss: found.logLoss)
        }
        slope = scaling.slope
        offset = keepsBase ? (1 - scaling.slope) * base / 10 : scaling.offset
        self.keepsBase = keepsBase
        (events, hostile) = (fitted.logits.count, fitted.isHostile.count { $0 })
        (heldOutEvents, heldOutHostile) = (kept.logits.count, kept.isHostile.count { $0 })
        before = measure(1, chosen)
        after = measure(scaling.slope, scaling.offset)
    }

    /// Each event counts as its own label mostly and as the other a little: of *n* of its label, (*n* + 1)/(*n* + 2).
    private static func scaling(_ logits: [Double], _ isHostile: [Bool], fitsSlope: Bool) -> PlattScaling {
        let hostile = Double(isHostile.count { $0 })
        let legitimate = Double(isHostile.count) - hostile
        let each = 1 / Double(logits.count)
        let own = isHostile.map { each * ($0 ? (hostile + 1) / (hostile + 2) : (legitimate + 1) / (legitimate + 2)) }
        return PlattScaling(
            logits: logits + logits, isHostile: isHostile + isHostile.map { !$0 }, shares: own + own.map { each - $0 },
            fitsSlope: fitsSlope)
    }

    /// The weights file that goes on where `model` stands: `former` is what the weights file that the pipeline names says of
    /// calibration, which is in `model` already.
    public func yaml(model: ModelOptions, former: (slope: Double, offset: Double)) -> String {
        let weights = Signal.allCases.compactMap { signal -> (String, Double)? in
            let options = model.signals[Int(signal.rawValue)]
            return options.enabled ? (signal.name.description, options.weight / former.slope) : nil
        }
        return weightsFile(
            from: "\(events) events", base: (model.base - 10 * former.offset) / former.slope, weights: weights,
            slope: slope * former.slope, offset: slope * former.offset + offset)
    }

    /// What the fit gained, for a person.
    public var lines: [String] {
        func number(_ value: Double) -> String { String(format: "%.4f", value) }
        let isBetter = after.logLoss < before.logLoss
        return [
            "fitted on \(events) events, \(hostile) of them hostile; measured on \(heldOutEvents), \(heldOutHostile) hostile, of users held out",
            "calibration slope \(String(format: "%.3f", slope)) offset \(String(format: "%.3f", offset))"
                + (keepsBase ? ": the base stays, for who was judged says nothing of how many are hostile" : ""),
            "expected calibration error \(number(before.expectedError)) → \(number(after.expectedError)), "
                + "log loss \(number(before.logLoss)) → \(number(after.logLoss))"
                + (keepsBase ? ", both allowing for who was judged" : ""),
        ] + (isBetter ? [] : ["on users held out it is no better than what there is: don't use it before there are more verdicts"])
    }
}

/// A weights file's text: what a pipeline names as `model.weights`.
func weightsFile(from what: String, base: Double, weights: [(String, Double)], slope: Double, offset: Double) -> String {
    func number(_ value: Double) -> String {
        var text = String(format: "%.3f", value)
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text == "-0" ? "0" : text
    }
    var out = "# Made by `vigil fit` from \(what); a pipeline names it as `model: { weights: FILE }`.\n"
    out += "# Log-odds ×10 before any evidence, and what each signal's evidence is multiplied by.\n"
    out += "base: \(number(base))\nsignals:\n"
    for (signal, weight) in weights { out += "  \(signal): \(number(weight))\n" }
    out += "# From log-odds to log-odds that mean a probability: slope × them + offset.\n"
    return out + "calibration: { slope: \(number(slope)), offset: \(number(offset)) }\n"
}
