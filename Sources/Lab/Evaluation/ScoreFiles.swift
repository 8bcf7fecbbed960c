import Events
import Glibc

extension OtherScores {
    /// Reads `{"id":…, "score":…}` lines, in any order: what somebody else made of the same events, higher for more
    /// suspicious. Of two scores for one event the last counts; where ids repeat in the run, all such events have it.
    /// - Throws: `LedgerFileError` at the first line that is no such object.
    public init(file: String, of run: LabelledRun) throws(LedgerFileError) {
        name = Self.name(of: file)
        scores = Array(repeating: .nan, count: run.events.count)
        var lines = try LabelledLines(path: file)
        let reader = ScoreReader()
        var byID: [UInt64: Float] = [:]
        while let line = lines.next() {
            guard let (id, score) = reader.read(line) else {
                throw LedgerFileError(
                    file: file, line: lines.number, problem: "not an object with the text `id` and the finite number `score`")
            }
            byID[id] = score
        }
        var used: Set<UInt64> = []
        for (index, event) in run.events.enumerated() {
            guard let score = byID[event.id] else { continue }
            scores[index] = score
            used.insert(event.id)
        }
        unknown = byID.count - used.count
    }

    /// The file's name without folder and last extension.
    private static func name(of path: String) -> String {
        let last = path.split(separator: "/").last.map(String.init) ?? path
        guard let dot = last.lastIndex(of: "."), dot > last.startIndex else { return last }
        return String(last[..<dot])
    }
}

/// Reads a line of a file of scores. That it is one JSON object with an id, the decoder of events says; the score is found
/// by its key, because no field of an event takes any number.
private struct ScoreReader {
    private let decoder: EventDecoder
    private let plan: DecodePlan

    init() {
        var options = DecodeOptions()
        options.requiresKey = false
        options.mapping = [
            FieldRule(field: .id, paths: [[.key("id")]]), FieldRule(field: .user, paths: [], fallback: "score"),
            FieldRule(field: .type, paths: [], fallback: "action"), FieldRule(field: .action, paths: [], fallback: "score"),
            FieldRule(field: .time, paths: [], fallback: "2000-01-01T00:00:00Z"),
        ]
        plan = DecodePlan(options)
        decoder = EventDecoder(bounds: options.bounds)
    }

    func read(_ line: ByteView) -> (id: UInt64, score: Float)? {
        var event = Event()
        let record = Record(input: 0, partition: 0, offset: 0, timestamp: nil, key: .absent, value: line)
        guard case .event = decoder.decode(record, options: plan, into: &event), let score = Self.score(of: line) else {
            return nil
        }
        return (StreamNames.hash(event.id), score)
    }

    /// The number after the key `score` in a line that is known to be JSON.
    private static func score(of line: ByteView) -> Float? {
        let key: StaticString = "\"score\""
        let bytes = line.bytes
        guard let base = bytes.baseAddress else { return nil }
        var position = 0
        while position + key.utf8CodeUnitCount < bytes.count {
            defer { position += 1 }
            guard memcmp(base + position, key.utf8Start, key.utf8CodeUnitCount) == 0 else { continue }
            var start = position + key.utf8CodeUnitCount
            func skipBlanks() { while start < bytes.count, bytes[start] == 0x20 { start += 1 } }
            skipBlanks()
            guard start < bytes.count, bytes[start] == UInt8(ascii: ":") else { continue }
            start += 1
            skipBlanks()
            let end = bytes[start...].firstIndex { $0 == 0x2C || $0 == 0x7D || $0 == 0x20 } ?? bytes.count
            guard let score = Float(String(decoding: bytes[start..<end], as: UTF8.self)), score.isFinite else { return nil }
            return score
        }
        return nil
    }
}

/// Writes what the engine made of each event, a line each.
public struct ScoreWriter: ~Copyable {
    private var text = OutputBuffer(capacity: 1 << 16)

    public init() {}

    /// Bytes waiting.
    public var count: Int { text.count }

    /// Adds an event's line.
    public mutating func add(_ judged: JudgedEvent, kind: String, _ event: Event) {
        text.append("{")
        text.append(member: "id", text: event.id, first: true)
        text.append(member: "user", text: event.user)
        text.append(member: "session", text: event.session)
        text.append(",\"type\":\"")
        text.append(event.type.name)
        text.append("\",\"kind\":\"")
        Text.escaped(kind, &text)
        text.append("\",\"verdict\":\"")
        text.append(judged.verdict.name)
        text.append("\",\"level\":\"")
        text.append(judged.level.name)
        text.append("\",\"confidence\":\"")
        text.append(judged.confidence.name)
        text.append("\",\"logins\":")
        text.append(integer: Int64(judged.logins))
        text.append(",\"score\":")
        text.append(number: Double(judged.logit), decimals: 4)
        text.append("}\n")
    }

    /// Hands out what is waiting.
    public mutating func drain(_ body: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        let isWritten = body(UnsafeRawBufferPointer(text.view(from: 0).bytes))
        text.removeAll()
        return isWritten
    }
}
