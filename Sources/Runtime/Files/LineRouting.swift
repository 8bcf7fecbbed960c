import Behavior
import Engine
import Events

/// Finds who a line is about by decoding it, so that routing and deciding agree on every line, broken ones included; and
/// what it contributes to what users share. The enrichment is the router's own, for its thread.
public func lineRouter(_ plan: EnginePlan, enrichment: EventEnrichment = EventEnrichment()) -> LineRouter {
    let input = plan.inputs[0].decode
    let decoder = EventDecoder(bounds: input.bounds)
    let decode = DecodePlan(input)
    let hash = KeyedHash(secret: plan.secret)
    func user(_ event: Event) -> UInt64 {
        StableHash.of(tenant: UnsafeRawBufferPointer(event.tenant.bytes), user: UnsafeRawBufferPointer(event.user.bytes))
    }
    let scratch = LineScratch()
    let agents = AgentMemo()
    var event = Event()
    return { line in
        let record = Record(
            input: 0, partition: 0, offset: 0, timestamp: nil, key: .absent, value: ByteView(line))
        switch decoder.decode(record, options: decode, into: &event) {
        case .ignored: return LineRoute(user: nil)
        case .rejected(let rejection) where !rejection.knowsUser: return LineRoute(user: nil)
        case .rejected: return LineRoute(user: user(event))
        case .event:
            enrichment.enrich(&event, scratch: scratch.bytes)
            return LineRoute(user: user(event), event: Contributed(event, hash: hash, agents: agents))
        }
    }
}

/// Memory for what enrichment writes.
private final class LineScratch {
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: EventEnrichment.scratchBytes)
    deinit { bytes.deallocate() }
}
