import Behavior
import Events

/// Whether what is done lately is like what the user does.
extension Scorer {
    /// Kinds of action there may be, where nobody has done this one.
    static let kindsOfAction = 1000.0
    /// Log-odds by which the user's own actions are more surprising, on and off, than they are on average.
    static let usualSurprise: Float = 0.6

    func sequenceSignal(
        _ seen: Observation, _ row: UserRow, _ session: Int, _ weight: Float, _ shared: SharedView,
        _ out: inout Assessment
    ) {
        var course = ActionCourse()
        if session >= 0 {
            course = row.sessions.base[session].course
        } else {
            course = row.header.pointee.course
            if seen.session != 0 { course = ActionCourse(after: course) }
        }
        course.count(step(seen.action, after: course.last, row, weight, shared, &out), length: Float(model.sequenceWindow))
        out.course = course.window
        let sum = Double(course.window.sum)
        set(
            &out, .actionSequence, Self.coursePoints(sum), observed: min(Double(course.window.count), model.sequenceWindow),
            detail: sum, samples: row.header.pointee.actionTotal)
    }

    /// ln p(action | somebody else) − ln p(action | user), the user's unigram backed off to what others do; and, held within
    /// bounds, since nobody knows what follows what among the others, how much less likely the user's bigram finds it than
    /// the unigram. Many pairs have no slot: so the bigram is backed off with twice the weight of Witten and Bell.
    private func step(
        _ action: UInt32, after last: UInt32, _ row: UserRow, _ weight: Float, _ shared: SharedView,
        _ out: inout Assessment
    ) -> Float {
        let total = Double(row.header.pointee.actionTotal)
        let uniform = 1 / Self.kindsOfAction
        let share = shared.actionShare(action)
        let others = share > 0 ? 0.8 * share + 0.2 * uniform : uniform
        // Probabilities are kept as quotients: divisions that wait for each other are what this step's time goes into.
        let norm = total + Self.smoothing
        // What is new to the user is more often something seldom than what everybody does.
        let own = Double(weight) + Self.smoothing * (others + uniform) / 2
        var order = 0.0
        if last != 0 {
            let (context, pair) = row.pairs.context(of: action, after: last)
            out.place.pair = pair
            let rest = 2 * Double(context.kinds)
            if rest > 0 {
                let following = Double(context.pair) * norm + rest * own
                order = 0.4 * min(max(ln(own * (Double(context.total) + rest), over: following), -1.5), 1.5)
            }
        }
        let trust = total / (total + 50)
        if share > 0 { return Float((ln(others * norm, over: own) + order) * trust) }
        // As long as nobody knows what others do, the user's own usual surprise is what there is to compare with.
        out.surprise = Float(order - ln(own, over: norm))
        let usual = row.header.pointee.surprises
        return usual.weight < 20 ? 0 : Float(Double(out.surprise - usual.mean - Self.usualSurprise) * trust)
    }

    /// Log-odds summed over dependent steps say less than their sum.
    static func coursePoints(_ sum: Double) -> Double {
        // Of either sign as often as not: the greater of both is the one that counts, without a branch.
        ln(1 + max(sum * 5 / 12, -sum)) * (sum > 0 ? 12 : -5)
    }
}
