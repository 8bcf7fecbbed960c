import Foundation

/// Durations, sizes and numbers as they are written in pipeline files.
enum Units {
    private static let durations: [(suffix: String, milliseconds: Int)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]
    private static let sizes: [(suffix: String, bytes: Int)] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)]

    /// `100ms`, `30s`, `5m`, `12h`, `30d`; nil for anything else.
    static func milliseconds(_ text: String) -> Int? {
        for (suffix, unit) in durations where text.hasSuffix(suffix) {
            let digits = text.dropLast(suffix.count)
            guard isDigits(digits), let count = Int(digits) else { continue }
            let (value, overflow) = count.multipliedReportingOverflow(by: unit)
            return overflow ? nil : value
        }
        return nil
    }

    /// With the largest unit that divides it.
    static func duration(_ milliseconds: Int) -> String {
        if milliseconds == 0 { return "0s" }
        let unit = durations.last { milliseconds % $0.milliseconds == 0 } ?? durations[0]
        return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
    }

    /// `256B`, `64KiB`, `1MiB`, `2GiB`; nil for anything else.
    static func bytes(_ text: String) -> Int? {
        for (suffix, unit) in sizes where text.hasSuffix(suffix) {
            let digits = text.dropLast(suffix.count)
            guard isDigits(digits), let count = Int(digits) else { continue }
            let (value, overflow) = count.multipliedReportingOverflow(by: unit)
            return overflow ? nil : value
        }
        return nil
    }

    /// With the largest unit that divides it.
    static func size(_ bytes: Int) -> String {
        for (suffix, unit) in sizes.dropLast().reversed() where bytes >= unit && bytes % unit == 0 {
            return "\(bytes / unit)\(suffix)"
        }
        return "\(bytes)B"
    }

    /// A finite decimal number as JSON writes it: `30`, `-47.9`, `1e3`. Not `.5`, `0x10`, `nan` or `1_000`.
    static func decimal(_ text: String) -> Double? {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard text.utf8.count <= 32, let first = digits.utf8.first, (48...57).contains(first),
            digits.utf8.allSatisfy({ (48...57).contains($0) || [43, 45, 46, 69, 101].contains($0) }),
            let value = Double(text), value.isFinite
        else { return nil }
        return value
    }

    /// The shortest text that reads back as the same number.
    static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) <= 1e15 ? String(Int(value)) : String(value)
    }
}
