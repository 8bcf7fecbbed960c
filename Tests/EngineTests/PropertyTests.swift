import Behavior
import Events
import Foundation
import Policy
import Risk
import Testing

@testable import Engine

/// What holds for every stream. A failure names the seed that brings it back.
@Suite struct PropertyTests {
    static let seeds: [UInt64] = Array(101...108)

    /// A stream of a few users who do everything: live, fail, steal, answer, forge, repeat, come late, send rubbish.
    struct Stream {
        struct Line {
            var bytes: [UInt8]
            var brokerTime: Int64?
        }
        var random: SplitMix
        var now: Int64 = 1_772_442_000_000
        var number = 0
        var users: UInt64 = 5
        /// Challenges seen in decisions: (user, session, challenge, nonce).
        var open: [(String, String?, String, String)] = []
        /// Decisions told: (user, tenant, id).
        var told: [(String, String?, String)] = []

        init(seed: UInt64, users: UInt64 = 5) {
            random = SplitMix(seed)
            self.users = users
        }

        mutating func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
        mutating func chance(_ percent: UInt64) -> Bool { random.next() % 100 < percent }

        mutating func next() -> Line {
            number += 1
            now += Int64(random.next() % (chance(3) ? 90_000_000 : 60_000))
            if chance(2) { return Line(bytes: Array(pick(["", "{", "[]", "null", #"{"user":"u1","time":"#, #"{"id":1e400}"#]).utf8)) }
            let user = "u\(random.next() % users)"
            var event: [String: Any] = ["id": chance(4) ? "again" : "e\(number)", "user": user, "time": now]
            if chance(3) { event["time"] = now - Int64(random.next() % 10_000_000) }
            if chance(2) { event["time"] = now + Int64(random.next() % 100_000_000_000) }
            if chance(20) { event["tenant"] = "t" }
            let session: String? = chance(85) ? "s\(random.next() % 8)" : nil
            event["session"] = session
            if chance(10) {
                event["auth"] = ["enrolments": pick([["webauthn"], ["totp", "push"], [], ["webauthn", "hardware_key"]]), "amr": ["pwd"]]
            }
            if chance(40) { event["token"] = "k\(random.next() % 6)" }
            if chance(90) { event["device"] = chance(80) ? ["id": "d-\(user)"] : ["id": "d\(random.next() % 30)"] }
            if chance(90) {
                let far = chance(25)
                event["ip"] = far ? "198.51.\(random.next() % 100).7" : chance(30) ? "2001:db8:\(random.next() % 9)::1" : "203.0.113.9"
                if chance(80) { event["asn"] = far ? Int(random.next() % 50) : 29695 }
                event["geo"] =
                    far ? ["country": pick(["DE", "AU"]), "city": pick(["A", "B"]), "lat": Double(random.next() % 180) - 90, "lon": 13.4]
                    : ["country": "NO", "city": "Oslo", "lat": 59.91, "lon": 10.75]
            }
            switch random.next() % 20 {
            case 0..<5:
                event["type"] = "login"
                event["outcome"] = chance(60) ? "success" : "failure"
            case 5..<7 where !open.isEmpty:
                let (owner, asked, id, nonce) = open[open.count - 1 - Int(random.next() % UInt64(min(open.count, 2)))]
                event["type"] = "challenge"
                event["user"] = owner
                event["tenant"] = nil
                event["session"] = chance(90) ? asked : "s0"
                if chance(90) { event["device"] = nil }
                var challenge: [String: Any] = [
                    "decision": id, "nonce": chance(90) ? nonce : String(nonce.reversed()), "method": "webauthn",
                    "result": pick(["passed", "passed", "passed", "failed", "denied", "abandoned", "timed_out"]),
                ]
                if chance(10) { challenge["new_session"] = "s\(random.next() % 8)" }
                event["challenge"] = challenge
            case 7:
                event["type"] = pick(["feedback", "feedback", "erasure", "nonsense", "login"])
                if !told.isEmpty, event["type"] as? String == "feedback" {
                    let (owner, tenant, id) = told[told.count - 1 - Int(random.next() % UInt64(min(told.count, 60)))]
                    (event["user"], event["tenant"]) = (owner, tenant)
                    event["feedback"] = [
                        "decision": chance(90) ? id : "nobody", "label": pick(["legitimate", "compromised"]), "by": pick(["analyst", "user"]),
                    ]
                }
            default:
                event["type"] = "action"
                event["action"] = pick(["page.view", "page.view", "account.read", "transfer.create", "a\(random.next() % 60)"])
                if chance(50) { event["amount"] = pick([1, 80, 90, 20_000, 1e300, 1e-300, -1]) }
                if chance(5) { event["resource"] = String(repeating: "x", count: 2000) }
            }
            let data = try! JSONSerialization.data(withJSONObject: event, options: [.sortedKeys])
            let stamp: Int64? = chance(50) ? now + Int64(random.next() % 1000) : chance(4) ? pick([-1, 0, .max, .min]) : nil
            return Line(bytes: Array(data), brokerTime: stamp)
        }

        /// Takes note of a decision, and of a question.
        mutating func saw(_ decision: [String: Any]) {
            if let user = decision["user"] as? String, let id = decision["id"] as? String {
                told.append((user, decision["tenant"] as? String, id))
            }
            guard let question = decision["step_up"] as? [String: Any], let id = question["challenge"] as? String,
                let nonce = question["nonce"] as? String, let user = decision["user"] as? String, decision["tenant"] == nil
            else { return }
            open.append((user, decision["session"] as? String, id, nonce))
        }
    }

    static func plan(_ seed: UInt64) -> EnginePlan {
        var plan = EnginePlan()
        (plan.bounds.sharedNetworks, plan.bounds.sharedValues) = (64, 64)
        plan.name = "property"
        plan.secret = Array("a secret for tests".utf8)
        plan.emit = .all
        var decode = DecodeOptions()
        decode.requiresKey = false
        plan.inputs = [InputPlan(topic: "one", decode: decode), InputPlan(topic: "two", decode: decode)]
        plan.rules = Story.rules
        var random = SplitMix(seed &* 7919)
        var block = Rule(name: "block", verdict: .deny)
        block.conditions.actions = ["a1*"]
        block.mode = random.next() % 2 == 0 ? .report : .enforce
        plan.rules.append(block)
        // So that the breaker opens, and budgets are spent.
        plan.model.establishedSamples = 2
        plan.model.partialSamples = 1
        (plan.breaker.share, plan.breaker.leastUsers, plan.breaker.relax) = (0.1, 2, ["risky", "block"])
        plan.challenges.perHour = Int(seed % 5) + 2
        plan.bounds.sessions = Int(random.next() % 8) + 1
        plan.bounds.challenges = Int(random.next() % 4) + 1
        plan.bounds.devices = Int(random.next() % 12) + 1
        plan.bounds.actions = Int(random.next() % 40) + 1
        plan.bounds.usersPerPartition = Int(random.next() % 12) + 1
        plan.bounds.unprovenPerPartition = Int(random.next() % 4) + 1
        plan.bounds.bytesPerUser = seed % 2 == 0 ? 4096 : UserTable.smallestRow(inputs: 2, identityBytes: 32) + 128
        for signal in Signal.allCases where random.next() % 4 == 0 {
            plan.model.signals[Int(signal.rawValue)].weight = Double(random.next() % 100) / 10
        }
        return plan
    }

    /// Steps the lines from `first` on; the outputs of each, headers included.
    static func run(
        _ engine: Engine, _ lines: [Stream.Line], from first: Int = 0, recovering: Bool = false
    ) -> [[UInt8]] {
        var effects = Effects()
        return lines.enumerated().map { index, line in
            effects.removeAll()
            step(engine, line, at: first + index, into: &effects, recovering: recovering)
            return Array(effects.bytes.view(from: 0).bytes)
        }
    }

    @discardableResult
    static func step(
        _ engine: Engine, _ line: Stream.Line, at place: Int, into effects: inout Effects, recovering: Bool = false
    ) -> UInt32? {
        line.bytes.withUnsafeBufferPointer { bytes in
            let record = Record(
                input: UInt16(place % 2), partition: 3, offset: Int64(place / 2),
                timestamp: line.brokerTime.map { Timestamp(milliseconds: $0) }, key: .absent,
                value: ByteView(base: bytes.baseAddress, count: bytes.count))
            return engine.step(record, into: &effects, recovering: recovering)
        }
    }

    /// A stream whose answers answer what the engine asked.
    static func stream(
        _ seed: UInt64, count: Int, users: UInt64 = 5, each: ([String: Any], Engine) -> Void = { _, _ in }
    ) -> [Stream.Line] {
        var stream = Stream(seed: seed, users: users)
        let engine = Engine(plan: plan(seed))
        var effects = Effects()
        return (0..<count).map { place in
            let line = stream.next()
            effects.removeAll()
            step(engine, line, at: place, into: &effects)
            for output in effects.outputs where output.kind == .decision {
                let data = Data(effects.view(output.value!).bytes)
                guard let json = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
                    Issue.record("seed \(seed), record \(place): not JSON: \(String(decoding: data, as: UTF8.self))")
                    continue
                }
                stream.saw(json)
                each(json, engine)
            }
            return line
        }
    }

    @Test(arguments: seeds) func reasonsAddUpAndIdsAreUnique(seed: UInt64) {
        var ids: Set<String> = []
        var kinds: [String: Int] = [:]
        _ = Self.stream(seed, count: 3000) { decision, engine in
            func number(_ value: Any?) -> Double { (value as? NSNumber)?.doubleValue ?? .nan }
            let reasons = decision["reasons"] as! [[String: Any]]
            let points = reasons.map { number($0["points"]) }
            let logit = number(decision["logit"])
            let score = number(decision["score"])
            #expect(abs(number(decision["base"]) + points.reduce(0, +) - 10 * logit) < 0.01, "seed \(seed): \(decision)")
            #expect(abs(score - 100 / (1 + exp(-logit))) < 0.06, "seed \(seed)")
            #expect(points == points.sorted(by: >) && points.allSatisfy { $0 != 0 && abs($0) <= 200 }, "seed \(seed)")
            #expect(points.filter { $0 < 0 }.reduce(0, +) > -25.6, "seed \(seed): familiarity is capped")
            #expect(ids.insert(decision["id"] as! String).inserted, "seed \(seed)")
            #expect((decision["time"] as! String) >= "2000" && (decision["time"] as! String) < "2100", "seed \(seed)")
            kinds[decision["decision"] as! String, default: 0] += 1
            kinds[(decision["policy"] as! [String: Any])["rule"] as! String, default: 0] += 1
        }
        // Where people make room for each other all the time, hardly anybody is known long enough to answer.
        let isCrowded = Self.plan(seed).bounds.usersPerPartition < 3
        for kind in ["allow", "step_up", "terminate_session"] + (isCrowded ? [] : ["challenge-passed"]) { #expect(kinds[kind, default: 0] > 0, "seed \(seed), \(kind): \(kinds)") }
    }

    @Test(arguments: seeds) func aRestartAnywhereChangesNothing(seed: UInt64) throws {
        let lines = Self.stream(seed, count: 2000)
        let whole = Self.run(Engine(plan: Self.plan(seed)), lines)
        var random = SplitMix(seed &+ 1)
        var cuts = (0..<4).map { _ in Int(random.next() % UInt64(lines.count)) }.sorted()
        cuts.append(lines.count)
        var engine = Engine(plan: Self.plan(seed))
        var rows: [UInt32: [UInt8]] = [:]
        var pieces: [[UInt8]] = []
        var start = 0
        for cut in cuts {
            pieces += Self.run(engine, Array(lines[start..<cut]), from: start)
            // A checkpoint, and a restart from what it wrote.
            engine.forEachDirty { number, row in rows[number] = row.map { Array($0) } }
            engine.markClean()
            let next = Engine(plan: Self.plan(seed))
            for number in rows.keys.sorted() { try rows[number]!.withUnsafeBytes { try next.restore(user: number, row: $0) } }
            try engine.sharedImage().withUnsafeBytes { try next.restore(shared: $0) }
            #expect(next.userCount == engine.userCount)
            engine = next
            start = cut
        }
        #expect(pieces.count == whole.count)
        for place in whole.indices where pieces[place] != whole[place] {
            Issue.record("seed \(seed), cuts \(cuts), record \(place):\n\(String(decoding: whole[place], as: UTF8.self))\n\(String(decoding: pieces[place], as: UTF8.self))")
            break
        }
    }

    @Test(arguments: seeds) func whatWasAbsorbedIsNotAbsorbedAgain(seed: UInt64) throws {
        let lines = Self.stream(seed, count: 1500)
        var plan = Self.plan(seed)
        (plan.bounds.usersPerPartition, plan.bounds.unprovenPerPartition) = (1000, 1000)
        let engine = Engine(plan: plan)
        _ = Self.run(engine, lines)
        func image() -> [UInt32: [UInt8]] {
            var rows: [UInt32: [UInt8]] = [:]
            engine.forEachDirty { rows[$0] = $1.map { Array($0) } }
            return rows
        }
        let before = image()
        _ = Self.run(engine, lines, recovering: true)
        #expect(image() == before, "seed \(seed)")
    }

    @Test(arguments: seeds) func stateIsBounded(seed: UInt64) {
        let plan = Self.plan(seed)
        let engine = Engine(plan: plan)
        let lines = Self.stream(seed, count: 3000)
        for start in stride(from: 0, to: lines.count, by: 100) {
            _ = Self.run(engine, Array(lines[start..<start + 100]), from: start)
            #expect(engine.userCount <= plan.bounds.usersPerPartition + plan.bounds.unprovenPerPartition + 1, "seed \(seed)")
            engine.forEachDirty { _, row in #expect((row?.count ?? 0) <= plan.bounds.bytesPerUser, "seed \(seed)") }
        }
    }
}
