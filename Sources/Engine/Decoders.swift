import Events

/// One decoder for each input, what enriches their events, and room for one decoded record each, so that a shard can
/// compare the times of its inputs before it steps one. Shared by the engines of one shard, since a decoder's buffers are large; used from its thread only.
public final class Decoders {
    struct Slot {
        let decoder: Unmanaged<EventDecoder>
        let scratch: UnsafeMutablePointer<UInt8>
        var event = Event()
        var outcome = DecodeOutcome.ignored
        /// Whose record it holds: nobody's while it is nil.
        var owner: ObjectIdentifier?
        var partition: Int32 = 0
        var offset: Int64 = 0
    }

    let slots: UnsafeMutablePointer<Slot>
    let count: Int
    private let enrichment: Unmanaged<EventEnrichment>

    /// For engines of the same inputs as this plan's.
    public init(plan: EnginePlan, enrichment: EventEnrichment = EventEnrichment()) {
        self.enrichment = .passRetained(enrichment)
        count = plan.inputs.count
        slots = .allocate(capacity: max(count, 1))
        for (index, input) in plan.inputs.enumerated() {
            (slots + index).initialize(
                to: Slot(
                    decoder: .passRetained(EventDecoder(bounds: input.decode.bounds)),
                    scratch: .allocate(capacity: EventEnrichment.scratchBytes)))
        }
    }

    deinit {
        for index in 0..<count {
            slots[index].decoder.release()
            slots[index].scratch.deallocate()
        }
        slots.deallocate()
        enrichment.release()
    }

    /// The decoder of a record that is stepped at once; what was staged of its input is gone with the buffer.
    @inline(__always)
    func decoder(of record: Record) -> Unmanaged<EventDecoder> {
        let slot = slots + Int(record.input)
        slot.pointee.owner = nil
        return slot.pointee.decoder
    }

    /// Adds to a decoded event what the shell knows of devices and networks.
    @inline(__always)
    func enrich(_ event: UnsafeMutablePointer<Event>, of record: Record) {
        let scratch = slots[Int(record.input)].scratch
        enrichment._withUnsafeGuaranteedRef { $0.enrich(&event.pointee, scratch: scratch) }
    }

    /// The slot that holds this record, decoded for this engine.
    func staged(_ record: Record, for engine: Engine) -> UnsafeMutablePointer<Slot>? {
        let slot = slots + Int(record.input)
        return slot.pointee.owner == ObjectIdentifier(engine) && slot.pointee.offset == record.offset
            && slot.pointee.partition == record.partition ? slot : nil
    }
}

/// Records decoded ahead of their step.
extension Engine {
    /// Decodes a record and keeps it in its input's slot, one record for each input; the record's bytes must stay valid
    /// until it is stepped. Returns the time by which inputs are merged: the event's, no later than its step will take
    /// it to be; nil for what is no event, which goes first. Changes no state.
    /// - Complexity: O(record)
    public func stage(_ record: Record) -> Timestamp? {
        let slot = decoders.slots + Int(record.input)
        slot.pointee.outcome = withUnsafeMutablePointer(to: &slot.pointee.event) {
            decode(record, by: slot.pointee.decoder, into: $0)
        }
        slot.pointee.owner = ObjectIdentifier(self)
        (slot.pointee.partition, slot.pointee.offset) = (record.partition, record.offset)
        guard case .event = slot.pointee.outcome else { return nil }
        return isAhead(slot.pointee.event.time, of: record) ?? slot.pointee.event.time
    }

    /// Steps the record as `step` does, without decoding it again if it is the one staged last of its input.
    /// - Complexity: that of `step`, less the decoding
    @discardableResult
    public func stepStaged(_ record: Record, into effects: inout Effects, recovering: Bool = false) -> UInt32? {
        guard let slot = decoders.staged(record, for: self) else {
            return step(record, into: &effects, recovering: recovering)
        }
        event.pointee = slot.pointee.event
        return take(record, slot.pointee.outcome, into: &effects, recovering: recovering)
    }
}
