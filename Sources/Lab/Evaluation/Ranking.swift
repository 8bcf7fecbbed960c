/// Units in the order of their scores, ready to be measured again and again with other weights of users.
///
/// A unit without a score ranks below all that have one. Ties count half in the area under the curve, and fall together
/// on one side of a threshold everywhere else.
struct Ranking {
    /// A hostile unit, and how the legitimate ones lie around it.
    struct Hostile {
        var user: UInt32
        var score: Float
        /// Legitimate units with a higher score.
        var above: Int32
        /// Legitimate units with this score or a higher one.
        var reached: Int32
    }

    /// Users of the legitimate units, most suspicious first.
    private let legitimate: [UInt32]
    /// By kind, most suspicious first; index 0 has all kinds together.
    private let hostile: [[Hostile]]

    /// How many units there are, and how many of them have a score.
    let legitimateUnits: Int
    let legitimateScored: Int
    let hostileUnits: [Int]
    let scored: [Int]

    /// What is measured of a kind, in this order, as rates of 1.
    enum Measure: Int, CaseIterable {
        /// Probability that a hostile unit ranks above a legitimate one.
        case area
        /// Share of hostile units found while at most so many of the legitimate ones are suspected with them.
        case recallAtPercent, recallAtPerMille
        /// Share of legitimate units suspected at the threshold that finds so many of the hostile ones.
        case suspectedAt90, suspectedAt99
    }

    /// - Parameter kinds: how many kinds there are, legitimate included.
    /// - Complexity: O(*n* log *n*)
    init(_ units: [ScoredUnit], kinds: Int) {
        func rank(_ score: Float) -> Float { score.isNaN ? -.infinity : score }
        let sorted = units.filter { $0.kind == 0 }.map { (score: rank($0.score), user: $0.user) }
            .sorted { $0.score != $1.score ? $0.score > $1.score : $0.user < $1.user }
        legitimate = sorted.map(\.user)
        let scores = sorted.map(\.score)
        /// How many legitimate scores satisfy a condition that holds for a prefix.
        func prefix(where holds: (Float) -> Bool) -> Int32 {
            var (low, high) = (0, scores.count)
            while low < high {
                let middle = (low + high) / 2
                if holds(scores[middle]) { low = middle + 1 } else { high = middle }
            }
            return Int32(low)
        }
        var lists = [[Hostile]](repeating: [], count: kinds)
        var scored = [Int](repeating: 0, count: kinds)
        for unit in units where unit.kind != 0 {
            let score = rank(unit.score)
            let place = Hostile(
                user: unit.user, score: score, above: prefix { $0 > score }, reached: prefix { $0 >= score })
            for kind in [0, Int(unit.kind)] {
                lists[kind].append(place)
                if !unit.score.isNaN { scored[kind] += 1 }
            }
        }
        for kind in lists.indices { lists[kind].sort { $0.score != $1.score ? $0.score > $1.score : $0.user < $1.user } }
        hostile = lists
        legitimateUnits = sorted.count
        legitimateScored = units.count { $0.kind == 0 && !$0.score.isNaN }
        hostileUnits = lists.map(\.count)
        self.scored = scored
    }

    /// Whether nineteen in twenty of a kind's units have a score, and of the legitimate ones: ranks of what has none would
    /// say little, and on the legitimate side flatter.
    func covers(_ kind: Int) -> Bool {
        Double(scored[kind]) >= 0.95 * Double(hostileUnits[kind])
            && Double(legitimateScored) >= 0.95 * Double(legitimateUnits)
    }

    /// All measures of all kinds, kind by kind; NaN where there is nothing to measure. `weights` says how often each user
    /// counts.
    /// - Complexity: O(units)
    func measure(_ weights: UserWeights) -> [Double] {
        var out = [Double](repeating: .nan, count: hostile.count * Measure.allCases.count)
        // Weight of the legitimate units before each place.
        var before = [Double](repeating: 0, count: legitimate.count + 1)
        var total = 0.0
        for (index, user) in legitimate.enumerated() {
            total += weights[user]
            before[index + 1] = total
        }
        guard total > 0 else { return out }
        for (kind, list) in hostile.enumerated() {
            var all = 0.0
            for unit in list { all += weights[unit.user] }
            guard all > 0 else { continue }
            var measures = Measures()
            var found = 0.0
            for unit in list {
                let weight = weights[unit.user]
                let (above, reached) = (before[Int(unit.above)], before[Int(unit.reached)])
                found += weight
                measures.area += weight * (total - (above + reached) / 2)
                if reached <= 0.01 * total { measures.percent = found }
                if reached <= 0.001 * total { measures.perMille = found }
                if measures.at90 < 0, found >= 0.9 * all { measures.at90 = reached }
                if measures.at99 < 0, found >= 0.99 * all { measures.at99 = reached }
            }
            let start = kind * Measure.allCases.count
            out[start + Measure.area.rawValue] = measures.area / (all * total)
            out[start + Measure.recallAtPercent.rawValue] = measures.percent / all
            out[start + Measure.recallAtPerMille.rawValue] = measures.perMille / all
            out[start + Measure.suspectedAt90.rawValue] = measures.at90 / total
            out[start + Measure.suspectedAt99.rawValue] = measures.at99 / total
        }
        return out
    }

    private struct Measures {
        var area = 0.0, percent = 0.0, perMille = 0.0, at90 = -1.0, at99 = -1.0
    }

    /// A threshold's place on a kind's curve.
    struct Corner {
        /// Share of legitimate units with a higher score, and with this one too.
        var above: Double
        var reached: Double
        /// Share of hostile units with this score or a higher one.
        var found: Double
    }

    /// The corners of a kind's curve, strictest threshold first.
    /// - Complexity: O(hostile units)
    func curve(kind: Int) -> [Corner] {
        let list = hostile[kind]
        guard legitimateUnits > 0 else { return [] }
        var corners: [Corner] = []
        for (index, unit) in list.enumerated() where index + 1 == list.count || list[index + 1].score != unit.score {
            corners.append(Corner(
                above: Double(unit.above) / Double(legitimateUnits), reached: Double(unit.reached) / Double(legitimateUnits),
                found: Double(index + 1) / Double(list.count)))
        }
        return corners
    }
}
