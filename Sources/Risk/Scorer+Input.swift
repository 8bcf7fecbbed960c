import Behavior
import Events

/// How the record itself looked.
extension Scorer {
    func inputSignal(_ event: UnsafePointer<Event>, _ seen: Observation, _ row: UserRow, _ out: inout Assessment) {
        guard has(.inputMalformed) else { return }
        let header = row.header
        var points = 0.0
        var count = 0.0
        if header.pointee.malformed > 0 && seen.time - header.pointee.malformedAt <= model.malformedWindow {
            count = Double(header.pointee.malformed)
            points = 5 * count
        }
        let truncated = event.pointee.flags.contains(.truncated)
        if truncated { points += 5 }
        if points > 0 {
            set(
                &out, .inputMalformed, points, observed: count, expected: Double(model.malformedWindow) / 60_000,
                detail: truncated ? Double(event.pointee.truncatedBytes) : 0)
        }
    }
}
