import Foundation

/// Logistic regression through the fusion: the base and the weights, none negative, that make what was seen likeliest,
/// held towards the weights there were by a ridge.
///
/// Newton's method on the bounded weights (Dimitri Bertsekas, "Projected Newton Methods for Optimization Problems with
/// Simple Constraints", SIAM J. Control Optim. 20, 1982), the Hessian Gauss and Newton's: caps make the points piecewise
/// linear in the weights, and at a cap a weight moves nothing.
struct WeightsRegression {
    let table: EvidenceTable
    let fusion: Fusion
    /// Rows of the table, and of each whether it is hostile and how much it counts; the weights sum to 1.
    let events: [Int]
    let isHostile: [Bool]
    let shares: [Double]
    /// Where the ridge pulls to.
    let prior: [Double]
    /// Its strength: λ/2 · Σ(w − prior)².
    let ridge: Double

    static let mostWeight = 10.0
    static let mostRounds = 60

    struct Solution {
        /// Points.
        var base: Double
        var weights: [Double]
    }

    /// - Complexity: O(rounds × (entries of the table² per event + signals³))
    func solve(base: Double) -> Solution {
        var solution = Solution(base: base, weights: prior)
        var loss = penalised(solution)
        for _ in 0..<Self.mostRounds {
            let (gradient, hessian) = slopes(solution)
            let step = newtonStep(solution, gradient, hessian)
            var factor = 1.0
            var better: (Solution, Double)?
            while factor > 1e-4, better == nil {
                let candidate = moved(solution, by: step, factor)
                let value = penalised(candidate)
                if value < loss { better = (candidate, value) }
                factor /= 2
            }
            guard let better else { break }
            let gain = loss - better.1
            (solution, loss) = better
            if gain < 1e-9 { break }
        }
        return solution
    }

    /// Mean surprise in nats, by the shares.
    func logLoss(_ solution: Solution) -> Double {
        var gradient: [(signal: Int, slope: Double)] = []
        var loss = 0.0
        for (row, event) in events.enumerated() {
            let points = fusion.points(table, event, weights: solution.weights, gradient: &gradient)
            loss += shares[row] * logarithmicLoss((solution.base + points) / 10, isHostile[row])
        }
        return loss
    }

    private func penalised(_ solution: Solution) -> Double {
        var penalty = 0.0
        for (weight, before) in zip(solution.weights, prior) { penalty += (weight - before) * (weight - before) }
        return logLoss(solution) + ridge / 2 * penalty
    }

    /// Of the penalised loss; the base comes last, in logits.
    private func slopes(_ solution: Solution) -> (gradient: [Double], hessian: [Double]) {
        let size = prior.count + 1
        var gradient = [Double](repeating: 0, count: size)
        var hessian = [Double](repeating: 0, count: size * size)
        var own: [(signal: Int, slope: Double)] = []
        for (row, event) in events.enumerated() {
            let points = fusion.points(table, event, weights: solution.weights, gradient: &own)
            let probability = 1 / (1 + exp(-(solution.base + points) / 10))
            let miss = shares[row] * (probability - (isHostile[row] ? 1 : 0))
            let curvature = shares[row] * max(probability * (1 - probability), 1e-6)
            // A weight's slope is in points, ten to a logit.
            own.append((prior.count, 10))
            for (signal, slope) in own {
                gradient[signal] += miss * slope / 10
                for (other, otherSlope) in own { hessian[signal * size + other] += curvature * slope * otherSlope / 100 }
            }
        }
        for signal in prior.indices {
            gradient[signal] += ridge * (solution.weights[signal] - prior[signal])
            hessian[signal * size + signal] += ridge
        }
        return (gradient, hessian)
    }

    /// Solves for the variables that are free: not at a bound the gradient presses against.
    private func newtonStep(_ solution: Solution, _ gradient: [Double], _ hessian: [Double]) -> [Double] {
        let size = gradient.count
        let free = (0..<size).filter { index in
            guard index < prior.count else { return true }
            let weight = solution.weights[index]
            return !(weight <= 0 && gradient[index] > 0) && !(weight >= Self.mostWeight && gradient[index] < 0)
        }
        var matrix = free.map { row in free.map { hessian[row * size + $0] } }
        for index in matrix.indices { matrix[index][index] += 1e-9 }
        let solved = solveSymmetric(matrix, free.map { -gradient[$0] })
        var step = [Double](repeating: 0, count: size)
        for (place, index) in free.enumerated() { step[index] = solved[place] }
        return step
    }

    private func moved(_ solution: Solution, by step: [Double], _ factor: Double) -> Solution {
        var moved = solution
        moved.base += 10 * factor * (step.last ?? 0)
        for signal in prior.indices {
            moved.weights[signal] = min(max(solution.weights[signal] + factor * step[signal], 0), Self.mostWeight)
        }
        return moved
    }
}

/// Solves a symmetric positive definite system by Cholesky's decomposition.
/// - Complexity: O(*n*³)
func solveSymmetric(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
    let size = right.count
    var lower = matrix
    for column in 0..<size {
        for row in column..<size {
            var sum = matrix[row][column]
            for inner in 0..<column { sum -= lower[row][inner] * lower[column][inner] }
            lower[row][column] = row == column ? max(sum, 1e-12).squareRoot() : sum / lower[column][column]
        }
    }
    var out = right
    for row in 0..<size {
        for inner in 0..<row { out[row] -= lower[row][inner] * out[inner] }
        out[row] /= lower[row][row]
    }
    for row in stride(from: size - 1, through: 0, by: -1) {
        for inner in (row + 1)..<max(size, row + 1) { out[row] -= lower[inner][row] * out[inner] }
        out[row] /= lower[row][row]
    }
    return out
}

/// Slope and offset that make probabilities of logits: σ(slope·z + offset) (John Platt, "Probabilistic Outputs for Support
/// Vector Machines", 1999), by Newton's method.
struct PlattScaling: Sendable, Equatable {
    var slope = 1.0
    var offset = 0.0

    /// A slope beyond these says that the data can't tell.
    static let slopes = 0.25...4.0

    /// - Parameter fitsSlope: false: the slope stays 1.
    /// - Complexity: O(rounds × logits)
    init(logits: [Double], isHostile: [Bool], shares: [Double], fitsSlope: Bool = true) {
        guard isHostile.contains(true), isHostile.contains(false) else { return }
        func loss(_ slope: Double, _ offset: Double) -> Double {
            var sum = 0.0
            for row in logits.indices { sum += shares[row] * logarithmicLoss(slope * logits[row] + offset, isHostile[row]) }
            return sum
        }
        var least = loss(slope, offset)
        for _ in 0..<50 {
            var (gs, go, hss, hso, hoo) = (0.0, 0.0, 1e-12, 0.0, 1e-12)
            for row in logits.indices {
                let z = logits[row]
                let probability = 1 / (1 + exp(-(slope * z + offset)))
                let miss = shares[row] * (probability - (isHostile[row] ? 1 : 0))
                let curvature = shares[row] * probability * (1 - probability)
                gs += miss * z
                go += miss
                hss += curvature * z * z
                hso += curvature * z
                hoo += curvature
            }
            let step = fitsSlope ? solveSymmetric([[hss, hso], [hso, hoo]], [-gs, -go]) : [0, -go / hoo]
            var factor = 1.0
            var found = false
            while factor > 1e-4, !found {
                let (nextSlope, nextOffset) = (slope + factor * step[0], offset + factor * step[1])
                let value = loss(nextSlope, nextOffset)
                if value < least, Self.slopes.contains(nextSlope) {
                    found = least - value > 1e-12
                    (slope, offset, least) = (nextSlope, nextOffset, value)
                }
                factor /= 2
            }
            if !found { break }
        }
    }
}
