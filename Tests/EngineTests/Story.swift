import Behavior
import Engine
import Events
import Foundation
import Policy
import Risk

/// Tells an engine what happens to one user, event by event, and shows what it decided.
final class Story {
    let engine: Engine
    var effects = Effects()
    var offset: Int64 = 0
    /// 2026-03-02T09:00:00Z, a Monday.
    var now: Int64 = 1_772_442_000_000
    var user = "alice"

    /// A person's circumstances: what of an event does not change from one to the next.
    struct Circumstances {
        var device: String? = "laptop"
        var ip = "203.0.113.9"
        var asn = 29695
        var country = "NO"
        var city = "Oslo"
        var lat = 59.91
        var lon = 10.75
        var session: String? = "s-1"
        var token: String?

        static let home = Circumstances()
        static let hotel = with(home) {
            ($0.ip, $0.asn, $0.country, $0.city, $0.lat, $0.lon) = ("198.51.100.7", 3320, "DE", "Berlin", 52.52, 13.40)
        }
        static let attacker = with(home) {
            ($0.device, $0.ip, $0.asn, $0.country) = ("bot-1", "192.0.2.66", 64500, "RU")
            ($0.city, $0.lat, $0.lon) = ("Vladivostok", 43.12, 131.89)
        }
    }

    init(_ change: (inout EnginePlan) -> Void = { _ in }) {
        var plan = EnginePlan()
        plan.name = "story"
        plan.secret = Array("a secret for tests".utf8)
        plan.emit = .all
        var decode = DecodeOptions()
        decode.requiresKey = false
        plan.inputs = [InputPlan(topic: "events", decode: decode)]
        plan.rules = Story.rules
        change(&plan)
        engine = Engine(plan: plan)
    }

    static var rules: [Rule] {
        var stolen = Rule(name: "stolen-session", verdict: .terminateSession)
        stolen.conditions.levels = [.critical]
        stolen.conditions.anySignals = [
            SignalSet(.sessionTwoPlaces), SignalSet(.sessionTokenReplayed), SignalSet(.deviceChangedInSession),
        ]
        var sensitive = Rule(name: "large-transfer", verdict: .stepUp)
        sensitive.conditions.actions = ["transfer.*"]
        sensitive.conditions.amount = Interval(atLeast: 10_000)
        var risky = Rule(name: "risky", verdict: .stepUp)
        risky.conditions.levels = [.high, .critical]
        return [stolen, sensitive, risky]
    }

    struct Outcome {
        var json: [String: Any]
        var bytes: Data
        var headers: [String: String]
        var decision: String { json["decision"] as? String ?? "" }
        var score: Double { (json["score"] as? NSNumber)?.doubleValue ?? .nan }
        var level: String { json["level"] as? String ?? "" }
        var confidence: String { json["confidence"] as? String ?? "" }
        var rule: String { (json["policy"] as? [String: Any])?["rule"] as? String ?? "" }
        var stepUp: [String: Any]? { json["step_up"] as? [String: Any] }
        var isLate: Bool { json["late"] as? Bool ?? false }
        var reasons: [String: Double] {
            var points: [String: Double] = [:]
            for reason in json["reasons"] as? [[String: Any]] ?? [] {
                points[reason["signal"] as? String ?? ""] = (reason["points"] as? NSNumber)?.doubleValue
            }
            return points
        }
        func reason(_ signal: String) -> [String: Any]? {
            (json["reasons"] as? [[String: Any]])?.first { $0["signal"] as? String == signal }
        }
        func fired(_ signal: String) -> Bool { (reasons[signal] ?? 0) > 0 }
    }

    /// What was decided of the record, or of the dead letter.
    @discardableResult
    func tell(raw: String, brokerTime: Int64? = nil, recovering: Bool = false) -> Outcome {
        effects.removeAll()
        var raw = raw
        let position = offset
        offset += 1
        raw.withUTF8 { bytes in
            let record = Record(
                input: 0, partition: 0, offset: position, timestamp: brokerTime.map { Timestamp(milliseconds: $0) },
                key: .absent, value: ByteView(base: bytes.baseAddress, count: bytes.count))
            engine.step(record, into: &effects, recovering: recovering)
        }
        guard let output = effects.outputs.last else { return Outcome(json: [:], bytes: Data(), headers: [:]) }
        var headers: [String: String] = [:]
        for index in output.headers {
            let header = effects.headers[index]
            headers[header.name.text.description] = effects.view(header.value).string
        }
        let bytes = output.value.map { Data(effects.view($0).bytes) } ?? Data()
        let json = (try? JSONSerialization.jsonObject(with: bytes)) as? [String: Any]
        return Outcome(json: json ?? [:], bytes: bytes, headers: headers)
    }

    @discardableResult
    func tell(
        _ type: String, after seconds: Double = 10, in place: Circumstances = .home, id: String? = nil,
        _ fields: [String: Any] = [:]
    ) -> Outcome {
        now += Int64(seconds * 1000)
        var event: [String: Any] = [
            "id": id ?? "e-\(offset)", "type": type, "time": now, "user": user, "ip": place.ip, "asn": place.asn,
            "geo": ["country": place.country, "city": place.city, "lat": place.lat, "lon": place.lon],
        ]
        if let device = place.device { event["device"] = ["id": device] }
        if let session = place.session { event["session"] = session }
        if let token = place.token { event["token"] = token }
        event.merge(fields) { $1 }
        let data = try! JSONSerialization.data(withJSONObject: event, options: [.sortedKeys])
        return tell(raw: String(decoding: data, as: UTF8.self))
    }

    @discardableResult
    func login(
        after seconds: Double = 10, in place: Circumstances = .home, outcome: String = "success",
        _ fields: [String: Any] = [:]
    ) -> Outcome {
        tell("login", after: seconds, in: place, ["outcome": outcome].merging(fields) { $1 })
    }

    @discardableResult
    func act(
        _ action: String = "page.view", after seconds: Double = 10, in place: Circumstances = .home,
        _ fields: [String: Any] = [:]
    ) -> Outcome {
        tell("action", after: seconds, in: place, ["action": action].merging(fields) { $1 })
    }

    /// What a person does for so many days: a login in the morning and a few actions, amounts around 100.
    func live(days: Int, in place: Circumstances = .home) {
        let start = now
        for day in 0..<days {
            now = start + Int64(day) * 86_400_000 + Int64(day % 3) * 600_000
            var today = place
            today.session = "day-\(offset)"
            login(after: 0, in: today)
            for step in 0..<6 {
                act(["page.view", "account.read", "message.read"][step % 3], after: 20, in: today)
            }
            act("transfer.create", after: 30, in: today, ["amount": 80 + Double(day % 5) * 10, "currency": "EUR"])
        }
        now = start + Int64(days) * 86_400_000
    }
}

func with<T>(_ value: T, _ change: (inout T) -> Void) -> T {
    var copy = value
    change(&copy)
    return copy
}
