import Foundation
import Testing

/// What a story is told over.
enum StoryBroker: Sendable, CustomTestStringConvertible {
    /// In Vigil's own process, at least once.
    case embedded
    /// With transactions, at this address.
    case real(String)

    static let all: [StoryBroker] = [.embedded] + (realKafka.map { [.real($0)] } ?? [])

    var testDescription: String {
        switch self {
        case .embedded: "embedded"
        case .real: "real"
        }
    }
}

/// Whoever signs people in and asks them: it tells Vigil what happens, reads decisions, and answers. Everything goes
/// through a broker, with kcat as the client.
private final class IdentityProvider {
    /// A person's circumstances: what does not change from one event to the next.
    struct Circumstances {
        var user = "alice"
        var session = "s-home"
        var device = "laptop-1"
        var agent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
        var ip = "203.0.113.9"
        var asn = 64496
        var place = #"{"country":"NO","region":"Oslo","city":"Oslo","lat":59.91,"lon":10.75}"#
        var methods = #"["pwd","otp"]"#

        static let home = Circumstances()
        /// A new phone in a hotel.
        static let hotel: Circumstances = {
            var there = Circumstances()
            there.session = "s-hotel"
            there.device = "phone-7"
            there.agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
            (there.ip, there.asn) = ("198.51.100.23", 64501)
            there.place = #"{"country":"PT","region":"Lisboa","city":"Lisbon","lat":38.72,"lon":-9.14}"#
            there.methods = #"["pwd"]"#
            return there
        }()
        static func stranger(_ session: String) -> Circumstances {
            var there = Circumstances()
            there.session = session
            there.device = "machine-66"
            there.agent = "python-requests/2.32"
            (there.ip, there.asn) = ("192.0.2.66", 64510)
            there.place = #"{"country":"BR","region":"SP","city":"Santos","lat":-23.96,"lon":-46.33}"#
            there.methods = #"["pwd"]"#
            return there
        }
    }

    struct Answer {
        var json: [String: Any]
        var decision: String { json["decision"] as? String ?? "?" }
        var rule: String { (json["policy"] as? [String: Any])?["rule"] as? String ?? "?" }
        private var stepUp: [String: Any] { json["step_up"] as? [String: Any] ?? [:] }
        var challenge: String { stepUp["challenge"] as? String ?? "" }
        var nonce: String { stepUp["nonce"] as? String ?? "" }
        var methods: [String] { stepUp["methods"] as? [String] ?? [] }
        var signals: [String] { (json["reasons"] as? [[String: Any]] ?? []).compactMap { $0["signal"] as? String } }
    }

    private let scratch: Scratch
    private let run: Started
    private let topics: Topics
    /// Reads decisions as they are committed.
    private let subscriber: Started
    private var told: (bytes: Int, decisions: [Substring]) = (0, [])
    private let pipeline: String
    private let isReal: Bool
    /// Before the names of topics.
    private let prefix: String
    private var number = 0
    private var last: Answer?
    /// Event time.
    private(set) var now: Date

    /// A service on the default pipeline, which tells every decision. Nine in the morning, four weeks ago.
    init(_ broker: StoryBroker, replacing: [String: String] = [:]) throws {
        scratch = try Scratch()
        var changes = replacing
        changes["  directory: state"] = "  directory: " + scratch.file("state")
        switch broker {
        case .embedded:
            (isReal, prefix) = (false, "")
            pipeline = try scratch.pipeline(replacing: changes)
            run = try startVigil("run", pipeline, "--embedded-broker")
            topics = Topics(broker: try run.line("broker: "))
        case .real(let address):
            isReal = true
            prefix = "vigil-story-\(UUID().uuidString.prefix(8).lowercased())-"
            for key in ["topic: ", "cuts_topic: ", "networks_topic: "] { changes["  " + key] = "  \(key)\(prefix)" }
            changes["\ngroup: "] = "\ngroup: " + prefix
            changes["${VIGIL_BROKERS:127.0.0.1:9092}"] = address
            pipeline = try scratch.pipeline(replacing: changes)
            let made = try vigil("topics", pipeline, "--create")
            #expect(made.status == 0, "\(made.error)")
            let run = try startVigil("run", pipeline)
            self.run = run
            topics = Topics(broker: address)
            try until(60, "the shard to run: \(run.error)") { run.error.contains("] running") || !run.process.isRunning }
        }
        subscriber = try Started(kcat ?? "", [
            "-C", "-u", "-q", "-b", topics.broker, "-t", prefix + "decisions", "-o", "beginning",
            "-X", "isolation.level=read_committed", "-f", "%s\n",
        ])
        let midnight = (Date().timeIntervalSince1970 / 86_400).rounded(.down) * 86_400
        now = Date(timeIntervalSince1970: midnight - 28 * 86_400 + 9 * 3600)
    }

    /// All decisions so far.
    private func decisions() -> [Substring] {
        let bytes = subscriber.outputBytes
        if bytes != told.bytes { told = (bytes, subscriber.output.split(separator: "\n").filter { $0.hasSuffix("}") }) }
        return told.decisions
    }

    /// Until every event has its decision.
    private func caughtUp() throws {
        try until(60, "\(number) decisions, of which there are \(decisions().count); \(run.error.suffix(400))") {
            decisions().count >= number
        }
    }

    /// Ends the service. Every event has then one decision, and where cuts are kept the last can be rebuilt.
    func stop() throws {
        try caughtUp()
        run.kill(SIGTERM)
        let ended = try run.wait()
        #expect(ended.status == 0, "\(ended.error)")
        #expect(decisions().count == number && Set(decisions().compactMap { member("event", of: String($0)) }).count == number)
        guard isReal, let last else { return }
        let explained = try vigil("explain", last.json["id"] as? String ?? "", pipeline, "--format", "json")
        #expect(explained.status == 0, "\(explained.error)")
        #expect(try object(explained.output)["isEqual"] as? Bool == true)
    }

    func later(_ seconds: Double) { now += seconds }

    private func record(_ type: String, _ there: Circumstances, _ more: String) -> (id: String, record: String) {
        number += 1
        now += 1
        let id = "e-\(number)"
        let time = Int64(now.timeIntervalSince1970 * 1000)
        let json = #"{"id":"\#(id)","type":"\#(type)","time":\#(time),"user":"\#(there.user)","session":"\#(there.session)","#
            + #""ip":"\#(there.ip)","asn":\#(there.asn),"geo":\#(there.place),"#
            + #""device":{"id":"\#(there.device)","user_agent":"\#(there.agent)"},\#(more)}"#
        return (id, "\(there.user)\t\(json)")
    }

    private func decision(on id: String, _ what: String) throws -> Answer {
        var found: Answer?
        try until(60, "a decision on \(what); standard error: \(run.error.suffix(400))") {
            found = try decisions().last { $0.contains("\"event\":\"\(id)\"") }.map { Answer(json: try object(String($0))) }
            return found != nil
        }
        guard let found else { throw Overdue(description: "no decision on \(what)") }
        last = found
        print("\(what): \(found.decision) (\(found.rule)\(found.methods.isEmpty ? "" : ": " + found.methods.joined(separator: ", ")))")
        return found
    }

    /// Three weeks at home: a login and some actions every day, each day decided before the next begins.
    func history() throws {
        var day = Circumstances.home
        for number in 0..<21 {
            now = Date(timeIntervalSince1970: (now.timeIntervalSince1970 / 86_400).rounded(.down) * 86_400 + 86_400 + 9 * 3600)
            day.session = "s-day-\(number)"
            let login = record("login", day, #""outcome":"success","auth":{"amr":\#(day.methods)}"#).record
            var actions: [String] = []
            for action in ["account.view", "statement.view", "transfer.create"] {
                let amount = action == "transfer.create" ? #","amount":\#(50 + number),"currency":"EUR""# : ""
                later(20)
                actions.append(record("action", day, #""action":"\#(action)"\#(amount)"#).record)
            }
            try topics.produce([login], to: prefix + "logins")
            try topics.produce(actions, to: prefix + "actions")
            try caughtUp()
        }
    }

    func logIn(_ there: Circumstances, _ what: String) throws -> Answer {
        let (id, record) = record("login", there, #""outcome":"success","auth":{"amr":\#(there.methods)}"#)
        try topics.produce([record], to: prefix + "logins")
        return try decision(on: id, what)
    }

    func act(_ action: String, amount: Int? = nil, _ there: Circumstances, _ what: String) throws -> Answer {
        let (id, record) = record("action", there, #""action":"\#(action)""# + (amount.map { #","amount":\#($0),"currency":"EUR""# } ?? ""))
        try topics.produce([record], to: prefix + "actions")
        return try decision(on: id, what)
    }

    func answer(
        _ question: Answer, _ result: String, by method: String, _ there: Circumstances, newSession: String? = nil, _ what: String
    ) throws -> Answer {
        let (id, record) = record(
            "challenge", there,
            #""challenge":{"decision":"\#(question.challenge)","method":"\#(method)","result":"\#(result)","nonce":"\#(question.nonce)""#
                + (newSession.map { #","new_session":"\#($0)""# } ?? "") + "}")
        try topics.produce([record], to: prefix + "challenges")
        return try decision(on: id, what)
    }
}

/// Whole stories, over a Kafka protocol and in real processes.
@Suite(.serialized, .enabled(if: binary != nil && find("kcat") != nil, "skipped: VIGIL_BINARY or kcat is missing"))
struct StepUpStoryTests {
    private typealias Circumstances = IdentityProvider.Circumstances

    @Test(arguments: StoryBroker.all) func aNewPhoneInAHotelAndThenAThief(_ broker: StoryBroker) throws {
        let provider = try IdentityProvider(broker)
        try provider.history()
        var there = Circumstances.hotel
        let question = try provider.logIn(there, "alice logs in on a new phone in Lisbon")
        #expect(question.decision == "step_up" && question.signals.contains("device.new"))
        let early = try provider.act("transfer.create", amount: 60, there, "she transfers money without an answer")
        #expect(early.decision == "step_up" && early.challenge == question.challenge)
        let passed = try provider.answer(
            question, "passed", by: "webauthn", there, newSession: "s-hotel-2", "she answers with her passkey, and her session is renewed")
        #expect(passed.decision == "allow" && passed.rule == "challenge-passed")
        let old = there
        there.session = "s-hotel-2"
        for attempt in ["she transfers money", "she transfers money again"] {
            provider.later(60)
            #expect(try provider.act("transfer.create", amount: 70, there, attempt).decision == "allow")
        }
        let replayed = try provider.act("account.view", old, "somebody uses the session's old name")
        #expect(replayed.decision == "terminate_session")
        let stolen = try provider.act(
            "transfer.create", amount: 5000, .stranger("s-hotel-2"), "her session appears on another network")
        #expect(stolen.decision == "terminate_session")
        let after = try provider.act("account.view", there, "the session goes on in Lisbon")
        #expect(after.decision == "terminate_session", "a terminated session stays so")
        try provider.stop()
    }

    @Test(arguments: StoryBroker.all) func pushesUntilSomebodyGivesIn(_ broker: StoryBroker) throws {
        // An operator to whom a push is proof enough at any risk.
        let provider = try IdentityProvider(broker, replacing: [
            "assurance: phr  ": "assurance: aal2 ",
            "methods: [webauthn, hardware_key]": "methods: [push, webauthn]", "methods: [webauthn, totp]": "methods: [push, webauthn]",
        ])
        try provider.history()
        var offered: [Bool] = []
        var last: IdentityProvider.Answer?
        for attempt in 1...7 {
            let there = Circumstances.stranger("s-push-\(attempt)")
            let question = try provider.logIn(there, "a stranger logs in with alice's password, time \(attempt)")
            #expect(question.decision != "allow")
            offered.append(question.methods.contains("push"))
            if question.decision == "step_up" {
                last = question
                if question.methods.contains("push") {
                    _ = try provider.answer(question, "timed_out", by: "push", there, "alice does not answer the push")
                }
            }
            provider.later(30)
        }
        #expect(offered.first == true && offered.last == false, "\(offered)")
        #expect(try #require(last).signals.isEmpty == false)
        provider.later(2 * 3600)
        let there = Circumstances.hotel
        let question = try provider.logIn(there, "alice logs in on a new phone")
        #expect(question.decision == "step_up" && !question.methods.contains("push"), "\(question.methods)")
        #expect(try provider.answer(question, "passed", by: "webauthn", there, "she answers with her passkey").decision == "allow")
        provider.later(86_400)
        let stranger = try provider.logIn(.stranger("s-again"), "the stranger tries again a day later")
        #expect(stranger.methods.contains("push"), "pushes are back after a passkey: \(stranger.methods)")
        try provider.stop()
    }

    @Test(arguments: StoryBroker.all) func somebodyWalksAwayFromTheQuestion(_ broker: StoryBroker) throws {
        let provider = try IdentityProvider(broker)
        try provider.history()
        let there = Circumstances.hotel
        let first = try provider.logIn(there, "alice logs in on a new phone in Lisbon")
        #expect(first.decision == "step_up")
        let method = try #require(first.methods.first)
        #expect(try provider.answer(first, "abandoned", by: method, there, "she walks away from it").decision == "allow")
        let second = try provider.act("transfer.create", amount: 60, there, "she tries to transfer money")
        #expect(second.decision == "step_up" && second.challenge != first.challenge, "asked anew, never let through")
        if second.methods.count > 1 { #expect(second.methods.first != method, "with another method first: \(second.methods)") }
        provider.later(600)
        let late = try provider.answer(second, "passed", by: second.methods[0], there, "she answers when it is too late")
        #expect(late.rule != "challenge-passed")
        let third = try provider.act("transfer.create", amount: 60, there, "and tries again")
        #expect(third.decision == "step_up" && third.challenge != second.challenge)
        #expect(try provider.answer(third, "passed", by: "webauthn", there, "and answers in time").rule == "challenge-passed")
        #expect(try provider.act("transfer.create", amount: 60, there, "and the money goes").decision == "allow")
        try provider.stop()
    }

    @Test(arguments: StoryBroker.all) func aPersonSaysNotMe(_ broker: StoryBroker) throws {
        let provider = try IdentityProvider(broker)
        try provider.history()
        #expect(try provider.logIn(.home, "alice logs in at home").decision == "allow")
        let stranger = Circumstances.stranger("s-stranger")
        let question = try provider.logIn(stranger, "somebody logs in with her password from Santos")
        #expect(question.decision == "step_up")
        let denied = try provider.answer(question, "denied", by: question.methods[0], stranger, "alice says: not me")
        #expect(denied.decision == "terminate_session" && denied.rule == "challenge-denied")
        #expect(try provider.act("account.view", stranger, "the stranger goes on").decision == "terminate_session")
        let asked = try provider.act("transfer.create", amount: 60, .home, "alice goes on at home")
        #expect(asked.decision == "step_up", "other sessions are questioned")
        #expect(try provider.answer(asked, "passed", by: "webauthn", .home, "she answers with her passkey").rule == "challenge-passed")
        #expect(try provider.act("transfer.create", amount: 60, .home, "and is left in peace").decision == "allow")
        try provider.stop()
    }
}
