import Behavior
import Events
import Glibc

/// Scores events: every enabled signal compares the event with the user's baseline and windows as they were before
/// it, and the evidence is added up in log-odds.
///
/// Categorical novelty follows Freeman, Jain, Dürmuth, Biggio, Giacinto, "Who Are You?", NDSS 2016: the log of the
/// likelihood ratio of seeing an unknown value under "not the user" and under "the user". The probability that this
/// user brings something new is estimated from how often he did (Good–Turing), smoothed with `smoothing` pseudo-counts
/// of the population's rate, so that somebody who roams is not suspected for roaming.
public struct Scorer: Sendable {
    let windows: WindowOptions
    let model: ModelOptions
    let panes: Int
    /// Weight of each signal, 0 where disabled, and cap: flat copies, because array fields of a struct cost retains.
    let weights: InlineArray<16, Double>
    let caps: InlineArray<16, Double>
    let groupCaps: InlineArray<8, Double>
    /// Group of each signal.
    let groups: InlineArray<16, Int>

    static let smoothing = 5.0
    private static var groupCount: Int { Int(SignalGroup.input.rawValue) + 1 }

    public init(model: ModelOptions, windows: WindowOptions) {
        self.model = model
        self.windows = windows
        panes = max(1, min(16, Int(windows.rate / max(windows.rateHop, 1))))
        var weights = InlineArray<16, Double>(repeating: 0)
        var caps = InlineArray<16, Double>(repeating: 0)
        for (index, options) in model.signals.enumerated() {
            weights[index] = options.enabled ? options.weight : 0
            caps[index] = options.cap
        }
        var groupCaps = InlineArray<8, Double>(repeating: 0)
        for (index, cap) in model.groupCaps.enumerated() { groupCaps[index] = cap }
        var groups = InlineArray<16, Int>(repeating: 0)
        for signal in Signal.allCases { groups[Int(signal.rawValue)] = Int(signal.group.rawValue) }
        self.weights = weights
        self.groups = groups
        self.caps = caps
        self.groupCaps = groupCaps
    }

    /// Scores one event against the row as it is. `session` is the index of its session's slot, -1 where there is none.
    /// - Complexity: O(bounded row)
    public func score(
        _ event: Event, _ seen: Observation, row: UserRow, session: Int, into out: inout Assessment
    ) {
        out.clear()
        let header = row.header
        let contexts = Double(header.pointee.contexts)
        deviceSignals(seen, row, contexts, session, &out)
        originSignals(seen, row, contexts, session, &out)
        if session >= 0 { sessionSignals(seen, row, session, &out) }
        if event.type == .login { loginSignals(event, seen, row, &out) }
        if event.type == .action { actionSignals(event, seen, row, &out) }
        timeSignal(seen, row, contexts, &out)
        inputSignal(event, seen, row, &out)
        fuse(contexts, &out)
    }

    /// The score of an event that is not itself judged (a challenge's result, a verdict): the base rate alone.
    public func scoreNothing(row: UserRow, into out: inout Assessment) {
        out.clear()
        fuse(Double(row.header.pointee.contexts), &out)
    }

    // MARK: - Fusion

    private func fuse(_ contexts: Double, _ out: inout Assessment) {
        // Familiarity is no answer to a session that is in two hands.
        let isHijack = out.positive[Int(SignalGroup.session.rawValue)] > 0
            || out.fired.contains(SignalSet(.deviceChangedInSession))
        let allowance = isHijack ? 0 : model.reassuranceCap
        let negativeScale = -out.negative > allowance ? allowance / -out.negative : 1
        var isCapped = negativeScale != 1
        for group in 0..<Self.groupCount where out.positive[group] > groupCaps[group] { isCapped = true }
        var total = model.base
        var bits = out.present.rawValue
        while bits != 0 {
            let index = bits.trailingZeroBitCount
            bits &= bits - 1
            let slot = out.evidence + index
            var points = slot.pointee.points
            if isCapped {
                let group = groups[index]
                if points <= 0 {
                    points *= negativeScale
                } else if out.positive[group] > groupCaps[group] {
                    points *= groupCaps[group] / out.positive[group]
                }
            }
            // Rounded as on the wire, so that what a person adds up is what was decided on.
            let tenths = Int64(points * 10 + (points < 0 ? -0.5 : 0.5))
            points = Double(tenths) / 10
            slot.pointee.points = points
            if tenths == 0 { out.present.remove(SignalSet(rawValue: 1 << UInt64(index))) }
            if tenths <= 0 { out.fired.remove(SignalSet(rawValue: 1 << UInt64(index))) }
            total += points
        }
        out.points = total
        out.score = 100 / (1 + exp(-total / 10))
        out.level =
            out.score >= model.criticalScore ? .critical
            : out.score >= model.highScore ? .high : out.score >= model.mediumScore ? .medium : .low
        out.confidence =
            contexts >= Double(model.establishedSamples) ? .established
            : contexts >= Double(model.partialSamples) ? .partial : .learning
    }

    // MARK: - Likelihood ratios

    /// 10·ln of how much likelier an unknown value is for somebody else (`attacker`) than for this user, who brought
    /// something new `novel` times in `contexts`; `usual` is the population's rate. Grows into its weight with history.
    @inline(__always)
    private func novelty(_ novel: Float, _ contexts: Double, usual: Double, attacker: Double) -> Double {
        let own = (Double(novel) + Self.smoothing * usual) / (contexts + Self.smoothing)
        return 10 * ln(attacker / min(own, attacker)) * trust(contexts)
    }

    /// 10·ln of how much likelier a known value of this weight is for the user than for somebody else (negative points).
    @inline(__always)
    private func familiarity(_ weight: Float, _ contexts: Double, elsewhere: Double, most: Double) -> Double {
        let own = Double(weight) / (contexts + Self.smoothing)
        return own <= elsewhere ? 0 : max(-most, 10 * ln(elsewhere / own)) * trust(contexts)
    }

    /// Weight from which a value counts as known: one whole observation, half a half-life old.
    static let knownWeight: Float = 0.7

    /// A value that was seen, but with less weight than one observation, is still partly new.
    @inline(__always)
    private func blend(_ weight: Float, novel: @autoclosure () -> Double, familiar: @autoclosure () -> Double) -> Double {
        weight >= Self.knownWeight ? familiar() : novel() * Double(1 - max(weight, 0) / Self.knownWeight)
    }

    /// 0 without history, towards 1 with it: not knowing is not danger.
    @inline(__always)
    private func trust(_ contexts: Double) -> Double { contexts / (contexts + Self.smoothing) }

    /// Notes evidence, weighted and within the signal's cap.
    @inline(__always)
    private func set(
        _ out: inout Assessment, _ signal: Signal, _ points: Double, observed: Double = 0, expected: Double = 0,
        detail: Double = 0, samples: Float = 0
    ) {
        let index = Int(signal.rawValue)
        out.set(
            signal, min(points * weights[index], caps[index]), group: groups[index], observed: observed,
            expected: expected, detail: detail, samples: samples)
    }

    @inline(__always)
    private func has(_ signal: Signal) -> Bool { weights[Int(signal.rawValue)] != 0 }

    // MARK: - Device

    private func deviceSignals(
        _ seen: Observation, _ row: UserRow, _ contexts: Double, _ session: Int, _ out: inout Assessment
    ) {
        if seen.device != 0 && contexts > 0 && has(.deviceNew) {
            let devices = row.devices
            var weight: Float = -1
            for index in 0..<devices.count where devices.base[index].fingerprint == seen.device {
                weight = devices.base[index].weight
            }
            let points = blend(
                weight, novel: novelty(row.header.pointee.newDevices, contexts, usual: 0.1, attacker: 0.95),
                familiar: familiarity(weight, contexts, elsewhere: 0.05, most: 8))
            set(
                &out, .deviceNew, points, observed: Double(max(weight, 0)), expected: Double(devices.count),
                samples: Float(contexts))
        }
        if session >= 0 && has(.deviceChangedInSession) {
            let bound = row.sessions.base[session].device
            if bound != 0 && bound != seen.device {
                set(&out, .deviceChangedInSession, seen.device == 0 ? 28 : 45, observed: Double(seen.device == 0 ? 0 : 1))
            }
        }
    }

    // MARK: - Network and place

    private func originSignals(
        _ seen: Observation, _ row: UserRow, _ contexts: Double, _ session: Int, _ out: inout Assessment
    ) {
        let header = row.header
        var knowsNetwork = false
        var knowsASN = false
        if seen.network != 0 {
            let networks = row.networks
            var weight: Float = -1
            for index in 0..<networks.count {
                let slot = networks.base + index
                if slot.pointee.key == seen.network { weight = slot.pointee.weight }
                if slot.pointee.asn == seen.asn && seen.asn != 0 { knowsASN = true }
            }
            knowsNetwork = weight >= 0
            if contexts > 0 && has(.networkNew) {
                var points = blend(
                    weight, novel: novelty(header.pointee.newNetworks, contexts, usual: 0.3, attacker: 0.95),
                    familiar: familiarity(weight, contexts, elsewhere: 0.05, most: 6))
                // Another prefix of a provider the user is known to use: most providers hand out many.
                if !knowsNetwork && knowsASN { points *= 0.35 }
                set(
                &out, .networkNew, points, observed: Double(seen.asn), expected: Double(networks.count),
                    detail: knowsASN ? 1 : 0, samples: Float(contexts))
            }
        }
        if session >= 0 && seen.network != 0 && has(.networkChangedInSession) {
            let slot = row.sessions.base + session
            if seen.isElsewhere(than: slot.pointee.network, asn: slot.pointee.asn) {
                let own = (Double(header.pointee.moves) + Self.smoothing * 0.15) / (contexts + Self.smoothing)
                let points = 10 * ln(0.9 / min(own, 0.9)) * (knowsNetwork ? 0.3 : 1)
                set(
                &out, .networkChangedInSession, points, observed: Double(seen.asn), expected: Double(slot.pointee.asn),
                    detail: Double(header.pointee.moves), samples: Float(contexts))
            }
        }
        placeSignals(seen, row, contexts, &out)
    }

    private func placeSignals(_ seen: Observation, _ row: UserRow, _ contexts: Double, _ out: inout Assessment) {
        guard seen.country != 0 else { return }
        let header = row.header
        if contexts > 0 && has(.placeNew) {
            let places = row.places
            var weight: Float = -1
            var knowsCountry = false
            for index in 0..<places.count where places.base[index].country == seen.country {
                let slot = places.base + index
                knowsCountry = true
                if slot.pointee.city == seen.city || seen.city == 0 || slot.pointee.city == 0 {
                    weight = max(weight, slot.pointee.weight)
                } else if seen.hasCoordinates && !slot.pointee.latitude.isNaN
                    && abs(slot.pointee.latitude - seen.latitude) < 0.5
                    && Observation.kilometres(
                        (slot.pointee.latitude, slot.pointee.longitude), (seen.latitude, seen.longitude)) < 50
                {
                    weight = max(weight, slot.pointee.weight)
                }
            }
            var points = blend(
                weight, novel: novelty(header.pointee.newPlaces, contexts, usual: 0.1, attacker: 0.9),
                familiar: familiarity(weight, contexts, elsewhere: 0.3, most: 3))
            if weight < 0 && knowsCountry { points *= 0.5 }
            set(
                &out, .placeNew, points, expected: Double(places.count), detail: knowsCountry ? 1 : 0,
                samples: Float(contexts))
        }
        if seen.hasCoordinates && !header.pointee.lastLatitude.isNaN && has(.travelImpossible) {
            let (latitude, longitude) = (header.pointee.lastLatitude, header.pointee.lastLongitude)
            guard latitude != seen.latitude || longitude != seen.longitude else { return }
            let distance = Observation.kilometres((latitude, longitude), (seen.latitude, seen.longitude))
            guard distance >= model.travelKilometres else { return }
            // A late event lies before the last place: the distance in time counts, not its direction.
            let hours = Double(max(abs(seen.time - header.pointee.lastPlaceTime), 1000)) / 3_600_000
            guard distance / hours >= model.travelKilometresPerHour else { return }
            set(
                &out, .travelImpossible, 27, observed: distance, expected: model.travelKilometresPerHour,
                detail: hours * 60, samples: Float(contexts))
        }
    }

    // MARK: - Session

    private func sessionSignals(_ seen: Observation, _ row: UserRow, _ session: Int, _ out: inout Assessment) {
        let slot = row.sessions.base + session
        if seen.token != 0 && slot.pointee.token == seen.token && has(.sessionTokenReplayed) {
            let moved = seen.isElsewhere(than: slot.pointee.tokenNetwork, asn: slot.pointee.tokenASN)
            let noDevices = slot.pointee.tokenDevice == 0 && seen.device == 0
            // The same device elsewhere is a person who moved or turned a VPN on; a token does not change devices.
            if moved && (slot.pointee.tokenDevice != seen.device || noDevices) {
                set(
                &out, .sessionTokenReplayed, noDevices ? 25 : 50, observed: Double(seen.asn),
                    expected: Double(slot.pointee.tokenASN), detail: noDevices ? 1 : 0)
            }
        }
        if seen.isElsewhere(than: slot.pointee.currentNetwork, asn: slot.pointee.currentASN) && has(.sessionTwoPlaces) {
            let minutes = Double(abs(seen.time - slot.pointee.window.last)) / 60_000
            let otherDevice = slot.pointee.device != 0 && slot.pointee.device != seen.device
            if otherDevice && minutes <= 30 {
                set(&out, .sessionTwoPlaces, 45, observed: Double(seen.asn), expected: Double(slot.pointee.currentASN),
                    detail: minutes)
            } else if slot.pointee.moves >= 3 && minutes <= 10 {
                set(
                &out, .sessionTwoPlaces, 30, observed: Double(slot.pointee.moves) + 1,
                    expected: Double(slot.pointee.currentASN), detail: -1)
            }
        }
    }

    // MARK: - Login

    private func loginSignals(_ event: Event, _ seen: Observation, _ row: UserRow, _ out: inout Assessment) {
        let before = row.failures.count == 0 ? 0 : row.failures.base[0].count(at: seen.time, length: windows.failures)
        if event.outcome == .failure && has(.loginFailures) {
            let count = before + 1
            if count >= model.failuresAtLeast {
                set(
                &out, .loginFailures, 10 + 3 * Double(count - model.failuresAtLeast), observed: Double(count),
                    expected: Double(model.failuresAtLeast), detail: Double(windows.failures) / 60_000)
            }
        }
        if event.outcome == .success && before >= model.successAfterFailures && has(.loginSuccessAfterFailures) {
            // Somebody on his own device has more likely forgotten the password than guessed it.
            var familiar = false
            let devices = row.devices
            for index in 0..<devices.count where devices.base[index].fingerprint == seen.device && seen.device != 0 {
                familiar = true
            }
            let points = 15 + 3 * Double(before - model.successAfterFailures)
            set(
                &out, .loginSuccessAfterFailures, familiar ? points * 0.4 : points, observed: Double(before),
                expected: Double(model.successAfterFailures), detail: Double(windows.failures) / 60_000)
        }
    }

    // MARK: - Conduct

    private func actionSignals(_ event: Event, _ seen: Observation, _ row: UserRow, _ out: inout Assessment) {
        let header = row.header
        let total = Double(header.pointee.actionTotal)
        if seen.action != 0 && total >= 20 && has(.actionRare) {
            var weight: Float = 0
            let actions = row.actions
            for index in 0..<actions.count where actions.base[index].fingerprint == seen.action {
                weight = actions.base[index].weight
            }
            // One in two hundred is what still counts as usual; an action in fifty is everybody's.
            let own = (Double(weight) + Self.smoothing / 50) / (total + Self.smoothing)
            if own < 0.005 {
                set(
                &out, .actionRare, min(12, 10 * ln(0.005 / own)) * total / (total + 50), observed: Double(weight),
                    expected: total, samples: Float(total))
            }
        }
        let count = header.pointee.rate.count(at: seen.time, hop: windows.rateHop, panes: panes) + 1
        if count >= model.rateAtLeast && header.pointee.pace.weight >= 5 && has(.actionRate) {
            let deviation = max(Double(header.pointee.pace.variance).squareRoot(), 0.35)
            let z = (ln(Double(count)) - Double(header.pointee.pace.mean)) / deviation
            if z > 2.5 {
                let trust = Double(header.pointee.pace.weight) / (Double(header.pointee.pace.weight) + Self.smoothing)
                set(
                &out, .actionRate, 6 * (z - 2) * trust, observed: Double(count),
                    expected: exp(Double(header.pointee.pace.mean) + 2 * deviation),
                    detail: Double(windows.rate) / 1000, samples: header.pointee.pace.weight)
            }
        }
        let amounts = header.pointee.amounts
        if !event.amount.isNaN && Double(amounts.weight) >= Double(model.amountSamples) && has(.amountUnusual) {
            let deviation = max(Double(amounts.variance).squareRoot(), 0.3)
            let z = (ln(1 + event.amount) - Double(amounts.mean)) / deviation
            if z > 2.5 {
                let trust = Double(amounts.weight) / (Double(amounts.weight) + Self.smoothing)
                set(
                &out, .amountUnusual, 5 * (z - 1) * trust, observed: event.amount,
                    expected: exp(Double(amounts.mean) + 2 * deviation) - 1, samples: amounts.weight)
            }
        }
    }

    private func timeSignal(_ seen: Observation, _ row: UserRow, _ contexts: Double, _ out: inout Assessment) {
        guard contexts >= 5, has(.timeUnusual) else { return }
        let header = row.header
        // Smoothed over the neighbours, so that daylight saving and a late train are not news.
        let before = Double(header.pointee.hours[(seen.hour + 23) % 24])
        let after = Double(header.pointee.hours[(seen.hour + 1) % 24])
        let weight = (before + 2 * Double(header.pointee.hours[seen.hour]) + after) / (4 * 32)
        let own = (weight + Self.smoothing / 24) / (contexts + Self.smoothing)
        let points = max(-3, 10 * ln((1.0 / 24) / own)) * contexts / (contexts + 20)
        if points > 2 || points < 0 {
            set(&out, .timeUnusual, points, observed: Double(seen.hour), expected: own * 100, samples: Float(contexts))
        }
    }

    private func inputSignal(_ event: Event, _ seen: Observation, _ row: UserRow, _ out: inout Assessment) {
        guard has(.inputMalformed) else { return }
        let header = row.header
        var points = 0.0
        var count = 0.0
        if header.pointee.malformed > 0 && seen.time - header.pointee.malformedAt <= model.malformedWindow {
            count = Double(header.pointee.malformed)
            points = 5 * count
        }
        let truncated = event.flags.contains(.truncated)
        if truncated { points += 5 }
        if points > 0 {
            set(
                &out, .inputMalformed, points, observed: count, expected: Double(model.malformedWindow) / 60_000,
                detail: truncated ? Double(event.truncatedBytes) : 0)
        }
    }
}
