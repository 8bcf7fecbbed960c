import Events
import Foundation
import Testing

@testable import Enrichment

/// The rules that Debian's package uap-core installs; without it there is nothing to test them with.
let installedRules: AgentRules? = try? AgentRules(path: EnrichmentOptions.standardAgents)

/// An agent taken apart, for comparison.
struct ReadAgent: Equatable {
    var family = ""
    var major = 0
    var system = ""
    var device = DeviceClass.unknown

    init(_ family: String, _ major: Int, _ system: String, _ device: DeviceClass) {
        self.family = family
        self.major = major
        self.system = system
        self.device = device
    }

    init(_ agent: String, _ rules: AgentRules, isFiltered: Bool = true) {
        var match = RegexMatch()
        var names = [UInt8](repeating: 0, count: AgentFacts.familyRoom + AgentFacts.systemRoom)
        let text = Array(agent.utf8)
        let facts = text.withUnsafeBufferPointer { text in
            names.withUnsafeMutableBufferPointer {
                rules.read(
                    ByteView(base: text.baseAddress, count: text.count), &match, names: $0.baseAddress!, isFiltered: isFiltered)
            }
        }
        family = String(decoding: names[..<Int(facts.familyBytes)], as: UTF8.self)
        system = String(decoding: names[AgentFacts.familyRoom...].prefix(Int(facts.systemBytes)), as: UTF8.self)
        major = Int(facts.major)
        device = facts.device
    }
}

@Suite struct AgentRulesTests {
    @Test(.enabled(if: installedRules != nil)) func agentsOfToday() throws {
        let rules = try #require(installedRules)
        for (agent, expected) in realAgents {
            let found = ReadAgent(agent, rules)
            #expect(found == expected, "\(agent)")
        }
    }

    /// The test cases that come with the rules.
    @Test(.enabled(if: installedRules != nil), arguments: [("test_ua", 1), ("test_os", 1), ("test_device", 40)])
    func theRulesOwnTestsPass(_ name: String, _ step: Int) throws {
        let rules = try #require(installedRules)
        let directory = URL(fileURLWithPath: EnrichmentOptions.standardAgents).deletingLastPathComponent()
        let cases = try Self.cases(directory.appendingPathComponent("tests/\(name).yaml"))
        #expect(cases.count > 300)
        var failed = 0
        for index in stride(from: 0, to: cases.count, by: step) {
            let (agent, family, major) = cases[index]
            var found: (String, String)
            switch name {
            case "test_device": found = (Self.device(of: agent, rules), "")
            case "test_os": found = (ReadAgent(agent, rules).system, "")
            default:
                let read = ReadAgent(agent, rules)
                found = (read.family, major.isEmpty || UInt16(major) == nil ? "" : String(read.major))
            }
            if found.0.isEmpty { found.0 = "Other" }
            let wantedMajor = name == "test_ua" && UInt16(major) != nil ? String(Int(major)!) : ""
            let wanted = String(decoding: family.utf8.prefix(name == "test_device" ? 64 : 56), as: UTF8.self)
            if found != (wanted, wantedMajor) {
                failed += 1
                Issue.record("\(agent): \(found), wanted \(family) \(major)")
            }
            if failed > 10 { return }
        }
    }

    /// Passing over rules whose words an agent lacks changes nothing, on agents as they are and on broken ones.
    @Test(.enabled(if: installedRules != nil)) func theFilterChangesNothing() throws {
        let rules = try #require(installedRules)
        let seed = UInt64.random(in: 0 ... .max)
        var random = Seeded(state: seed)
        let directory = URL(fileURLWithPath: EnrichmentOptions.standardAgents).deletingLastPathComponent()
        let cases = try Self.cases(directory.appendingPathComponent("tests/test_ua.yaml"))
        for round in 0..<300 {
            var agent = Array(cases[Int.random(in: 0..<cases.count, using: &random)].agent.utf8)
            if round % 2 == 1, !agent.isEmpty {
                let other = Array(cases[Int.random(in: 0..<cases.count, using: &random)].agent.utf8)
                agent = agent.prefix(Int.random(in: 0...agent.count, using: &random))
                    + other.suffix(Int.random(in: 0...other.count, using: &random))
            }
            let text = String(decoding: agent, as: UTF8.self)
            #expect(ReadAgent(text, rules) == ReadAgent(text, rules, isFiltered: false), "seed \(seed): \(text)")
        }
    }

    @Test(arguments: [
        ("abcd", ["abcd"], ["abc", "bcd", "xbcdx"]), ("(?:abc|xyz)/(\\d+)", ["abc", "xyz"], ["ab", "acb"]),
        ("abc?def", ["def", "abdef"], ["abc"]), ("(abc)?def", ["def"], ["abc"]), ("abc|", ["", "x"], []),
        ("[abc]def", ["def"], ["abc"]), ("a\\.bc", ["a.bc"], ["abc"]), ("(?!abc)def", ["def"], ["abc"]),
        ("ab{0,3}cde", ["cde"], ["abc"]), ("abc+def", ["abcccdef"], ["abc"]), ("x\\x41bc", ["Abc"], []),
        ("(?i)ABC", ["abc", "aBc"], ["ab"]), ("(?:(?:abc|def)x|ghi)", ["abc", "ghi"], ["x"]), ("[[:alpha:]]bcd", ["bcd"], []),
    ])
    func demandsOfPatternsAreMet(_ pattern: String, _ meeting: [String], _ lacking: [String]) {
        let choices = RequiredGrams(pattern: pattern).choices
        func isPossible(_ text: String) -> Bool {
            var set = GramSet()
            let bytes = Array(text.utf8)
            bytes.withUnsafeBufferPointer { set.take(ByteView(base: $0.baseAddress, count: $0.count)) }
            for choice in choices {
                var isMet = false
                for gram in choice where set.contains(gram) { isMet = true }
                if !isMet { return false }
            }
            return true
        }
        for text in meeting { #expect(isPossible(text), "\(text)") }
        for text in lacking { #expect(!isPossible(text), "\(text)") }
    }

    /// An agent is as long as `bounds.text` allows, and written by whoever likes to.
    @Test(.enabled(if: installedRules != nil)) func hostileAgentsEnd() throws {
        let rules = try #require(installedRules)
        let clock = ContinuousClock()
        for piece in [
            "a", " ", "(", "Mozilla/5.0 ", "Android; ", "Linux; U; Android 4.0; ", "iPhone ", "; Build/", "Bot-", "Mobile", "-_.",
            "\u{0}", "é", "Chrome/", "Samsung ", "HTC_", "Mozilla Mobile ",
        ] {
            let agent = String(repeating: piece, count: max(1, 8192 / piece.utf8.count))
            let time = clock.measure { _ = ReadAgent(agent, rules) }
            #expect(time < .seconds(2), "\(piece): \(time)")
        }
    }

    @Test func workOnOneTextIsBounded() throws {
        let list = try RegexList([("(a+)+$", false), ("b", false)])
        var match = RegexMatch()
        let text = Array((String(repeating: "a", count: 5000) + "b").utf8)
        let time = ContinuousClock().measure {
            text.withUnsafeBufferPointer {
                let view = ByteView(base: $0.baseAddress, count: $0.count)
                match.grams.take(view)
                #expect(list.first(in: view, &match) == 1, "the first gives up")
            }
        }
        #expect(time < .seconds(1))
    }

    @Test func namesAreTextAndFitTheirRoom() throws {
        let rules = try AgentRules(yaml: Array("""
            user_agent_parsers:
              - regex: '^cut (.+)/(\\d+)'
              - regex: '^half (.)'
              - regex: '^(\\S+) x(y)?(z)'
                family_replacement: ' $1 + $2$3 $9'
                v1_replacement: '7.5'
            os_parsers:
              - regex: '(Plan)'
                os_replacement: '$1 9'
            device_parsers:
              - regex: 'nothing'
            """.utf8))
        let cut = ReadAgent("cut " + String(repeating: "é", count: 40) + "/99999999", rules)
        #expect(cut.family == String(repeating: "é", count: 27))
        #expect(cut.major == 65_535)
        #expect(ReadAgent("half é", rules).family == "")
        #expect(ReadAgent("half e Plan", rules) == ReadAgent("e", 0, "Plan 9", .unknown))
        #expect(ReadAgent("foo xz", rules).family == "foo + z")
        #expect(ReadAgent("foo xz", rules).major == 7)
        #expect(ReadAgent("", rules) == ReadAgent("", 0, "", .unknown))
    }

    @Test(arguments: [
        ("[", "it is not YAML"), ("a: 1", "it holds no rules for user agents: there is no list `user_agent_parsers`"),
        ("user_agent_parsers:\n  - family_replacement: x", "line 2: a rule of `user_agent_parsers` has no `regex`"),
        ("user_agent_parsers:\n  - regex: a\n  - regex: '('", "line 3: not a regular expression: missing closing parenthesis at byte 1"),
    ])
    func badRulesSayWhere(_ text: String, _ reason: String) {
        #expect(throws: EnrichmentFault.Cause.damaged(reason)) { try AgentRules(yaml: Array(text.utf8)) }
    }

    // MARK: - The rules' own test cases

    private static func device(of agent: String, _ rules: AgentRules) -> String {
        var match = RegexMatch()
        var room = [UInt8](repeating: 0, count: AgentRules.deviceRoom)
        return Array(agent.utf8).withUnsafeBufferPointer { text in
            room.withUnsafeMutableBufferPointer {
                let view = ByteView(base: text.baseAddress, count: text.count)
                match.grams.take(view)
                return rules.device(of: view, &match, into: $0.baseAddress!).string
            }
        }
    }

    /// Reads the one form these files have, line by line: their tens of thousands of lines are slow to read as YAML.
    private static func cases(_ file: URL) throws -> [(agent: String, family: String, major: String)] {
        var cases: [(agent: String, family: String, major: String)] = []
        func value(_ line: Substring) -> String? {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let text = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            guard text.count >= 2, let quote = text.first, text.last == quote else { return text.isEmpty ? "" : nil }
            let inner = String(text.dropFirst().dropLast())
            switch quote {
            case "'": return inner.replacingOccurrences(of: "''", with: "'")
            case "\"" where !inner.contains("\\"): return inner
            default: return nil
            }
        }
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            let trimmed = line.drop { $0 == " " }
            if trimmed.hasPrefix("- user_agent_string:") {
                cases.append((value(trimmed) ?? "", "", ""))
            } else if let last = cases.indices.last {
                if trimmed.hasPrefix("family:") { cases[last].family = value(trimmed) ?? "" }
                if trimmed.hasPrefix("major:") { cases[last].major = value(trimmed) ?? "" }
            }
        }
        return cases.filter { !$0.agent.isEmpty && !$0.family.isEmpty }
    }
}
