import Behavior
import Engine
import Events
import Policy
import Risk
import Testing

@testable import PipelineSpec

@Suite struct ValueTests {
    @Test func theLeastPipelineHasTheBuiltInDefaults() throws {
        let pipeline = try parse("name: least")
        var expected = Pipeline()
        expected.plan.name = "least"
        expected.plan.version = pipeline.plan.version
        expected.group = "least"
        expected.kafka = ["bootstrap.servers": "127.0.0.1:9092"]
        let types: [(String, EventType?)] = [("logins", .login), ("actions", .action), ("challenges", .challenge), ("feedback", .feedback)]
        expected.plan.inputs = types.map { topic, type in
            var decode = DecodeOptions()
            decode.type = type
            return InputPlan(topic: topic, decode: decode)
        }
        #expect(pipeline == expected)
    }

    @Test func scalarsAreWhatWasWritten() throws {
        let rule = try parse("name: 010\ngroup: NO\npolicies: [{name: 12.30, then: deny, when: {tenant: [NO, 12:30:45, 010, yes, 1e3]}}]")
        #expect(rule.plan.name == "010")
        #expect(rule.group == "NO")
        #expect(rule.plan.rules[0].name == "12.30")
        #expect(rule.plan.rules[0].conditions.tenants == ["NO", "12:30:45", "010", "yes", "1e3"])
        #expect(problems("name: a\nshards: 0x10\n") == ["2:9 value.type"])
        #expect(problems("name: a\nmodel: {signals: {device.new: {enabled: yes}}}\n") == ["2:41 value.type"])
    }

    @Test func wholeRule() throws {
        let text = """
            name: a
            policies:
              - name: everything
                when:
                  type: action
                  action: ["transfer.*", pay]
                  resource: account/*
                  tenant: acme
                  amount: { at_least: 1000, at_most: 5e4 }
                  currency: EUR
                  score: { at_least: 12.5 }
                  level: [high, critical]
                  confidence: established
                  signals: { any: [device.new, place.new], all: login.failures }
                  acr: aal1
                  amr: { any: pwd, none: [hwk, sc] }
                  auth_age: { at_least: 5m, at_most: 1h }
                  outcome: success
                then: step_up
                step_up: { acr_values: [phrh, phr], methods: [webauthn, totp], max_age: 90s, expires: 2m, valid_for: 1d, prompt: Really? }
                mode: report
            """
        var rule = Rule(name: "everything", verdict: .stepUp)
        rule.mode = .report
        rule.conditions.types = [.action]
        rule.conditions.actions = ["transfer.*", "pay"]
        rule.conditions.resources = ["account/*"]
        rule.conditions.tenants = ["acme"]
        rule.conditions.amount = Interval(atLeast: 1000, atMost: 50_000)
        rule.conditions.currencies = ["EUR"]
        rule.conditions.score = Interval(atLeast: 12.5)
        rule.conditions.levels = [.high, .critical]
        rule.conditions.confidence = [.established]
        rule.conditions.anySignals = [SignalSet(.deviceNew), SignalSet(.placeNew)]
        rule.conditions.allSignals = SignalSet(.loginFailures)
        rule.conditions.acr = ["aal1"]
        rule.conditions.anyMethods = AuthenticationMethods(name: "pwd")!
        rule.conditions.noMethods = [AuthenticationMethods(name: "hwk")!, AuthenticationMethods(name: "sc")!]
        rule.conditions.authAge = Interval(atLeast: 300_000, atMost: 3_600_000)
        rule.conditions.outcome = .success
        rule.stepUp.acrValues = ["phrh", "phr"]
        rule.stepUp.methods = [.webauthn, .totp]
        rule.stepUp.maxAge = 90
        rule.stepUp.expires = 120_000
        rule.stepUp.validFor = 86_400_000
        rule.stepUp.prompt = "Really?"
        #expect(try parse(text).plan.rules == [rule])
    }

    @Test func signalsAndMethodsAlsoAsAList() throws {
        let rule = try parse("name: a\npolicies: [{name: r, then: deny, when: {signals: [device.new, action.rate], amr: pwd}}]").plan.rules[0]
        #expect(rule.conditions.anySignals == [SignalSet(.deviceNew), SignalSet(.actionRate)])
        #expect(rule.conditions.allSignals == [])
        #expect(rule.conditions.anyMethods == AuthenticationMethods(name: "pwd"))
    }

    @Test func mapping() throws {
        let text = """
            name: a
            bounds: { id: 128B }
            sources:
              okta:
                topic: okta.log
                map:
                  id: uuid
                  time: published
                  user: [actor.alternateId, 'target[0]."user.id"']
                  type: { path: eventType, values: { user.session.start: login, "*": ignore } }
                  outcome: { default: success }
            """
        let input = try parse(text).plan.inputs[0]
        #expect(input.topic == "okta.log")
        #expect(input.decode.type == nil)
        #expect(input.decode.bounds.idBytes == 128)
        #expect(input.decode.mapping == [
            FieldRule(field: .id, paths: [[.key("uuid")]]),
            FieldRule(field: .time, paths: [[.key("published")]]),
            FieldRule(field: .user, paths: [[.key("actor"), .key("alternateId")], [.key("target"), .index(0), .key("user.id")]]),
            FieldRule(field: .type, paths: [[.key("eventType")]], values: ["user.session.start": "login", "*": "ignore"]),
            FieldRule(field: .outcome, paths: [], fallback: "success"),
        ])
    }

    @Test(arguments: ["a", "a.b[0].c", "a.\"b.c\"", "a.\"x\\\"y\"[12]", "\"\"", "ä.ö"])
    func pathsReadBackAsShown(text: String) throws {
        let path = try #require(JSONPath.parse(text))
        #expect(JSONPath.show(path) == text)
    }

    @Test(arguments: ["", ".", "a.", ".a", "a..b", "[0]", "a[", "a[]", "a[-1]", "a[x]", "a[0]b", "a b", "a.\"b", "a.\"b\"c", "a]", "a[9999999]"])
    func whatIsNoPathIsRefused(text: String) { #expect(JSONPath.parse(text) == nil) }

    @Test func unitsReadBackAsShown() {
        for value in [0, 1, 100, 1000, 1500, 60_000, 90_000, 3_600_000, 86_400_000, 30 * 86_400_000] {
            #expect(Units.milliseconds(Units.duration(value)) == value)
            #expect(Units.bytes(Units.size(value)) == value)
        }
        for text in ["", "5", "5 s", "-5s", "1.5h", "s", "999999999999999d", "9999999999999999s", "5S", "٣s"] {
            #expect(Units.milliseconds(text) == nil, "\(text)")
        }
        for text in ["5", "5KB", "-1B", "B", "99999999999999GiB"] { #expect(Units.bytes(text) == nil, "\(text)") }
        for text in ["nan", "inf", "1e400", ".5", "0x10", "1_000", "", "-", "--1", "1e", "+1"] {
            #expect(Units.decimal(text) == nil, "\(text)")
        }
        #expect(Units.decimal("-47.9") == -47.9)
    }

    @Test func variables() throws {
        let text = "name: ${NAME}\ngroup: ${GROUP:g-}1\nkafka: {client.id: \"$${X} $5 ${EMPTY:}\", ssl.ca.location: \"${A:b:c}\"}\ninstance: ${NAME:x}\n"
        let pipeline = try parse(text, environment: ["NAME": "n", "VIGIL_SECRET": "0123456789abcdef", "VIGIL_BROKERS": "b:1"])
        #expect(pipeline.plan.name == "n")
        #expect(pipeline.group == "g-1")
        #expect(pipeline.instance == "n")
        #expect(pipeline.kafka == ["client.id": "${X} $5 ", "ssl.ca.location": "b:c", "bootstrap.servers": "b:1"])
        #expect(pipeline.plan.secret == Array("0123456789abcdef".utf8))
        let test = "name: a\ntests: [{name: \"${UNSET}\", as: {user: u}}]\n"
        #expect(try parse(test).tests.map(\.name) == ["${UNSET}"])
    }

    @Test func anchorsAndMerging() throws {
        let text = """
            name: a
            policies:
              - &first { name: one, then: step_up, step_up: &ask { prompt: Hello, valid_for: 1h } }
              - <<: *first
                name: two
                step_up: { <<: *ask, prompt: There }
            """
        let rules = try parse(text).plan.rules
        #expect(rules.map(\.name) == ["one", "two"])
        #expect(rules.map(\.stepUp.prompt) == ["Hello", "There"])
        #expect(rules.map(\.stepUp.validFor) == [3_600_000, 3_600_000])
    }

    @Test func versionIsOfTheMeaning() throws {
        let base = "name: a\nwindows: {rate: 1m}\npolicies: [{name: r, then: deny, when: {level: high}}]\n"
        let version = try parse(base).plan.version
        #expect(version.hasPrefix("sha256:") && version.utf8.count == 71)
        let same = [
            "# comment\nwindows:\n  rate: 60s\nname: 'a'\npolicies:\n- then: deny\n  when:\n    level: [high]\n  name: r\n",
            base + "secret: 0123456789abcdef\nkafka: {client.id: x}\nshards: 4\ngroup: other\nstate: {directory: d}\n",
            base + "model: {base: -47.90}\nemit: interventions\nsources: {logins: , actions: {topic: actions}, challenges: , feedback: {type: feedback}}\n",
        ]
        for text in same { #expect(try parse(text).plan.version == version, "\(text)") }
        let other = [
            base + "emit: all\n", base + "otherwise: deny\n", base + "bounds: {devices: 9}\n", base + "model: {base: -48}\n",
            base + "sources: {logins: {topic: other}}\n", base + "sinks: {decisions: {cloudevents: structured}}\n",
            base.replacing("level: high", with: "level: low"), base.replacing("name: a", with: "name: b"),
        ]
        let versions = try other.map { try parse($0).plan.version } + [version]
        #expect(Set(versions).count == versions.count)
    }

    @Test func orderOfTranslationsDoesNotChangeTheVersion() throws {
        func version(_ values: String) throws -> String {
            try parse("name: a\nsources: {s: {type: feedback, map: {id: i, time: t, user: u, reason: {path: r, values: {\(values)}}}}}").plan.version
        }
        #expect(try version("a: b, c: d") == version("c: d, a: b"))
        #expect(try version("a: b, c: d") != version("a: b, c: e"))
    }

    @Test func deliveryIsAModeOrAMapping() throws {
        #expect(try parse("name: a\n").delivery.mode == .exactlyOnce)
        #expect(try parse("name: a\ndelivery: at_least_once\n").delivery.mode == .atLeastOnce)
        let mapping = try parse("name: a\ndelivery: {mode: at_least_once, commit_interval: 1s}\n").delivery
        #expect(mapping.mode == .atLeastOnce)
        #expect(mapping.commitMilliseconds == 1_000)
    }

    @Test func repartitionedSourcesAreReadFromTheirCopy() throws {
        let pipeline = try parse("name: a\ngroup: g\nsources: {logins: {}, actions: {topic: raw, repartition: true}}\n")
        #expect(pipeline.plan.inputs.map(\.topic) == ["logins", "g-raw-repartition"])
        #expect(pipeline.repartitions == [Repartition(input: 1, source: "raw")])
    }
}
