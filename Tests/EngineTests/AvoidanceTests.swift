import Events
import Foundation
import Policy
import Risk
import Testing

@testable import Engine

/// What would have spared the person, and the habits a person reads.
@Suite struct AvoidanceTests {
    typealias Reason = Avoidance.Reason

    /// Points, and so log-odds ×10, of the score from which the level is medium.
    static let medium = 10 * log(30.0 / 70)
    static let base = -47.9

    static func rule(_ name: String, _ verdict: Verdict = .stepUp, _ change: (inout RuleConditions) -> Void) -> Rule {
        var rule = Rule(name: name, verdict: verdict)
        change(&rule.conditions)
        return rule
    }

    static let risky = rule("risky") { $0.levels = [.medium, .high, .critical] }

    func sets(_ rules: [Rule], rule: String = "risky", _ points: [(Signal, Double)], type: EventType = .login) -> [[Signal]] {
        let reasons = points.map { Reason($0.0, points: $0.1) }
        let logit = (Self.base + points.reduce(0) { $0 + $1.1 }) / 10
        var model = ModelOptions()
        (model.mediumScore, model.highScore, model.criticalScore) = (30, 60, 90)
        return Avoidance(rules: rules, fallback: .allow, model: model)
            .smallest(rule: rule, type: type, confidence: .established, logit: logit, reasons: reasons)
            .map { $0.map(\.signal) }
    }

    @Test func oneReasonIsEnough() {
        #expect(sets([Self.risky], [(.deviceNew, 38), (.timeUnusual, 8), (.networkNew, 4)]) == [[.deviceNew]])
        #expect(
            sets([Self.risky], [(.placeCountry, 20), (.deviceNew, 21), (.timeUnusual, 1)]) == [[.deviceNew], [.placeCountry]],
            "either would have done, the weightier first")
    }

    @Test func noSingleReason() {
        let points: [(Signal, Double)] = [
            (.deviceNew, 30.5), (.placeCountry, 30), (.timeUnusual, 6), (.networkRare, 6), (.deviceFamily, 6), (.networkProvider, -1),
        ]
        #expect(sets([Self.risky], points) == [[.deviceNew, .placeCountry]])
    }

    /// Below critical the next rule would have asked: that spares nobody.
    @Test func anotherRuleMayAskInstead() {
        let critical = Self.rule("critical", .deny) { $0.levels = [.critical] }
        let points: [(Signal, Double)] = [(.deviceNew, 32), (.placeCountry, 30), (.networkAnonymous, 12), (.timeUnusual, 6)]
        #expect(sets([critical], rule: "critical", points) == [[.deviceNew], [.placeCountry], [.networkAnonymous]])
        #expect(sets([critical, Self.risky], rule: "critical", points).first == [.deviceNew, .placeCountry])
        var reported = Self.risky
        reported.mode = .report
        #expect(sets([critical, reported], rule: "critical", points) == [[.deviceNew], [.placeCountry], [.networkAnonymous]])
    }

    @Test func aSignalMayBeWhatTheRuleAsksFor() {
        let stolen = Self.rule("stolen", .terminateSession) { $0.anySignals = [SignalSet(.sessionTokenReplayed)] }
        #expect(sets([stolen], rule: "stolen", [(.deviceNew, 60), (.sessionTokenReplayed, 50)]) == [[.sessionTokenReplayed]])
    }

    @Test func nothingWouldHave() {
        let always = Self.rule("always") { $0.amount = Interval(atLeast: 1000) }
        #expect(sets([always], rule: "always", [(.deviceNew, 30)]).isEmpty, "it asks whatever the score is")
        #expect(sets([Self.risky], rule: "challenge-passed", [(.deviceNew, 40)]).isEmpty, "not decided by a rule")
        #expect(sets([Self.risky], []).isEmpty)
        let logins = Self.rule("logins") { $0.types = [.login] }
        #expect(sets([Self.risky, logins], [(.deviceNew, 45)]).isEmpty)
        #expect(sets([Self.risky, logins], [(.deviceNew, 45)], type: .action) == [[.deviceNew]])
    }

    /// What only the event knows doesn't tell against a rule that decided, nor for one that didn't.
    @Test func whatIsNotInADecisionDoesNotCount() {
        let points: [(Signal, Double)] = [(.deviceNew, 32), (.placeCountry, 30), (.networkAnonymous, 12), (.timeUnusual, 6)]
        func hidden(_ change: (inout RuleConditions) -> Void) -> Rule {
            Self.rule("other") { conditions in
                conditions.levels = [.medium, .high]
                change(&conditions)
            }
        }
        let single: [[Signal]] = [[.deviceNew], [.placeCountry], [.networkAnonymous]]
        let critical = Self.rule("critical", .deny) { ($0.levels, $0.countries) = ([.critical], ["KP"]) }
        for other in [
            hidden { $0.groups = ["admins"] }, hidden { $0.counts = [CountRange(.actions, Interval(atLeast: 5))] },
            hidden { $0.sessionLevels = [.high] }, hidden { $0.times = [TimeOfDay()] }, hidden { $0.addresses = ["10.0.0.0/8"] },
        ] {
            #expect(sets([critical, other], rule: "critical", points) == single, "\(other.conditions)")
        }
        var excepted = hidden { _ in }
        excepted.unless = [Self.rule("x") { $0.tenants = ["acme"] }.conditions]
        #expect(sets([critical, excepted], rule: "critical", points) == single)
        excepted.unless = [Self.rule("x") { $0.levels = [.low] }.conditions]
        #expect(sets([critical, excepted], rule: "critical", points).first == [.deviceNew, .placeCountry])
    }

    /// A copy made by an override may have decided, but not one that allows.
    @Test func copiesOfARuleShareItsName() {
        var lenient = Self.rule("risky", .allow) { $0.levels = [.medium, .high, .critical] }
        lenient.also = [Self.rule("x") { $0.tenants = ["sandbox"] }.conditions]
        #expect(sets([lenient, Self.risky], [(.deviceNew, 38), (.timeUnusual, 8), (.networkNew, 4)]) == [[.deviceNew]])
    }

    @Test func namedConditionsAreLookedUp() {
        var vocabulary = Vocabulary()
        vocabulary.conditions = ["loud": [Self.risky.conditions], "mine": [Self.rule("x") { $0.users = ["bob"] }.conditions]]
        let named = Self.rule("named") { $0.named = [["loud"], ["mine"]] }
        let reasons = [Reason(.deviceNew, points: 38), Reason(.timeUnusual, points: 8), Reason(.networkNew, points: 4)]
        let found = Avoidance(rules: [named], fallback: .allow, model: ModelOptions(), vocabulary: vocabulary)
            .smallest(rule: "named", type: .login, confidence: .established, logit: (Self.base + 50) / 10, reasons: reasons)
        #expect(found.map { $0.map(\.signal) } == [[.deviceNew]])
    }

    /// Whatever is told brings the score below the rule's bound, and one reason fewer doesn't; of any reasons.
    @Test func whatIsToldSuffices() {
        let seed = UInt64.random(in: 0 ... .max)
        var state = seed
        func random(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        for _ in 0..<300 {
            let signals = Signal.allCases.filter { _ in random(7) == 0 }.prefix(8)
            let points = signals.map { ($0, Double(random(400)) / 10 - 5) }
            let total = Self.base + points.reduce(0) { $0 + $1.1 }
            guard total >= Self.medium + 0.01 else { continue }
            let found = sets([Self.risky], points)
            #expect(!found.isEmpty, "seed \(seed)")
            let raised = points.map(\.1).filter { $0 > 0 }.sorted(by: >)
            for set in found {
                let sum = points.filter { set.contains($0.0) }.reduce(0) { $0 + $1.1 }
                #expect(total - sum < Self.medium, "seed \(seed)")
                #expect(total - raised.prefix(set.count - 1).reduce(0, +) > Self.medium - 0.01, "seed \(seed): fewer would do")
            }
        }
    }

    @Test func habitsAreKept() throws {
        let story = Story()
        let device: [String: Any] = ["id": "laptop", "browser": "Firefox 128.0", "os": "Linux"]
        for day in 0..<20 {
            let place = with(Story.Circumstances.home) { $0.session = "d-\(day)" }
            story.login(after: 86_400, in: place, ["device": device, "auth": ["amr": ["pwd", "otp"]], "rtt_ms": 40])
            for _ in 0..<3 {
                story.act("transfer.create", after: 20, in: place, ["device": device, "amount": 120, "resource": "account/1"])
            }
        }
        let profile = try #require(story.engine.profile(tenant: "", user: "alice"))
        #expect(profile.providers.map(\.name) == ["AS29695"])
        #expect(profile.families == 1 && profile.devices.count == 1)
        #expect(abs(profile.weekdays.reduce(0, +) - 1) < 0.01 && profile.weekdays.count == 7)
        #expect(abs(try #require(profile.medianAmount) - 120) < 12)
        #expect(abs(try #require(profile.largeAmount) - 120) < 12)
        #expect(try #require(profile.strongShare) == 1)
        #expect(abs(try #require(profile.roundTripMilliseconds) - 40) < 1)
        #expect(profile.challengesDenied == 0 && profile.challengesFailed == 0)
        #expect(try #require(profile.actionsPerContext) > 1)
        #expect(profile.drift.providers == 0)
    }
}
