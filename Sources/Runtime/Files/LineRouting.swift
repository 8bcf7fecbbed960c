import Engine
import Events

/// Finds who a line is about by decoding it, so that routing and deciding agree on every line, broken ones included; and
/// what it contributes to what users share.
public func lineRouter(_ plan: EnginePlan) -> LineRouter {
    let input = plan.inputs[0].decode
    let decoder = EventDecoder(bounds: input.bounds)
    let decode = DecodePlan(input)
    let hash = KeyedHash(secret: plan.secret)
    func user(_ event: Event) -> UInt64 {
        StableHash.of(tenant: UnsafeRawBufferPointer(event.tenant.bytes), user: UnsafeRawBufferPointer(event.user.bytes))
    }
    var event = Event()
    return { line in
        let record = Record(
            input: 0, partition: 0, offset: 0, timestamp: nil, key: .absent, value: ByteView(line))
        switch decoder.decode(record, options: decode, into: &event) {
        case .ignored: return LineRoute(user: nil)
        case .rejected(let rejection) where !rejection.knowsUser: return LineRoute(user: nil)
        case .rejected: return LineRoute(user: user(event))
        case .event: return LineRoute(user: user(event), event: event.type == .feedback ? nil : Contributed(event, hash: hash))
        }
    }
}
