extension Timestamp {
    /// Reads RFC 3339 (section 5.6): any offset, a fraction of any length (cut to milliseconds), `T`, `t` or a space
    /// between date and time. A leap second (60) is taken as 59.999. Nil when the text is anything else.
    public init?(rfc3339 text: ByteView) {
        guard let p = text.base, text.count >= 20 else { return nil }
        let n = text.count
        // "0000-00-" and "00:00:00", the first character in the lowest byte.
        let date = DigitPairs(p, form: 0x2D30_302D_3030_3030)
        let clock = DigitPairs(p + 11, form: 0x3030_3A30_303A_3030)
        @inline(__always) func two(_ at: Int) -> Int? {
            let tens = Int(p[at]) &- 48, ones = Int(p[at + 1]) &- 48
            return 0...9 ~= tens && 0...9 ~= ones ? tens &* 10 &+ ones : nil
        }
        let year = date[0] &* 100 &+ date[2], month = date[5]
        let hour = clock[0], minute = clock[3]
        var second = clock[6]
        guard date.isValid, clock.isValid, let day = two(8), p[10] == 0x54 || p[10] == 0x74 || p[10] == 0x20,
            hour < 24, minute < 60, second <= 60,
            month >= 1, month <= 12, day >= 1, day <= 28 || day <= Self.days(month: month, year: year)
        else { return nil }
        var i = 19
        var fraction = 0
        // ":00.000Z", with which most times end.
        let end = DigitPairs(p + n - 8, form: 0x5A30_3030_2E30_303A)
        if n == 24, end.isValid {
            fraction = end[4] &* 10 &+ Int(p[22] &- 48)
            i = 23
        } else if p[i] == 0x2E {
            i += 1
            let start = i
            while i < n, p[i] >= 48, p[i] <= 57 {
                if i - start < 3 { fraction = fraction * 10 + Int(p[i] - 48) }
                i += 1
            }
            guard i > start else { return nil }
            for _ in min(i - start, 3)..<3 { fraction *= 10 }
        }
        guard i < n else { return nil }
        var offset = 0
        switch p[i] {
        case 0x5A, 0x7A:
            guard i + 1 == n else { return nil }
        case 0x2B, 0x2D:
            guard i + 6 == n, p[i + 3] == 0x3A, let hours = two(i + 1), let minutes = two(i + 4), hours < 24,
                minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * (p[i] == 0x2D ? -60 : 60)
        default: return nil
        }
        if second == 60 {
            second = 59
            fraction = 999
        }
        let seconds = Self.epochDay(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
        self.init(milliseconds: Int64(seconds * 1000 + fraction))
    }

    /// The same, sooner where the text is of the day read last and ends in milliseconds and `Z`, as most do.
    @inline(__always)
    init?(rfc3339 text: ByteView, knowing known: UnsafeMutablePointer<KnownDay>) {
        guard let p = text.base, text.count == 24 else {
            self.init(rfc3339: text)
            return
        }
        let (month, day) = KnownDay.date(at: p)
        let clock = DigitPairs(p + 11, form: 0x3030_3A30_303A_3030)
        let end = DigitPairs(p + 16, form: 0x5A30_3030_2E30_303A)
        let (hour, minute, second) = (clock[0], clock[3], clock[6])
        if month == known.pointee.month, day == known.pointee.day, p[10] == 0x54, clock.isValid, end.isValid, hour < 24,
            minute < 60, second < 60
        {
            let seconds = (hour &* 60 &+ minute) &* 60 &+ second
            let thousandths = end[4] &* 10 &+ Int(p[22] &- 48)
            self.init(milliseconds: known.pointee.start &+ Int64(seconds &* 1000 &+ thousandths))
            return
        }
        self.init(rfc3339: text)
        if end.isValid { known.pointee.note(month, day, self) }
    }

    /// Whether an event may carry this time.
    @inlinable public var isInRange: Bool { self >= .earliest && self < .latest }

    static func days(month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar: the year is counted from March, so that the leap
    /// day comes last.
    @inline(__always)
    static func epochDay(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

/// The UTC date read last, in its ten characters, and when it begins: most times that follow are of the same day.
struct KnownDay {
    /// Year and month with their hyphens, the first character in the lowest byte; none at first.
    fileprivate var month: UInt64 = 0
    fileprivate var day: UInt16 = 0
    /// In milliseconds.
    fileprivate var start: Int64 = 0

    @inline(__always)
    fileprivate static func date(at p: UnsafePointer<UInt8>) -> (month: UInt64, day: UInt16) {
        let text = UnsafeRawPointer(p)
        return (text.loadUnaligned(as: UInt64.self), text.loadUnaligned(fromByteOffset: 8, as: UInt16.self))
    }

    @inline(never)
    fileprivate mutating func note(_ month: UInt64, _ day: UInt16, _ time: Timestamp) {
        let rest = time.milliseconds % 86_400_000
        (self.month, self.day) = (month, day)
        start = time.milliseconds - (rest < 0 ? rest + 86_400_000 : rest)
    }
}

/// Eight characters, all but the separators digits.
private struct DigitPairs {
    private let pairs: UInt64
    let isValid: Bool

    /// `form` has 0 for every digit.
    @inline(__always)
    init(_ p: UnsafePointer<UInt8>, form: UInt64) {
        // What is left is 0 to 9 for a digit and 0 for a separator; adding 0x76 or 0x7F carries into the top bit of
        // a byte that is more than that.
        let left = UInt64(littleEndian: UnsafeRawPointer(p).loadUnaligned(as: UInt64.self)) ^ form
        let separators = (form ^ 0x3030_3030_3030_3030) & 0x0808_0808_0808_0808
        let limits = 0x7676_7676_7676_7676 | separators | separators >> 3
        isValid = (left | (left &+ limits)) & 0x8080_8080_8080_8080 == 0
        pairs = left &* 10 &+ left >> 8
    }

    /// The number whose two digits begin at that character.
    @inline(__always)
    subscript(at: Int) -> Int { Int(truncatingIfNeeded: pairs >> UInt64(8 &* at)) & 0xFF }
}

extension TextCursor {
    /// RFC 3339 in UTC with milliseconds, `2026-11-23T10:00:00.123Z`. Times outside the years 0 to 9999 are written
    /// as the nearest that is inside.
    @inlinable @inline(__always)
    public mutating func write(_ time: Timestamp) { next = Self.put(time, at: next) }

    @usableFromInline @inline(never)
    static func put(_ time: Timestamp, at text: Place) -> Place {
        // From the first of March of the year −400, so that nothing is below zero and leap days come last.
        let time = UInt64(min(max(time.milliseconds, -62_167_219_200_000), 253_402_300_799_999) + 74_784_816_000_000)
        let day = UInt32(time / 86_400_000)
        let rest = UInt32(time - UInt64(day) * 86_400_000)
        let era = day / 146_097
        let dayOfEra = day - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let m = (5 * dayOfYear + 2) / 153
        let month = m < 10 ? m + 3 : m - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0) - 400
        let seconds = rest / 1000
        let minutes = seconds / 60
        write(pair: year / 100, before: 0x30, to: text)
        write(pair: year % 100, before: 0x2D, to: text + 2)
        write(pair: month, before: 0x2D, to: text + 5)
        write(pair: dayOfYear - (153 * m + 2) / 5 + 1, before: 0x54, to: text + 8)
        write(pair: minutes / 60, before: 0x3A, to: text + 11)
        write(pair: minutes % 60, before: 0x3A, to: text + 14)
        write(pair: seconds % 60, before: 0x2E, to: text + 17)
        let milliseconds = rest - seconds * 1000
        write(pair: milliseconds / 10, before: UInt8(48 + milliseconds % 10), to: text + 20)
        text[23] = 0x5A
        return text + 24
    }

    /// Two digits, and what stands behind them.
    @inline(__always)
    private static func write(pair value: UInt32, before next: UInt8, to text: Place) {
        (text[0], text[1], text[2]) = (UInt8(48 + value / 10), UInt8(48 + value % 10), next)
    }
}
