import Behavior
import Events
import Foundation
import Policy
import Risk
import Testing

@testable import Engine

/// Whatever happens, in whatever order: what a rule demands has been proven before it is allowed.
@Suite struct AssurancePropertyTests {
    typealias Circumstances = Story.Circumstances

    static let demands: [String: (need: Int, seconds: Int64, maxAge: Int64?)] = [
        "pay": (2, 600, nil), "admin": (3, 300, 60), "risky": (2, 900, nil),
    ]

    static func story(_ seed: UInt64) -> Story {
        let story = Story { plan in
            func rule(_ name: String, _ actions: [String], _ methods: [ChallengeMethod]) -> Rule {
                var rule = Rule(name: name, verdict: .stepUp)
                rule.conditions.actions = actions
                rule.stepUp.methods = methods
                rule.stepUp.validFor = demands[name]!.seconds * 1000
                rule.stepUp.maxAge = demands[name]!.maxAge.map { Int($0) }
                return rule
            }
            var risky = rule("risky", [], [.webauthn, .totp])
            risky.conditions.levels = [.high, .critical]
            plan.rules = [
                rule("admin", ["admin.*"], [.webauthn, .hardware_key]), rule("pay", ["pay.*"], [.totp, .push, .webauthn]), risky,
            ]
            plan.bounds.sessions = Int(seed % 4) + 3
            plan.bounds.challenges = Int(seed % 3) + 1
            plan.assurance.alarm = 3_600_000
            plan.assurance.attempts = 3
        }
        story.live(days: 30)
        return story
    }

    static func remembers(_ session: String, _ story: Story) -> Bool {
        var text = session
        let name = text.withUTF8 {
            Observation.session(ByteView(base: $0.baseAddress, count: $0.count), hash: story.engine.hash)
        }
        return story.engine.withRow(tenant: "", user: "alice") { row in
            (0..<row.sessions.count).contains { row.sessions[$0].fingerprint == name }
        } ?? false
    }

    @Test(arguments: [201, 202, 203, 204, 205, 206] as [UInt64]) func nothingIsAllowedThatWasNotProven(seed: UInt64) {
        var random = SplitMix(seed)
        func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
        func chance(_ percent: Int) -> Bool { below(100) < percent }
        let story = Self.story(seed)
        var model = NaiveAssurance(alarm: 3600, attempts: 3)
        var names = (0..<4).map { "s\($0)" }
        var allowed: [String: Int] = [:]
        for step in 0..<1200 {
            let pause = chance(4) ? -Double(below(400)) : Double(below(chance(8) ? 1500 : 60))
            var place = chance(90) ? Circumstances.home : chance(50) ? .hotel : .attacker
            place.device = chance(90) ? "laptop" : chance(50) ? "phone" : nil
            place.session = names[below(names.count)]
            if chance(5) { (place.asn, place.ip) = (0, "203.0.113.\(below(3))") }
            let context = NaiveAssurance.Context(device: place.device, asn: place.asn, prefix: place.asn == 0 ? "203.0.113" : "")
            var auth: [String: Any]?
            if chance(40) {
                var values: [String: Any] = [
                    "amr": [["pwd"], ["pwd", "otp"], ["hwk"], ["mfa"]][below(4)],
                ]
                if chance(20) { values["acr"] = ["aal1", "aal2", "phr", "phrh", "other"][below(5)] }
                if chance(60) { values["time"] = story.now - Int64(below(2000)) * 1000 + Int64(below(4)) * 5_000 }
                auth = values
            }
            let fields: [String: Any] = auth.map { ["auth": $0] } ?? [:]
            // Of many sessions the engine forgets some; what comes under such a name begins anew.
            if !Self.remembers(place.session!, story) { model.homes[place.session!] = nil }
            switch below(10) {
            case 0, 1:
                let outcome = chance(85) ? "success" : "failure"
                let id = "e-\(story.offset)"
                let decided = story.login(after: pause, in: place, outcome: outcome, fields)
                model.saw(decided, id: id, session: place.session!, context, at: story.now, isLogin: true, hasFailed: outcome == "failure", auth)
            case 2..<5 where !model.questions.isEmpty:
                // Mostly the latest of what is asked, now and then anything.
                let index = chance(70) ? max(model.questions.count - 1 - below(3), 0) : below(model.questions.count)
                let asked = model.questions[index]
                var there = place
                there.session = chance(90) ? asked.session : place.session
                there.device = chance(60) ? asked.context.device : chance(50) ? nil : ["laptop", "phone", "tablet"][below(3)]
                let nonce = chance(92) ? asked.nonce : String(asked.nonce.reversed())
                let method = ["totp", "webauthn", "hardware_key", "push", "otp", "magic"][below(6)]
                let result = ["passed", "passed", "passed", "passed", "failed", "abandoned", "timed_out", "denied"][below(chance(20) ? 8 : 5)]
                var renamed: String?
                if chance(20) {
                    renamed = chance(70) ? "fresh-\(step)" : names[below(names.count)]
                    if !names.contains(renamed!) { names[below(names.count)] = renamed! }
                }
                var challenge: [String: Any] = ["decision": asked.id, "nonce": nonce, "method": method, "result": result]
                challenge["new_session"] = renamed
                let told = story.tell("challenge", after: pause, in: there, ["challenge": challenge])
                let counts = model.answered(
                    asked.id, nonce: nonce, result: result, method: method, session: there.session!, device: there.device,
                    renamed: renamed, at: story.now, told: told.rule)
                #expect(counts || told.rule != "challenge-passed", "seed \(seed), step \(step): \(method) in \(there), \(asked)")
            default:
                let action = ["page.view", "pay.bill", "admin.open"][below(3)]
                let id = chance(3) ? "e-\(max(story.offset - 2, 0))" : "e-\(story.offset)"
                let decided = story.tell("action", after: pause, in: place, id: id, ["action": action].merging(fields) { $1 })
                let rule = model.saw(
                    decided, id: id, session: place.session!, context, at: story.now, isLogin: false, hasFailed: false, auth)
                if decided.decision == "allow" {
                    allowed[decided.rule, default: 0] += 1
                    let isJustified = model.isJustified(decided, action: action, session: place.session!, context, at: story.now)
                    #expect(isJustified, "seed \(seed), step \(step): \(action) allowed by \(rule) at \(decided.level), \(place), \(model.grants.filter { $0.session == place.session! }), \(story.now / 1000), \(model.alarmedAt ?? 0)")
                }
            }
            story.engine.withRow(tenant: "", user: "alice") { row in
                for index in 0..<row.challenges.count where row.challenges[index].isOpen {
                    #expect(row.challenges[index].expires.milliseconds > story.now, "seed \(seed), step \(step): open beyond its end")
                }
            }
        }
        #expect(allowed["pay", default: 0] > 2 && allowed["otherwise", default: 0] > 20, "seed \(seed): \(allowed)")
        let counters = story.engine.counters.challenges
        for outcome in [ChallengeOutcome.passed, .failed, .timedOut, .late, .duplicate, .forged, .elsewhere, .weaker] {
            #expect(counters[outcome] > 0, "seed \(seed): \(outcome)")
        }
    }
}

/// What may have been proven, told by what happened, without any bound and without looking at how the engine does it. It
/// may think more proven than the engine does, which forgets; never less.
struct NaiveAssurance {
    struct Context: Equatable {
        var device: String?
        var asn: Int
        /// Where no provider is known.
        var prefix: String
    }
    struct Question {
        var id: String
        var nonce: String
        var session: String
        var context: Context
        var methods: [String]
        var need: Int
        var expires: Int64
        var level: Int
        var failed = 0
        var isClosed = false
    }
    struct Grant {
        var session: String
        var context: Context
        var level: Int
        var risk: Int
        var second: Int64
        var isClaim: Bool
    }

    let alarm: Int64
    let attempts: Int
    var questions: [Question] = []
    var grants: [Grant] = []
    var ended: Set<String> = []
    var alarmedAt: Int64?
    var known: Set<String> = []
    var newestClaim: [String: Int64] = [:]
    /// Where each session began, was let through, or proved itself.
    var homes: [String: [Context]] = [:]
    var seenIDs: [String] = []
    var isDuplicate = false

    init(alarm: Int64, attempts: Int) {
        self.alarm = alarm
        self.attempts = attempts
    }

    static let levels = ["low": 0, "medium": 1, "high": 2, "critical": 3]
    static let worth = ["totp": 2, "push": 2, "otp": 2, "webauthn": 3, "hardware_key": 4]

    static func worth(_ auth: [String: Any]) -> Int {
        if let acr = auth["acr"] as? String, let level = ["aal1": 1, "aal2": 2, "phr": 3, "phrh": 4][acr] { return level }
        let methods = auth["amr"] as? [String] ?? []
        return methods.contains("hwk") ? 3 : methods.count > 1 || methods.contains("mfa") ? 2 : methods.isEmpty ? 0 : 1
    }

    /// Takes note of what was decided of a login or an action; returns the rule.
    @discardableResult
    mutating func saw(
        _ decided: Story.Outcome, id: String, session: String, _ context: Context, at now: Int64, isLogin: Bool, hasFailed: Bool,
        _ auth: [String: Any]?
    ) -> String {
        for index in questions.indices where now >= questions[index].expires { questions[index].isClosed = true }
        isDuplicate = seenIDs.suffix(12).contains(id)
        seenIDs.append(id)
        let level = Self.levels[decided.level] ?? 0
        if decided.decision == "terminate_session" {
            // A failed login is refused like the rest, and changes nothing of its session.
            if !hasFailed { end(session) }
        } else {
            // Of many that were ended the engine forgets the oldest: what comes under that name then begins anew.
            ended.remove(session)
        }
        if let auth, !isDuplicate, !hasFailed, decided.decision == "allow" || decided.decision == "step_up" {
            let time = min(auth["time"] as? Int64 ?? now, now)
            let says = isLogin || auth["time"] != nil
            let isNewer = time / 1000 > newestClaim[session] ?? 0
            let worth = Self.worth(auth)
            let counts = isLogin || isNewer && known.contains(session) && isAtHome(session, context)
            if says && counts && worth > 0 && (level == 0 || worth >= 3) {
                grants.append(Grant(session: session, context: context, level: worth, risk: level, second: time / 1000, isClaim: true))
            }
            // Where the engine did not count it, it may do so later: only what begins a session is known to be remembered.
            if says && (isLogin || !known.contains(session)) { newestClaim[session] = max(newestClaim[session] ?? 0, time / 1000) }
        }
        if !hasFailed {
            known.insert(session)
            if homes[session] == nil || decided.decision == "allow" { homes[session, default: []].append(context) }
        }
        if decided.decision == "step_up", let asked = decided.stepUp, let challenge = asked["challenge"] as? String {
            if let index = questions.firstIndex(where: { $0.id == challenge }) {
                questions[index].level = max(questions[index].level, level)
            } else {
                let need = decided.rule == "account-alarmed" ? 3 : AssurancePropertyTests.demands[decided.rule]?.need ?? 9
                questions.append(
                    Question(
                        id: challenge, nonce: asked["nonce"] as? String ?? "", session: session, context: context,
                        methods: asked["methods"] as? [String] ?? [], need: need,
                        expires: now + 300_000, level: level))
            }
        }
        return decided.rule
    }

    /// Returns whether the result may count.
    mutating func answered(
        _ id: String, nonce: String, result: String, method: String, session: String, device: String?, renamed: String?,
        at now: Int64, told: String
    ) -> Bool {
        for index in questions.indices where now >= questions[index].expires { questions[index].isClosed = true }
        guard let index = questions.firstIndex(where: { $0.id == id }), !questions[index].isClosed else { return false }
        let asked = questions[index]
        // A question that had to make room for others, or whose session has another name, is none any more, and only the
        // engine knows.
        if result != "passed" && told != "challenge-" + result.replacing("_", with: "-") { return false }
        guard nonce == asked.nonce, session == asked.session else { return false }
        guard device == nil || asked.context.device == nil || device == asked.context.device else { return false }
        switch result {
        case "passed":
            let level = Self.worth[method] ?? 0
            guard level >= asked.need else { return false }
            // The engine may ask for more: a push that it withheld is no answer, and leaves the question open.
            questions[index].isClosed = told == "challenge-passed"
            let grant = Grant(
                session: session, context: asked.context, level: level, risk: asked.level, second: now / 1000, isClaim: false)
            grants.append(grant)
            homes[session, default: []].append(asked.context)
            if let renamed, renamed != session { rename(session, to: renamed) }
        case "failed":
            questions[index].failed += 1
            questions[index].isClosed = questions[index].failed >= attempts
        case "denied":
            end(session)
            grants = []
            alarmedAt = max(alarmedAt ?? 0, now / 1000)
        default: questions[index].isClosed = true
        }
        return true
    }

    private mutating func end(_ session: String) {
        ended.insert(session)
        grants.removeAll { $0.session == session }
        for index in questions.indices where questions[index].session == session { questions[index].isClosed = true }
    }

    /// A name that nobody has used is the session's from now on, and the old one has nothing. One that is or was in use may be
    /// refused, or have been forgotten.
    private mutating func rename(_ session: String, to name: String) {
        let own = grants.filter { $0.session == session }
        grants += own.map { grant in with(grant) { $0.session = name } }
        if !known.contains(name) { grants.removeAll { $0.session == session } }
        known.insert(name)
        homes[name, default: []] += homes[session] ?? []
    }

    /// Device and network are each one that the session has had: it may have changed one without saying the other.
    private func isAtHome(_ session: String, _ context: Context) -> Bool {
        let homes = homes[session] ?? []
        return homes.contains { $0.device == context.device }
            && homes.contains { $0.asn == context.asn && $0.prefix == context.prefix }
    }

    func isJustified(_ decided: Story.Outcome, action: String, session: String, _ context: Context, at now: Int64) -> Bool {
        let level = Self.levels[decided.level] ?? 0
        let mine = grants.filter { $0.session == session && $0.context == context }
        if let alarmedAt, now / 1000 < alarmedAt + alarm, !mine.contains(where: { $0.level >= 3 && $0.second > alarmedAt }) { return false }
        let rule = action.hasPrefix("pay.") ? "pay" : action.hasPrefix("admin.") ? "admin" : level >= 2 ? "risky" : nil
        guard let rule, let demand = AssurancePropertyTests.demands[rule] else { return !ended.contains(session) }
        return decided.rule == rule && !ended.contains(session)
            && mine.contains {
                $0.level >= demand.need && $0.risk >= level && now / 1000 - $0.second < demand.seconds
                    && (!$0.isClaim || now / 1000 - $0.second <= demand.maxAge ?? .max)
            }
    }
}
