import Engine
import Foundation

/// A user's habits in a few sentences, each with its numbers; what nothing is known of is left out.
func habitSentences(_ profile: Profile) -> [String] {
    guard profile.contexts >= 0.5 else { return ["Nothing is known of this user's habits yet."] }
    return [origin, time, devices, actions, amounts, authentication, drift].compactMap { $0(profile) }
}

private func origin(_ profile: Profile) -> String? {
    let isNamed = !profile.providers.isEmpty
    guard let usual = isNamed ? profile.providers.first : profile.networks.first else { return nil }
    let total = profile.networks.reduce(0) { $0 + $1.weight }
    let visits = whole(total, "login or session", "logins and sessions")
    var text = "Usually comes from \(printable(usual.name)) (\(percent(usual.weight / total)) of \(visits))"
    text += ", through \(count(profile.networks.count, "network"))"
    if let place = profile.places.first {
        let places = profile.places.reduce(0) { $0 + $1.weight }
        text += "; mostly in \(printable(place.name)) (\(percent(place.weight / places)))"
        if profile.places.count > 1 { text += ", one of \(count(profile.places.count, "place"))" }
    }
    return text + "."
}

/// The hours that together have four fifths of what there is, as spans, and the days.
private func time(_ profile: Profile) -> String? {
    guard profile.hours.contains(where: { $0 > 0 }) else { return nil }
    var (chosen, share): (Set<Int>, Double) = ([], 0)
    for hour in profile.hours.indices.sorted(by: { (profile.hours[$1], $0) < (profile.hours[$0], $1) }) where share < 0.8 {
        chosen.insert(hour)
        share += profile.hours[hour]
    }
    var text = "\(percent(share)) begin \(hourSpans(chosen)) UTC"
    if profile.weekdays.count == 7, profile.weekdays.contains(where: { $0 > 0 }) {
        let working = profile.weekdays.prefix(5).reduce(0, +)
        text += working >= 0.95 ? ", on weekdays" : working <= 0.05 ? ", on weekends" : ", \(percent(working)) of them on weekdays"
    }
    return text + "."
}

/// `08–10 and 19–22`: hours that follow each other, midnight included, to the end of the last.
func hourSpans(_ hours: Set<Int>) -> String {
    if hours.count == 24 { return "at any hour" }
    let starts = hours.filter { !hours.contains(($0 + 23) % 24) }.sorted()
    let spans = starts.map { start in
        var end = start
        while hours.contains(end % 24) { end += 1 }
        func two(_ hour: Int) -> String { (hour % 24 < 10 ? "0" : "") + String(hour % 24) }
        return "\(two(start))–\(two(end))"
    }
    return spans.dropLast().joined(separator: ", ") + (spans.count > 1 ? " and " : "") + (spans.last ?? "")
}

private func devices(_ profile: Profile) -> String? {
    guard let usual = profile.devices.first else { return nil }
    let total = profile.devices.reduce(0) { $0 + $1.weight }
    var text = count(profile.devices.count, "device")
    if profile.devices.count > 1 {
        if profile.families > 0 { text += " of \(count(profile.families, "kind")) of browser and system" }
        text += ", the usual one in \(percent(usual.weight / total)) of logins and sessions"
    }
    return text + "."
}

private func actions(_ profile: Profile) -> String? {
    guard let often = profile.actions.first else { return nil }
    let total = profile.actions.reduce(0) { $0 + $1.weight }
    var text = "Knows \(count(profile.actions.count, "kind")) of action, \(printable(often.name)) the most usual "
    text += "(\(percent(often.weight / total)))"
    if let each = profile.actionsPerContext { text += "; about \(fixed(each, each < 10 ? 1 : 0)) actions a login or session" }
    if let pace = profile.pace { text += ", \(fixed(pace, pace < 10 ? 1 : 0)) at a time" }
    if let breadth = profile.breadth { text += ", on \(fixed(breadth, breadth < 10 ? 1 : 0)) resources" }
    return text + "."
}

private func amounts(_ profile: Profile) -> String? {
    guard let median = profile.medianAmount ?? profile.typicalAmount else { return nil }
    var text = "Amounts around \(money(median))"
    if let large = profile.largeAmount { text += ", up to \(money(large)) in 95 %" }
    return text + " of \(fixed(profile.amounts, 0))."
}

private func authentication(_ profile: Profile) -> String? {
    var parts: [String] = []
    if let share = profile.strongShare { parts.append("more than one factor in \(percent(share)) of the logins that say") }
    if let milliseconds = profile.roundTripMilliseconds { parts.append("round-trip time about \(fixed(milliseconds, 0)) ms") }
    let past = [
        (profile.challengesFailed, "failed"), (profile.challengesDenied, "denied"), (profile.challengesUnanswered, "unanswered"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    if !past.isEmpty { parts.append("challenges of late: " + past.joined(separator: ", ")) }
    guard let first = parts.first else { return nil }
    return ([first.prefix(1).uppercased() + first.dropFirst()] + parts.dropFirst()).joined(separator: "; ") + "."
}

private func drift(_ profile: Profile) -> String? {
    let parts = [
        (profile.drift.actions, "actions"), (profile.drift.devices, "devices"), (profile.drift.providers, "providers"),
        (profile.drift.amounts, "amounts"),
    ].filter { $0.0 >= 0.005 }.map { "\($0.1) \(percent(Double($0.0)))" }
    return parts.isEmpty ? "Of late as always: no drift." : "Of late unlike before: \(parts.joined(separator: ", "))."
}

private func percent(_ share: Double) -> String { fixed(100 * min(max(share, 0), 1), 0) + " %" }

private func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)" + (number == 1 ? "" : "s") }

private func whole(_ number: Double, _ one: String, _ many: String) -> String {
    let text = fixed(number, 0)
    return text + " " + (text == "1" ? one : many)
}

private func money(_ amount: Double) -> String { fixed(amount, amount < 10 ? 2 : 0) }
