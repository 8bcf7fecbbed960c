/// Local time with daylight saving, by the rules in force since 2008 in Europe, the United States and Canada, Australia
/// and New Zealand. Places elsewhere keep standard time.
extension Place {
    private enum Clocks { case standard, europe, northAmerica, australia, newZealand }

    private static let clocks: [Clocks] = cities.map { city in
        switch city.country.description {
        case "NO", "DE", "GB", "SE", "DK", "FI", "FR", "ES", "IT", "NL", "PL", "UA", "RO", "PT", "IE", "CH", "AT", "CZ": .europe
        case "US", "CA": .northAmerica
        case "AU": .australia
        case "NZ": .newZealand
        default: .standard
        }
    }

    /// Minutes ahead of UTC at a moment, milliseconds since 1970.
    static func zone(ofCity city: Int, at milliseconds: Int64) -> Int {
        let standard = cities[city].zone
        return standard + (isSummer(clocks[city], standard, milliseconds / 60_000) ? 60 : 0)
    }

    /// What names the last change of clocks within `days` before a moment; nil when there was none.
    static func clockChange(inCity city: Int, within days: Int, before milliseconds: Int64) -> UInt64? {
        let now = zone(ofCity: city, at: milliseconds)
        let then = zone(ofCity: city, at: milliseconds - Int64(days) * TrafficOptions.dayMilliseconds)
        if now == then { return nil }
        return UInt64(year(ofDay: Int(milliseconds / TrafficOptions.dayMilliseconds))) * 2 + (now > then ? 1 : 0)
    }

    private static func isSummer(_ clocks: Clocks, _ standard: Int, _ minutes: Int64) -> Bool {
        if clocks == .standard { return false }
        let year = year(ofDay: Int((minutes + Int64(standard)) / 1_440))
        func at(_ day: Int, hour: Int, _ zone: Int) -> Int64 { Int64(day * 1_440 + hour * 60 - zone) }
        switch clocks {
        case .standard:
            return false
        case .europe:
            return minutes >= at(lastSunday(year, 3), hour: 1, 0) && minutes < at(lastSunday(year, 10), hour: 1, 0)
        case .northAmerica:
            return minutes >= at(firstSunday(year, 3) + 7, hour: 2, standard) && minutes < at(firstSunday(year, 11), hour: 1, standard)
        case .australia:
            return minutes < at(firstSunday(year, 4), hour: 2, standard) || minutes >= at(firstSunday(year, 10), hour: 2, standard)
        case .newZealand:
            return minutes < at(firstSunday(year, 4), hour: 2, standard) || minutes >= at(lastSunday(year, 9), hour: 2, standard)
        }
    }

    // Days since 1970, by Howard Hinnant's `days_from_civil`; months from March on count from 0.
    private static func day(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let ofEra = shifted - era * 400
        let ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
    }

    private static func year(ofDay number: Int) -> Int {
        var year = 1970 + number / 366
        while day(year + 1, 1, 1) <= number { year += 1 }
        return year
    }

    private static func firstSunday(_ year: Int, _ month: Int) -> Int {
        let first = day(year, month, 1)
        return first + (6 - ((first + 3) % 7 + 7) % 7)
    }
    private static func lastSunday(_ year: Int, _ month: Int) -> Int {
        let last = month == 12 ? day(year, 12, 31) : day(year, month + 1, 1) - 1
        return last - (((last + 3) % 7 + 7) % 7 + 1) % 7
    }
}
