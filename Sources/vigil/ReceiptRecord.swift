/// As much of an erasure's receipt as a person is shown.
struct ReceiptRecord: Decodable, Sendable {
    /// Of the erasure that was asked for.
    var event: String
    var time: String
    var tenant: String?
    var user: String
    /// False where nothing was known of the person.
    var erased: Bool

    /// Nil when the bytes are no receipt. A structured CloudEvent is looked into.
    init?(json: [UInt8]) {
        guard let record = decodeRecord(ReceiptRecord.self, from: json) else { return nil }
        self = record
    }

    /// `14:03:22  ERASED             alice  everything known was forgotten, as event forget-1 asked`
    func line(_ terminal: Terminal) -> String {
        let name = printable(tenant.map { "\($0)/\(user)" } ?? user, atMost: 32)
        let what = erased ? "everything known was forgotten" : "nothing was known"
        return pad(clockText(time), 8) + "  " + terminal.paint(pad(erased ? "ERASED" : "UNKNOWN", 17), .cyan, bold: true) + "  "
            + pad(name, 18) + "  \(what), as event \(printable(event, atMost: 64)) asked"
    }
}
