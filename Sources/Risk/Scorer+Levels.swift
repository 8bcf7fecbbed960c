import Behavior
import Events

/// Levels of what is not the event at hand.
extension Scorer {
    /// The level of so many points, log-odds ×10, above the base rate.
    public func level(above points: Double) -> RiskLevel { level(of: model.base + points) }

    /// Points above the base rate from which the level is critical, at most 200.
    public var criticalPoints: Double {
        let share = min(max(model.criticalScore / 100, 1e-6), 1 - 1e-6)
        // A thousandth more, so that rounding does not fall short of the level.
        return min(10 * Portable.log(share / (1 - share)) - model.base + 0.001, 200)
    }
}
