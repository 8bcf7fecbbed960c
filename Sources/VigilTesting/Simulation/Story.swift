import Events

/// Small traffic for simulations: some twenty people who log in, act, travel and answer what they are asked; and what
/// else comes in: repeated, late, future, malformed and keyless records, strangers' names, erasures. Equal seeds and
/// equal decisions heard give equal records.
public struct Story {
    /// One record to append to an input. Its partition is its key's.
    public struct Line: Sendable, Equatable {
        public var input: Int
        public var key: String?
        /// Nil: a null payload.
        public var value: String?
        public var timestamp: Timestamp
    }

    /// People of the story.
    public static let people = 20

    private struct Person {
        var name: String
        var home: Int
        var session = 0
        var isAway = false
    }

    private let inputs: Int
    private var random: SeededGenerator
    private var persons: [Person]
    /// Event time, in milliseconds since 1970.
    private var now: Int64 = 1_767_225_600_000
    private var number = 0
    private var recent: [Line] = []
    private var answers: [Line] = []
    /// The last decisions heard: on whom, and their ids.
    private var told: [(user: String, id: String)] = []

    /// - Parameter inputs: 1 to 3: logins, actions, challenges and feedback; what has no input of its own goes to the last.
    public init(seed: UInt64, inputs: Int) {
        self.inputs = inputs
        random = SeededGenerator(seed: seed)
        persons = (0..<Self.people).map { Person(name: "person\($0)", home: $0 % 7) }
    }

    /// The next record.
    public mutating func next() -> Line {
        now += chance(1, in: 60) ? Int64.random(in: 600_000...7_200_000, using: &random) : Int64.random(in: 0...15_000, using: &random)
        if !answers.isEmpty, chance(1, in: 3) { return keep(answers.removeFirst()) }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<14: return keep(login())
        case 14..<19 where !recent.isEmpty: return again()
        case 19..<23: return malformed()
        case 23..<27: return stranger()
        case 27..<29: return erasure()
        case 29..<32 where !told.isEmpty: return keep(verdict())
        default: return keep(action())
        }
    }

    /// Takes note of a decision's value. Who is asked something answers it, now and then wrongly or twice.
    public mutating func hear(decision value: [UInt8]) {
        if let user = Self.text("user", in: value), let id = Self.text("id", in: value) {
            told.append((user, id))
            if told.count > 60 { told.removeFirst() }
        }
        guard let challenge = Self.text("challenge", in: value), let nonce = Self.text("nonce", in: value),
            let user = Self.text("user", in: value), chance(2, in: 3)
        else { return }
        let session = Self.text("session", in: value) ?? ""
        let result = pick(["passed", "passed", "passed", "passed", "failed", "denied", "abandoned"])
        let given = chance(1, in: 12) ? "00000000000000000000000000000000" : nonce
        let line = event(
            "challenge", user, session: session, input: 2,
            #""challenge":{"decision":"\#(challenge)","method":"webauthn","result":"\#(result)","nonce":"\#(given)"}"#)
        answers.append(line)
        if chance(1, in: 10) { answers.append(line) }
    }

    // MARK: Records

    private mutating func login() -> Line {
        let index = Int.random(in: 0..<persons.count, using: &random)
        let fails = chance(1, in: 5)
        if !fails {
            persons[index].session += 1
            persons[index].isAway = chance(1, in: 8)
        }
        return event(
            "login", persons[index].name, session: session(index), input: 0,
            #""outcome":"\#(fails ? "failure" : "success")","# + enrolments() + whereabouts(index))
    }

    private mutating func action() -> Line {
        let index = Int.random(in: 0..<persons.count, using: &random)
        if chance(1, in: 25) { persons[index].isAway.toggle() }
        let action = pick(["view.list", "view.item", "profile.update", "transfer.create"])
        let amount = action == "transfer.create" ? #""amount":\#(Int.random(in: 1...2_000, using: &random)),"currency":"EUR","# : ""
        return event(
            "action", persons[index].name, session: session(index), input: 1,
            #""action":"\#(action)","# + amount + whereabouts(index))
    }

    private mutating func again() -> Line {
        var line = recent.randomElement(using: &random)!
        line.timestamp = Timestamp(milliseconds: now)
        return line
    }

    private mutating func malformed() -> Line {
        let person = persons.randomElement(using: &random)!
        var line = event("action", person.name, session: "s", input: 1, #""action":"view.list""#)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: line.value = "not json"
        case 1: line.value = nil
        case 2: line.value = String(line.value!.dropLast(4))
        case 3: line.value = line.value!.replacing(#""type":"action""#, with: #""type":"nothing""#)
        case 4: line.key = "somebody else"
        default: line.key = nil
        }
        return line
    }

    private mutating func stranger() -> Line {
        let name = "stranger\(Int.random(in: 0..<40, using: &random))"
        return event("login", name, session: "", input: 0, #""outcome":"failure","ip":"198.51.100.\#(Int.random(in: 1...9, using: &random))""#)
    }

    private mutating func verdict() -> Line {
        let judged = told.randomElement(using: &random)!
        let (label, by) = (pick(["legitimate", "legitimate", "compromised"]), pick(["analyst", "analyst", "user"]))
        return event(
            "feedback", judged.user, session: "", input: 2,
            #""feedback":{"decision":"\#(judged.id)","label":"\#(label)","by":"\#(by)"}"#)
    }

    private mutating func erasure() -> Line {
        event("erasure", persons.randomElement(using: &random)!.name, session: "", input: 2, nil)
    }

    private func session(_ index: Int) -> String { "s\(index)-\(persons[index].session)" }

    private mutating func enrolments() -> String {
        chance(1, in: 6) ? #""auth":{"enrolments":["\#(pick(["webauthn", "totp"]))","push"]},"# : ""
    }

    private mutating func whereabouts(_ index: Int) -> String {
        let person = persons[index]
        if person.isAway {
            let place = Int.random(in: 0..<30, using: &random)
            return #""ip":"192.0.2.\#(place)","device":{"id":"d\#(place)"},"geo":{"country":"\#(pick(["NO", "BR", "JP"]))"}"#
        }
        return #""ip":"203.0.113.\#(person.home)","device":{"id":"d-\#(person.name)"},"geo":{"country":"SE"}"#
    }

    /// An event at about this moment; now and then late, or from the future.
    private mutating func event(_ type: String, _ user: String, session: String, input: Int, _ rest: String?) -> Line {
        number += 1
        var time = now
        if chance(1, in: 20) { time -= Int64.random(in: 60_000...600_000, using: &random) }
        if chance(1, in: 100) { time += 3_600_000 }
        let session = session.isEmpty ? "" : #","session":"\#(session)""#
        let rest = rest.map { "," + $0 } ?? ""
        return Line(
            input: min(input, inputs - 1), key: user,
            value: #"{"id":"e\#(number)","type":"\#(type)","time":\#(time),"user":"\#(user)"\#(session)\#(rest)}"#,
            timestamp: Timestamp(milliseconds: now))
    }

    private mutating func keep(_ line: Line) -> Line {
        recent.append(line)
        if recent.count > 8 { recent.removeFirst() }
        return line
    }

    private mutating func chance(_ part: Int, in whole: Int) -> Bool { Int.random(in: 0..<whole, using: &random) < part }
    private mutating func pick(_ texts: [String]) -> String { texts.randomElement(using: &random)! }

    /// The first text of that name in a JSON document of ours, whose texts need no unescaping.
    static func text(_ name: String, in json: [UInt8]) -> String? {
        let mark = Array("\"\(name)\":\"".utf8)
        guard json.count > mark.count else { return nil }
        for start in 0..<json.count - mark.count where json[start] == mark[0] && json[start + 1] == mark[1] {
            guard json[start..<start + mark.count].elementsEqual(mark) else { continue }
            let rest = json[(start + mark.count)...]
            return String(decoding: rest.prefix { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
        }
        return nil
    }
}
