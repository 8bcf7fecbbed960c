import Foundation
import Policy

extension Format where Value == Int {
    /// A time of day as `hh:mm`, held in minutes.
    static func minutes(atMost most: Int) -> Format {
        Format(
            type: "a time of day such as `22:00`", schema: [("type", .string("string")), ("pattern", .string("^[0-9]{2}:[0-9]{2}$"))],
            parse: { text in
                guard let minutes = hoursAndMinutes(text[...]), minutes <= most else { return nil }
                return minutes
            },
            show: { quoted(two($0 / 60) + ":" + two($0 % 60)) })
    }
}

extension Format where Value == ZoneOffsets {
    /// `UTC`, an offset, or a name of the tz database.
    static var zone: Format {
        let type = "an offset such as `+01:00`, or a time zone's name"
        return Format(
            shape: .scalar(type: type, schema: [("type", .string("string"))]),
            read: { node, value, reader in
                guard !node.isBroken else { return }
                if case .scalar(let text) = node.content, let zone = ZoneOffsets(named: text) {
                    value = zone
                    return
                }
                var guess: String?
                if case .scalar(let text) = node.content, node.isShowable {
                    guess = nearest(to: text, among: TimeZone.knownTimeZoneIdentifiers)
                }
                reader.report(node.position, "value.choice", "`\(reader.name)` is \(type); found \(node.kind)", suggestion: guess)
            },
            show: { quoted($0.name) })
    }
}

extension ZoneOffsets {
    /// Changes of clocks are known from here, 2020-01-01…
    private static let first: Int64 = 1_577_836_800
    /// …to here, 2051-01-01.
    private static let last: Int64 = 2_556_144_000

    /// An offset such as `+01:00`, or a zone of the tz database with its changes of clocks from 2020 to 2050.
    /// - Complexity: O(days)
    init?(named name: String) {
        if name == "UTC" {
            self = .utc
            return
        }
        if let sign = name.first, sign == "+" || sign == "-" {
            guard let minutes = hoursAndMinutes(name.dropFirst()), minutes <= 18 * 60 else { return nil }
            self.init(name: name, offset: Int32(sign == "-" ? -minutes : minutes) * 60)
            return
        }
        guard name.utf8.count <= 64, name.contains("/"), let zone = TimeZone(identifier: name) else { return nil }
        func offset(_ seconds: Int64) -> Int { zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))) }
        var changes: [Change] = []
        var before = offset(Self.first)
        let start = before
        for day in stride(from: Self.first, to: Self.last, by: 86_400) {
            let after = offset(day + 86_400)
            guard after != before else { continue }
            var (low, high) = (day, day + 86_400)
            while high - low > 1 {
                let middle = (low + high) / 2
                if offset(middle) == before { low = middle } else { high = middle }
            }
            changes.append(Change(from: high, offset: Int32(after)))
            before = after
        }
        self.init(name: name, before: Int32(start), changes: changes)
    }

    /// Everything that decides, on one line.
    var identity: String { name + " " + changes.map { "\($0.from):\($0.offset)" }.joined(separator: ",") }
}

private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }

/// Minutes that `hh:mm` names; nil for anything else.
private func hoursAndMinutes(_ text: Substring) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 && isDigits($0) }), let hours = Int(parts[0]), let minutes = Int(parts[1]),
        hours <= 24, minutes <= 59
    else { return nil }
    return hours * 60 + minutes
}
