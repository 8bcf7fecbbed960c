import Events

/// When somebody is usually there: 24 hours of the day and 7 days of the week, faded, in 64 bytes. All-zero bytes are empty.
///
/// Hours are smoothed round the clock with a von Mises kernel of κ = 5, which is about 1¾ hours wide, so that half past
/// eight is not strange to somebody who comes at nine, nor one at night to who is there at eleven. Times are UTC unless
/// moved by `offset`, in milliseconds east of it.
public struct CircularHours: Sendable, BitwiseCopyable {
    public private(set) var hours = FadingBins<24>()
    /// Monday is 0.
    public private(set) var days = FadingBins<7>()
    var padding: UInt16 = 0

    public init() {}

    /// e^(κ·cos(2π·d/24)), d hours away, scaled so that all 24 add up to 1.
    static let kernel: InlineArray<13, Float> = [
        0.227015812, 0.191454236, 0.116180695, 0.0524863732, 0.0186345926, 0.00557958778, 0.00152962051,
        0.000419339027, 0.000125558898, 4.45780259e-05, 2.01387926e-05, 1.22208782e-05, 1.03065019e-05,
    ]

    /// Takes in that somebody was there. For the weight see `FadingBins`.
    /// - Complexity: O(1)
    public mutating func add(at time: Timestamp, weight: Float = 1, offset: Int64 = 0) {
        hours.add(to: Int(Self.moment(time, offset) / 3_600_000), weight: weight)
        days.add(to: Self.day(time, offset), weight: weight)
    }

    public mutating func decay(by factor: Float) {
        hours.decay(by: factor)
        days.decay(by: factor)
    }

    public mutating func merge(_ other: CircularHours) {
        hours.merge(other.hours)
        days.merge(other.days)
    }

    /// Observations, faded.
    public var weight: Float { hours.weight }

    /// How probable this time of day is, as the share of an hour, with `prior` observations spread evenly over the day
    /// added: 1/24 says nothing, a day's shares add up to 1. Between the middles of hours it is interpolated.
    /// - Complexity: O(48)
    public func density(at time: Timestamp, prior: Float = 1, offset: Int64 = 0) -> Float {
        let position = Float(Self.moment(time, offset)) / 3_600_000 + 23.5
        let hour = Int(position)
        let part = position - Float(hour)
        let (before, after) = (smoothed(hour % 24), smoothed((hour + 1) % 24))
        let prior = max(prior, 0.001)
        return (before + (after - before) * part + prior / 24) / (weight + prior)
    }

    /// How probable this day of the week is, with `prior` observations spread evenly over the week added: 1/7 says nothing.
    public func dayShare(at time: Timestamp, prior: Float = 1, offset: Int64 = 0) -> Float {
        let prior = max(prior, 0.001)
        return (Float(days[Self.day(time, offset)]) / FadingBins<7>.unitsPerObservation + prior / 7) / (days.weight + prior)
    }

    /// The smoothed share of each hour; all 0 when empty.
    public var shares: InlineArray<24, Float> {
        var shares = InlineArray<24, Float>(repeating: 0)
        let weight = weight
        if weight > 0 { for hour in 0..<24 { shares[hour] = smoothed(hour) / weight } }
        return shares
    }

    /// The hour of the day that is most usual, smoothed; the earliest of equals, nil when empty.
    public var mode: Int? {
        var best: (hour: Int, share: Float)?
        for hour in 0..<24 {
            let share = smoothed(hour)
            if share > best?.share ?? 0 { best = (hour, share) }
        }
        return best?.hour
    }

    /// Observations around an hour, by the kernel.
    private func smoothed(_ hour: Int) -> Float {
        let kernel = Self.kernel
        var sum: Float = 0
        for bin in 0..<24 {
            let away = abs(bin - hour)
            sum += Float(hours[bin]) * kernel[min(away, 24 - away)]
        }
        return sum / FadingBins<24>.unitsPerObservation
    }

    /// Milliseconds into the day.
    private static func moment(_ time: Timestamp, _ offset: Int64) -> Int64 {
        let within = (time.milliseconds &+ offset) % 86_400_000
        return within < 0 ? within + 86_400_000 : within
    }

    private static func day(_ time: Timestamp, _ offset: Int64) -> Int {
        let local = time.milliseconds &+ offset
        let day = (local / 86_400_000 - (local % 86_400_000 < 0 ? 1 : 0)) % 7
        // 1 January 1970 was a Thursday.
        return Int((day + 7 + 3) % 7)
    }
}
