import Behavior
import Events

/// What the user does.
extension Scorer {
    func actionSignals(
        _ event: UnsafePointer<Event>, _ seen: Observation, _ row: UserRow, _ session: Int, _ shared: SharedView, _ out: inout Assessment
    ) {
        let header = row.header
        let total = Double(header.pointee.actionTotal)
        if seen.action != 0 {
            let actions = row.actions
            let index = actions.firstIndex(ofAction: seen.action)
            out.place.action = index
            let weight = index < 0 ? 0 : actions.base[index].weight
            if total >= Double(model.actionSamples) {
                if has(.actionRare) { rareSignal(weight, total, &out) }
                if has(.actionSequence) { sequenceSignal(seen, row, session, weight, shared, &out) }
            }
            if !seen.kinds.isEmpty {
                if seen.kinds.contains(.sensitive) && has(.actionSensitive) {
                    let share = Double(weight) / (total + Self.smoothing)
                    set(&out, .actionSensitive, 4 * 0.05 / (share + 0.05), samples: Float(total))
                }
                assuranceSignal(event, seen, &out)
                if has(.actionTakeover) { takeoverSignal(seen, row, &out) }
                if seen.kinds.contains(.export) && has(.actionExport) { exportSignal(seen, row, &out) }
            }
        }
        if has(.actionRate) { rateSignal(seen, row, &out) }
        if seen.resource != 0 && has(.actionBreadth) { breadthSignal(seen, row, &out) }
        if !event.pointee.amount.isNaN && has(.amountUnusual) { amountSignal(event, row, &out) }
    }

    private func rareSignal(_ weight: Float, _ total: Double, _ out: inout Assessment) {
        // One in two hundred is what still counts as usual; an action in fifty is everybody's.
        let own = Double(weight) + Self.smoothing / 50
        let usual = 0.005 * (total + Self.smoothing)
        if own < usual {
            set(
                &out, .actionRare, 10 * ln(usual, over: own) * total / (total + 50), observed: Double(weight), expected: total,
                samples: Float(total))
        }
    }

    // MARK: - Numbers

    /// Points for a number in the upper tail of what is usual, by the tail's log-odds.
    @inline(__always)
    func tailPoints(_ excess: Double) -> Double { 3 * (excess - Self.usualExcess) }

    /// Beyond this many points one is as unheard of as any: what divides them must be felt.
    static let mostOfTail = 24.0

    private func rateSignal(_ seen: Observation, _ row: UserRow, _ out: inout Assessment) {
        let pace = row.header.pointee.pace
        // Few have done anything lately.
        guard pace.weight >= 5, Double(row.header.pointee.rate.most + 1) >= Double(model.rateAtLeast) else { return }
        let count = row.header.pointee.rate.count(at: seen.time, hop: windows.rateHop, panes: panes) + 1
        guard count >= model.rateAtLeast else { return }
        let rate = Float(ln(Double(count)))
        guard pace.exceeds(1.5, by: rate, least: 0.35) else { return }
        let excess = pace.excess(of: rate, leastDeviation: 0.35)
        if excess > Self.usualExcess {
            set(
                &out, .actionRate, tailPoints(excess), observed: Double(count), expected: upper(pace, least: 0.35),
                detail: Double(windows.rate) / 1000, samples: pace.weight)
        }
    }

    private func breadthSignal(_ seen: Observation, _ row: UserRow, _ out: inout Assessment) {
        let usual = row.header.pointee.breadths
        guard usual.weight >= 5 else { return }
        let count = row.header.pointee.breadth.count(with: seen.resource, at: seen.time, length: model.breadthWindow)
        out.breadth = count
        guard Double(count) >= Double(model.breadthAtLeast) else { return }
        let breadth = Float(ln(Double(count)))
        guard usual.exceeds(1.5, by: breadth, least: 0.4) else { return }
        let excess = usual.excess(of: breadth, leastDeviation: 0.4)
        if excess > Self.usualExcess {
            set(
                &out, .actionBreadth, tailPoints(excess), observed: Double(count), expected: upper(usual, least: 0.4),
                detail: Double(model.breadthWindow) / 60_000, samples: usual.weight)
        }
    }

    private func amountSignal(_ event: UnsafePointer<Event>, _ row: UserRow, _ out: inout Assessment) {
        let usual = row.header.pointee.amounts
        guard Double(usual.weight) >= Double(model.amountSamples) else { return }
        let amount = Float(ln(1 + event.pointee.amount))
        // Smaller than what is usual is nobody's harm, and as large as usual needs no second look.
        guard usual.exceeds(0.5, by: amount, least: 0.3) else { return }
        let isInTail = usual.exceeds(1.5, by: amount, least: 0.3)
        let spread = row.header.pointee.amountSpread
        let largest = Double(spread.largest ?? .infinity)
        guard isInTail || event.pointee.amount > 2 * largest else { return }
        let excess = usual.excess(of: amount, leastDeviation: 0.3)
        guard excess > 1 else { return }
        let weight = Double(spread.weight)
        var points = 0.0
        if isInTail {
            let above = max(0, 1 - Double(spread.rank(of: Float(event.pointee.amount) + 1))) * weight
            // Rent among coffees: moments cry each month, and it has been seen; which less than halves it, as seeing proves little.
            points = min(tailPoints(excess), Self.mostOfTail) / min(1 + above, 2.5)
        }
        // Wages and coffees: moments find everything between and beyond them usual.
        if event.pointee.amount > 2 * largest {
            points = max(points, 4 * ln(event.pointee.amount, over: max(largest, 1)) * weight / (weight + 20))
        }
        if points > 0 {
            set(&out, .amountUnusual, points, observed: event.pointee.amount, expected: upper(usual, least: 0.3) - 1, samples: usual.weight)
        }
    }

    /// The number up to which about 98 of 100 are.
    private func upper(_ logs: DecayedMoments, least: Double) -> Double {
        Portable.exp(Double(logs.mean) + 2 * max(Double(logs.variance).squareRoot(), least))
    }

    // MARK: - What an intruder does

    private func takeoverSignal(_ seen: Observation, _ row: UserRow, _ out: inout Assessment) {
        let own = seen.kinds.intersection(.changes)
        guard !own.isEmpty else { return }
        var steps = 0
        for index in 0..<ActionKinds.changeCount {
            let age = seen.time.milliseconds - Int64(row.header.pointee.changes[index]) * 1000
            if own.contains(.change(index)) || (age >= -model.takeoverWindow && age <= model.takeoverWindow) { steps += 1 }
        }
        if steps >= 2 {
            set(&out, .actionTakeover, steps == 2 ? 10 : 25, observed: Double(steps), detail: Double(model.takeoverWindow) / 60_000)
        }
    }

    private func exportSignal(_ seen: Observation, _ row: UserRow, _ out: inout Assessment) {
        let count = row.header.pointee.exports.count(at: seen.time, length: model.exportsWindow) + 1
        // Out of hours nobody looks over one's shoulder.
        let contexts = Double(row.header.pointee.contexts)
        let (own, alike) = hourShare(seen.hour, row, contexts)
        let isOffHours = contexts >= 3 && own < alike / 2
        guard count >= (isOffHours ? (model.exportsAtLeast + 1) / 2 : model.exportsAtLeast) else { return }
        // Ten windows with two exports stand for whoever has exported nothing yet.
        var usual = DecayedMoments()
        (usual.weight, usual.mean, usual.squares) = (10, 0.7, 4)
        usual.merge(row.header.pointee.exportCounts, weight: 1)
        let excess = usual.excess(of: Float(ln(Double(count))), leastDeviation: 0.35)
        guard excess > Self.usualExcess else { return }
        set(
            &out, .actionExport, tailPoints(excess) * (isOffHours ? 1.5 : 1), observed: Double(count),
            expected: upper(usual, least: 0.35), detail: Double(model.exportsWindow) / (isOffHours ? -60_000 : 60_000),
            samples: usual.weight - 10)
    }
}
