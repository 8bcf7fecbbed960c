/// How often each of any number of things was counted, never too little and rarely much too much (Cormode,
/// Muthukrishnan, "An improved data stream summary: the count-min sketch", Journal of Algorithms 2005).
///
/// A view over memory that its owner keeps, images and frees: 8 bytes for the total, then 4 rows of `width` cells of
/// 32 bits. All-zero memory is the empty sketch. With N counted in all, an estimate exceeds the truth by more than
/// e/width · N with a probability of at most e⁻⁴ = 1.8 %. What is counted must be a keyed hash.
public struct CountMinSketch {
    public static let depth = 4
    /// Cells of a row, a power of two.
    public let width: Int
    @usableFromInline let base: UnsafeMutableRawPointer

    /// Bytes that a sketch of this width takes.
    public static func byteCount(width: Int) -> Int { 8 + depth * width * 4 }

    /// A sketch over `byteCount(width:)` bytes, aligned to 8.
    /// - Precondition: `width` is a power of two from 2 to 2³⁰.
    @inline(__always)
    public init(base: UnsafeMutableRawPointer, width: Int) {
        precondition(width >= 2 && width <= 1 << 30 && width & (width - 1) == 0, "the width of a sketch is a power of two")
        self.base = base
        self.width = width
    }

    /// The width that keeps the error at or below `error` of all that is counted.
    public static func width(error: Double) -> Int {
        var width = 2
        while width < 1 << 30 && 2.718281828459045 / Double(width) > error { width *= 2 }
        return width
    }

    @inlinable var cells: UnsafeMutablePointer<UInt32> { (base + 8).assumingMemoryBound(to: UInt32.self) }

    /// N: what was added in all, merged and halved as the cells were.
    @inlinable public private(set) var total: UInt64 {
        get { base.assumingMemoryBound(to: UInt64.self).pointee }
        nonmutating set { base.assumingMemoryBound(to: UInt64.self).pointee = newValue }
    }

    /// Multiply-shift with an odd multiplier for each row (Dietzfelbinger, Hagerup, Katajainen, Penttonen 1997).
    @inline(__always)
    @inlinable func cell(row: Int, _ hash: UInt64) -> Int {
        let multipliers: InlineArray<4, UInt64> = [
            0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F, 0xD6E8_FEB8_6659_FD93, 0xA076_1D64_78BD_642F,
        ]
        let mixed = (hash ^ hash >> 32) &* multipliers[row]
        return row &* width &+ Int(truncatingIfNeeded: mixed >> UInt64(64 &- width.trailingZeroBitCount))
    }

    /// Counts a thing `count` times. Cells and total saturate.
    /// - Complexity: O(depth), one cache miss a row.
    @inline(__always)
    @inlinable public func add(hash: UInt64, count: UInt32 = 1) {
        total = total.saturatingAdd(UInt64(count))
        for row in 0..<Self.depth {
            let cell = cell(row: row, hash)
            cells[cell] = cells[cell].saturatingAdd(count)
        }
    }

    /// At least how often the thing was counted.
    /// - Complexity: O(depth)
    @inline(__always)
    @inlinable public func count(hash: UInt64) -> UInt32 {
        var least = UInt32.max
        for row in 0..<Self.depth { least = min(least, cells[cell(row: row, hash)]) }
        return least
    }

    /// Becomes the sketch of both streams, to the bit: the update is plain and not the conservative one for this.
    /// - Precondition: the widths are equal.
    /// - Complexity: O(width)
    public func merge(_ other: CountMinSketch) {
        precondition(other.width == width, "only sketches of one width merge")
        total = total.saturatingAdd(other.total)
        for cell in 0..<Self.depth * width { cells[cell] = cells[cell].saturatingAdd(other.cells[cell]) }
    }

    /// Halves every count, rounding down: an estimate stays at or above half the truth, rounded down. Halved once per
    /// half-life, the sketch remembers about as much as it forgets, and never saturates for long.
    /// - Complexity: O(width)
    public func halve() {
        total >>= 1
        for cell in 0..<Self.depth * width { cells[cell] >>= 1 }
    }

    public func removeAll() { base.initializeMemory(as: UInt8.self, repeating: 0, count: Self.byteCount(width: width)) }
}

extension FixedWidthInteger {
    /// The sum, or the greatest value where there is none.
    @inlinable func saturatingAdd(_ other: Self) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
