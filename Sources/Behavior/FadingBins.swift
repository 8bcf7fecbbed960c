/// A histogram in 2 bytes a bin: 256 units are one observation. A bin that would overflow halves them all, so that the
/// shape stays; fading rounds down, so that what nobody feeds any more reaches 0. All-zero bytes are empty.
public struct FadingBins<let size: Int>: Sendable, BitwiseCopyable {
    @usableFromInline var units = InlineArray<size, UInt16>(repeating: 0)

    public static var unitsPerObservation: Float { 256 }

    @inlinable public init() {}

    @inlinable public subscript(bin: Int) -> UInt16 { units[bin] }

    /// Adds an observation of a weight above 0 (anything else changes nothing), rounded to a 256th and held below 256.
    /// - Complexity: O(1); O(size) when a bin overflows.
    @inlinable public mutating func add(to bin: Int, weight: Float = 1) {
        guard weight > 0 else { return }
        add(to: bin, units: UInt32(min(weight * Self.unitsPerObservation, 65_535).rounded()))
    }

    @inlinable mutating func add(to bin: Int, units added: UInt32) {
        let sum = UInt32(units[bin]) + added
        if sum <= 65_535 {
            units[bin] = UInt16(sum)
        } else {
            for index in 0..<size { units[index] >>= 1 }
            units[bin] = UInt16(min(sum >> 1, 65_535))
        }
    }

    /// Multiplies every bin by a factor from 0 to 1; another changes nothing. A bin ends up below its exact value by less
    /// than one unit for each time it has faded, and by less than 1/(1 − factor) units in all.
    @inlinable public mutating func decay(by factor: Float) {
        guard factor >= 0 && factor < 1 else { return }
        for bin in 0..<size { units[bin] = UInt16(Float(units[bin]) * factor) }
    }

    /// Adds another's bins: to the unit, unless one overflows.
    @inlinable public mutating func merge(_ other: FadingBins) {
        var greatest: UInt32 = 0
        for bin in 0..<size { greatest = max(greatest, UInt32(units[bin]) + UInt32(other.units[bin])) }
        let shift: UInt32 = greatest > 65_535 ? 1 : 0
        for bin in 0..<size { units[bin] = UInt16((UInt32(units[bin]) + UInt32(other.units[bin])) >> shift) }
    }

    @inlinable public var totalUnits: UInt32 {
        var sum: UInt32 = 0
        for bin in 0..<size { sum += UInt32(units[bin]) }
        return sum
    }

    /// Observations, faded.
    @inlinable public var weight: Float { Float(totalUnits) / Self.unitsPerObservation }
}
