@testable import Events

/// Holds a decoder and the bytes its event points into.
final class Decoding {
    let decoder: EventDecoder
    let plan: DecodePlan
    let rules: [FieldRule]
    var event = Event()
    private var kept: [UnsafeMutableBufferPointer<UInt8>] = []

    init(_ configure: (inout DecodeOptions) -> Void = { _ in }) {
        var options = DecodeOptions()
        options.requiresKey = false
        configure(&options)
        decoder = EventDecoder(bounds: options.bounds)
        plan = DecodePlan(options)
        rules = options.mapping
    }

    deinit { for p in kept { p.deallocate() } }

    func view(_ bytes: [UInt8]) -> ByteView {
        let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(bytes.count, 1))
        for (i, byte) in bytes.enumerated() { copy[i] = byte }
        kept.append(copy)
        return ByteView(base: UnsafePointer(copy.baseAddress), count: bytes.count)
    }

    /// Whether a view lies in the bytes of a record or key.
    func holds(_ view: ByteView) -> Bool {
        kept.contains { bytes in
            guard let base = view.base, let start = UnsafePointer(bytes.baseAddress) else { return false }
            return base >= start && base + view.count <= start + bytes.count
        }
    }

    func callAsFunction(_ bytes: [UInt8]?, key: [UInt8]? = nil) -> DecodeOutcome {
        let record = Record(
            input: 0, partition: 0, offset: 0, timestamp: nil, key: key.map(view) ?? .absent,
            value: bytes.map(view) ?? .absent)
        return decoder.decode(record, options: plan, into: &event)
    }

    func callAsFunction(_ text: String, key: String? = nil) -> DecodeOutcome {
        self(Array(text.utf8), key: key.map { Array($0.utf8) })
    }
}

extension DecodeOutcome {
    var isEvent: Bool { if case .event = self { true } else { false } }
    var isIgnored: Bool { if case .ignored = self { true } else { false } }
    var rejection: Rejection? { if case .rejected(let rejection) = self { rejection } else { nil } }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

let fullAction = """
    {"id":"evt-9f2","type":"action","time":"2026-11-23T10:00:00.123Z","tenant":"acme","user":"alice","session":"s-77",
    "action":"transfer.create","resource":"account/42","amount":1250.00,"currency":"EUR","ip":"203.0.113.9","asn":29695,
    "geo":{"country":"no","region":"Oslo","city":"Oslo","lat":59.91,"lon":10.75},
    "device":{"id":"d-1","user_agent":"Mozilla/5.0","browser":"Chrome 126","os":"Mac OS X 14","type":"desktop"},
    "rtt_ms":43,"token":"jti","auth":{"acr":"aal1","amr":["pwd","otp","?"],"time":"2026-11-23T09:58:00Z","enrolments":["totp","?","hardware_key"]},
    "label":{"kind":"hijack","kind":"x"},"unknown":[{"a":[]}]}
    """
