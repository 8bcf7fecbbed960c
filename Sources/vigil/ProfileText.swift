import Engine
import Events
import Foundation

/// A baseline for a person to read.
func profileLines(_ profile: Profile) -> [String] {
    let name = profile.tenant.isEmpty ? profile.user : "\(profile.tenant)/\(profile.user)"
    var lines = [
        printable(name),
        "  baseline     \(profile.confidence.name), \(fixed(profile.contexts, 1)) learned sessions and logins (decayed)",
        "  last level   \(profile.level.name)",
        "  seen         \(text(profile.firstSeen)) to \(text(profile.lastSeen))",
        "  now          \(profile.sessions) sessions remembered, \(profile.openChallenges) open challenges, \(profile.held) observations held back",
    ]
    lines += habitSentences(profile).map { "  " + $0 }
    for (title, habits) in [
        ("devices", profile.devices), ("providers", profile.providers), ("networks", profile.networks), ("places", profile.places),
        ("actions", profile.actions),
    ] where !habits.isEmpty {
        let total = max(habits.reduce(0) { $0 + $1.weight }, .leastNonzeroMagnitude)
        lines.append("  \(title)")
        let rows = habits.map { habit in
            [
                "    " + printable(habit.name), fixed(100 * habit.weight / total, 0) + " %", fixed(habit.weight, 1),
                habit.lastSeen.map { "last " + text($0) } ?? "",
            ]
        }
        lines += aligned(rows)
    }
    if !profile.hours.isEmpty {
        let most = max(profile.hours.max() ?? 0, .leastNonzeroMagnitude)
        let bars = Array("▁▂▃▄▅▆▇█")
        lines.append("  hours (UTC)  " + String(profile.hours.map { bars[min(7, Int($0 / most * 7.99))] }) + "  0 to 23")
    }
    if let amount = profile.typicalAmount {
        lines.append("  amounts      typically \(fixed(amount, 2)), \(fixed(profile.amounts, 1)) seen (decayed)")
    }
    let absorbed = profile.absorbed.filter { $0.offset >= 0 }.map { "\($0.topic) \($0.offset)" }
    lines.append("  absorbed     up to offset: \(absorbed.isEmpty ? "none" : absorbed.joined(separator: ", "))")
    lines.append("  state        \(profile.stateBytes) bytes")
    return lines
}

private func text(_ time: Timestamp) -> String {
    time < .earliest
        ? "never" : Date(timeIntervalSince1970: Double(time.milliseconds) / 1000).formatted(.iso8601)
}

/// A profile as JSON; times are epoch milliseconds.
struct ProfileRecord: Encodable {
    struct Habit: Encodable {
        var name: String
        var weight: Double
        var lastSeen: Int64?
        init(_ habit: Profile.Habit) {
            name = habit.name
            weight = habit.weight
            lastSeen = habit.lastSeen?.milliseconds
        }
    }
    var tenant: String
    var user: String
    var partition: Int32
    var confidence: String
    var level: String
    var contexts: Double
    var firstSeen: Int64
    var lastSeen: Int64
    /// In words.
    var habits: [String]
    var devices: [Habit]
    var families: Int
    var providers: [Habit]
    var networks: [Habit]
    var places: [Habit]
    var actions: [Habit]
    var hours: [Double]
    var weekdays: [Double]
    var sessions: Int
    var openChallenges: Int
    var held: Int
    var typicalAmount: Double?
    var amounts: Double
    var medianAmount: Double?
    var largeAmount: Double?
    var actionsPerContext: Double?
    var pace: Double?
    var breadth: Double?
    var roundTripMilliseconds: Double?
    var strongShare: Double?
    var challenges: [String: Int]
    var drift: [String: Double]
    var stateBytes: Int
    var absorbed: [String: Int64]

    init(_ profile: Profile, partition: Int32) {
        tenant = profile.tenant
        user = profile.user
        self.partition = partition
        confidence = profile.confidence.name.description
        level = profile.level.name.description
        contexts = profile.contexts
        firstSeen = profile.firstSeen.milliseconds
        lastSeen = profile.lastSeen.milliseconds
        habits = habitSentences(profile)
        devices = profile.devices.map(Habit.init)
        families = profile.families
        providers = profile.providers.map(Habit.init)
        networks = profile.networks.map(Habit.init)
        places = profile.places.map(Habit.init)
        actions = profile.actions.map(Habit.init)
        hours = profile.hours
        weekdays = profile.weekdays
        sessions = profile.sessions
        openChallenges = profile.openChallenges
        held = profile.held
        typicalAmount = profile.typicalAmount
        amounts = profile.amounts
        medianAmount = profile.medianAmount
        largeAmount = profile.largeAmount
        actionsPerContext = profile.actionsPerContext
        pace = profile.pace
        breadth = profile.breadth
        roundTripMilliseconds = profile.roundTripMilliseconds
        strongShare = profile.strongShare
        challenges = [
            "failed": profile.challengesFailed, "denied": profile.challengesDenied, "unanswered": profile.challengesUnanswered,
        ]
        drift = [
            "actions": Double(profile.drift.actions), "devices": Double(profile.drift.devices),
            "providers": Double(profile.drift.providers), "amounts": Double(profile.drift.amounts),
        ]
        stateBytes = profile.stateBytes
        absorbed = Dictionary(profile.absorbed.map { ($0.topic, $0.offset) }, uniquingKeysWith: { $1 })
    }
}
