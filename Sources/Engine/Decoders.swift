import Events

/// One decoder for each input, what enriches their events, and room for the records decoded ahead of their steps, so that a
/// shard can compare the times of its inputs. Shared by the engines of one shard, which have one plan, since a decoder's
/// buffers are large; used from its thread only.
public final class Decoders {
    /// Records decoded in one go, at most. Decoding and deciding together are more code than the processor's
    /// first cache holds: record by record, each would find its own gone.
    public static let run = 16

    /// How many records to decode in one go of an input that has `count` of the `all` that wait in the inputs: together they
    /// come to about one run, for what is decoded long before it is due has left the cache by then.
    public static func run(of count: Int, among all: Int) -> Int { max(2, run * count / max(all, 1)) }

    struct Slot {
        let scratch: UnsafeMutablePointer<UInt8>
        var event = Event()
        var outcome = DecodeOutcome.ignored
        var partition: Int32 = 0
        var offset: Int64 = 0
        var bytes: UnsafePointer<UInt8>?
        /// Hash of the user whom the record's key names, and whether that is all the key names.
        var expected: UInt64 = 0
        var namesUser = false
        /// The bucket where that hash was met, or would have been: a guess by the time of the step.
        var bucket = 0
    }

    struct Input {
        let decoder: Unmanaged<EventDecoder>
        /// `run` of them.
        let slots: UnsafeMutablePointer<Slot>
        /// Slots in use, and the one found last.
        var count = 0
        var found = 0

        /// The slot that holds this record; −1 where none does.
        @inline(__always)
        mutating func slot(of record: Record) -> Int {
            var index = found
            while index < count {
                let slot = slots + index
                if slot.pointee.offset == record.offset && slot.pointee.bytes == record.value.base
                    && slot.pointee.partition == record.partition
                {
                    found = index
                    return index
                }
                index += 1
            }
            return -1
        }
    }

    let inputs: UnsafeMutablePointer<Input>
    let count: Int
    private let enrichment: Unmanaged<EventEnrichment>

    /// For engines of the same inputs as this plan's.
    public init(plan: EnginePlan, enrichment: EventEnrichment = EventEnrichment()) {
        self.enrichment = .passRetained(enrichment)
        count = plan.inputs.count
        inputs = .allocate(capacity: max(count, 1))
        for (index, input) in plan.inputs.enumerated() {
            let slots = UnsafeMutablePointer<Slot>.allocate(capacity: Self.run)
            for slot in 0..<Self.run {
                (slots + slot).initialize(to: Slot(scratch: .allocate(capacity: EventEnrichment.scratchBytes)))
            }
            (inputs + index).initialize(
                to: Input(decoder: .passRetained(EventDecoder(bounds: input.decode.bounds)), slots: slots))
        }
    }

    deinit {
        for index in 0..<count {
            let slots = inputs[index].slots
            for slot in 0..<Self.run { slots[slot].scratch.deallocate() }
            slots.deinitialize(count: Self.run)
            slots.deallocate()
            inputs[index].decoder.release()
        }
        inputs.deallocate()
        enrichment.release()
    }

    /// Adds to a decoded event what the shell knows of devices and networks.
    @inline(__always)
    func enrich(_ event: UnsafeMutablePointer<Event>, scratch: UnsafeMutablePointer<UInt8>) {
        enrichment._withUnsafeGuaranteedRef { $0.enrich(&event.pointee, scratch: scratch) }
    }
}

/// Records decoded ahead of their step.
extension Engine {
    /// Decodes the first of these records, which will be stepped in this order, and keeps them: at most `Decoders.run`, and none
    /// behind one whose event lies in the decoder's own buffers. The records' bytes must stay valid until they are stepped;
    /// what was kept of their inputs before is gone. `times` becomes, for each that is kept, the time by which inputs are
    /// merged: the event's, no later than its step will take it to be; nil for what is no event, which goes first. Changes no
    /// state.
    /// - Complexity: O(records kept)
    public func stage(_ records: ArraySlice<Record>, times: inout [Timestamp?]) {
        times.removeAll(keepingCapacity: true)
        var begun: UInt16 = 0
        var last: UnsafeMutablePointer<Decoders.Slot>?
        for record in records.prefix(Decoders.run) {
            let input = decoders.inputs + Int(record.input)
            if begun &>> record.input & 1 == 0 {
                begun |= 1 &<< record.input
                (input.pointee.count, input.pointee.found) = (0, 0)
            }
            let slot = input.pointee.slots + input.pointee.count
            let (expected, namesUser) = expectedKey(record)
            table.expectBucket(of: expected)
            // The records of a batch mostly lie one behind the other.
            if let base = record.value.base { prefetch(base + record.value.count, bytes: Self.expectedRecordBytes) }
            let event = Self.event(of: slot)
            let outcome = decode(record, input.pointee.decoder, into: event)
            (slot.pointee.partition, slot.pointee.offset, slot.pointee.bytes) = (record.partition, record.offset, record.value.base)
            (slot.pointee.expected, slot.pointee.namesUser) = (expected, namesUser)
            input.pointee.count += 1
            if case .event = outcome {
                // Not a copy of the outcome: it is large, for what is said of rejections.
                slot.pointee.outcome = .event
                decoders.enrich(event, scratch: slot.pointee.scratch)
                times.append(isAhead(event.pointee.time, of: record) ?? event.pointee.time)
            } else {
                slot.pointee.outcome = outcome
                times.append(nil)
            }
            // The bucket of the one before has come by now, and its row comes while others are decoded.
            if let last { expectRow(for: last) }
            last = slot
            if !input.pointee.decoder._withUnsafeGuaranteedRef({ $0.borrowsRecordOnly }) { break }
        }
        if let last { expectRow(for: last) }
    }

    /// The bucket is looked for here once, as how many are passed no processor can guess.
    @inline(__always)
    private func expectRow(for slot: UnsafeMutablePointer<Decoders.Slot>) {
        slot.pointee.bucket = table.bucket(of: slot.pointee.expected)
        table.expectRow(in: slot.pointee.bucket)
    }

    @inline(__always)
    private static func event(of slot: UnsafeMutablePointer<Decoders.Slot>) -> UnsafeMutablePointer<Event> {
        let offset = MemoryLayout<Decoders.Slot>.offset(of: \.event).unsafelyUnwrapped
        return (UnsafeMutableRawPointer(slot) + offset).assumingMemoryBound(to: Event.self)
    }

    /// Steps the record as `step` does, without decoding it again if it is kept.
    /// - Complexity: that of `step`, less the decoding
    @discardableResult
    public func stepStaged(_ record: Record, into effects: inout Effects, recovering: Bool = false) -> UInt32? {
        let input = decoders.inputs + Int(record.input)
        let index = input.pointee.slot(of: record)
        guard index >= 0 else { return step(record, into: &effects, recovering: recovering) }
        let slot = input.pointee.slots + index
        mode.pointee.event = Self.event(of: slot)
        // A key that decoding requires, and that names nothing but the user, has the user's hash.
        let isKey = slot.pointee.namesUser && slot.pointee.event.tenant.isEmpty
            && decodePlans[Int(record.input)]._withUnsafeGuaranteedRef { $0.requiresKey }
        return take(
            record, slot.pointee.outcome, key: isKey ? slot.pointee.expected : nil, bucket: slot.pointee.bucket, into: &effects,
            recovering: recovering)
    }
}
