/// Ten thousand accounts of one's own must not make a network common. What a value counts for is capped: from one day to
/// the next the cap grows by an eighth of what the value counted for, beside what everybody's number has grown by, and is
/// never below eight. So a value's share doubles in six days at the soonest, however many log in with it. It depends on
/// events alone, and panes of one day may come in any order. In the view's first two weeks there is no yesterday to hold
/// it against, and nothing is capped.
extension SharedView {
    static let freeDays: Int64 = 14
    static let leastCeiling: UInt64 = 8

    /// Takes note of how many there were when the day began.
    func begin(day: Int64) {
        if words[Layout.firstDay] == 0 {
            store.touch(Layout.firstDay)
            words[Layout.firstDay] = UInt64(day + 1)
        }
        guard day > Int64(words[Layout.today] & 0xFFFF_FFFF) else { return }
        store.touch(Layout.today)
        let everybody = UInt64(Double(bitPattern: words[Layout.everybodyCount]))
        words[Layout.today] = UInt64(day) | min(everybody, 0xFFFF_FFFF) << 32
    }

    /// A value's first pane of a day.
    func raiseCeiling(_ body: UnsafeMutablePointer<UInt64>, day: Int64) {
        let everybody = words[Layout.today] >> 32
        let then = body[1] >> 32
        if day + 1 - Int64(words[Layout.firstDay]) < Self.freeDays {
            body[0] |= 0xFFFF_FFFF << 32
        } else {
            var counted = min(body[2], body[0] >> 32)
            if then > 0 && everybody > then { counted = counted &* everybody / then }
            counted = min(counted, 0xFFFF_FFFF)
            let ceiling = min(max(Self.leastCeiling, counted + counted / 8), 0xFFFF_FFFF)
            body[0] = body[0] & 0xFFFF_FFFF | ceiling << 32
        }
        body[1] = UInt64(day) | everybody << 32
    }
}
