import ArgumentParser
import Engine
import Events
import PipelineSpec
import Runtime

extension Pipeline {
    /// The plan for a file, which is one input: each line says its own type, or all lines are as on the one topic that is
    /// named. Records of a file have no keys.
    func filePlan(source: String?) throws(ExitCode) -> EnginePlan {
        var plan = plan
        var input = InputPlan(topic: "events")
        if let source {
            guard let found = plan.inputs.first(where: { $0.topic == source }) else {
                throw failure(
                    Exit.usage,
                    "--source \(source): the pipeline reads \(plan.inputs.map(\.topic).joined(separator: ", "))")
            }
            input = found
        } else if plan.inputs.count == 1 {
            input = plan.inputs[0]
        } else if let mapped = plan.inputs.first(where: { !$0.decode.mapping.isEmpty }) {
            throw failure(
                Exit.usage,
                "the pipeline maps the records of \(mapped.topic) from another form: say with --source whose records the file holds")
        } else if let bounds = plan.inputs.first?.decode.bounds {
            input.decode.bounds = bounds
        }
        input.decode.requiresKey = false
        plan.inputs = [input]
        return plan
    }
}

/// Finds who a line is about by decoding it, so that routing and deciding agree on every line, broken ones included; and
/// what it contributes to what users share.
func lineRouter(_ plan: EnginePlan) -> LineRouter {
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
