import Behavior
import Engine
import Events

/// One of the two pipelines: its engine, and those who answer it.
final class BacktestSide {
    let engine: Engine
    private let decoder: EventDecoder
    private let decode: DecodePlan
    private var respondent = Respondent()
    private var effects = Effects()
    private var sealed: [SealedPane] = []
    private(set) var answered = 0
    /// Records that could not be decided.
    private(set) var rejected = 0

    /// `plan` has one input, and room for every user of the history.
    init(plan: EnginePlan, enrichment: EventEnrichment) {
        var plan = plan
        plan.emit = .all
        plan.cloudEvents = .binary
        var answers = InputPlan(topic: "answers")
        answers.decode.requiresKey = false
        plan.inputs.append(answers)
        engine = Engine(plan: plan, decoders: Decoders(plan: plan, enrichment: enrichment))
        decoder = EventDecoder(bounds: plan.inputs[0].decode.bounds)
        decode = DecodePlan(plan.inputs[0].decode)
    }

    /// Whether the record is an event to this pipeline; it is in `event` until the next call.
    func read(_ record: Record, into event: inout Event) -> Bool {
        guard case .event = decoder.decode(record, options: decode, into: &event) else { return false }
        return true
    }

    /// What the engine decides of a login or an action; nil for anything else.
    func step(_ record: Record) -> Judgement? {
        effects.removeAll()
        // There is no other partition to tell of these.
        engine.takeSealed(into: &sealed)
        sealed.removeAll(keepingCapacity: true)
        engine.step(record, into: &effects)
        if effects.outputs.contains(where: { $0.kind == .deadLetter }) { rejected += 1 }
        return engine.judgement(on: record)
    }

    /// Takes note of the question that was put last.
    func noteQuestion(about event: Event, user: UInt32, isHostile: Bool) {
        guard let question = engine.lastQuestion else { return }
        respondent.note(question, about: event, user: user, isHostile: isHostile)
    }

    /// All of the user's open questions are answered before `time`.
    func answer(user: UInt32, before time: Timestamp) {
        respondent.answer(user: user, before: time) { take($0) }
    }

    /// The question that stands open in the session is answered as a recorded event says.
    func answer(user: UInt32, as recorded: Event) {
        respondent.answer(user: user, as: recorded) { take($0) }
    }

    private func take(_ answer: ByteView) {
        effects.removeAll()
        engine.step(
            Record(input: 1, partition: 0, offset: Int64(answered), timestamp: nil, key: .absent, value: answer),
            into: &effects)
        answered += 1
    }

    /// The decision on the record stepped last, as it would have been produced.
    func decisionText(on record: Record) -> [UInt8] {
        let output = effects.outputs.last { $0.kind == .decision && $0.input == record.input && $0.offset == record.offset }
        return output?.value.map { Array(effects.view($0).bytes) } ?? []
    }
}
