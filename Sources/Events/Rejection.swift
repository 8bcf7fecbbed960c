/// Why a record can't be decided. The raw value is the stable code in a dead letter's `vigil-reason`.
public enum RejectionReason: String, Sendable, CaseIterable {
    case nullPayload = "null_payload"
    case tooLarge = "too_large"
    case notJSON = "not_json"
    case invalidUTF8 = "invalid_utf8"
    case tooDeep = "too_deep"
    case duplicateKey = "duplicate_key"
    case wrongType = "wrong_type"
    case missingField = "missing_field"
    case invalidValue = "invalid_value"
    case invalidID = "invalid_id"
    case numberOutOfRange = "number_out_of_range"
    case timeInvalid = "time_invalid"
    case timeOutOfRange = "time_out_of_range"
    case amountInvalid = "amount_invalid"
    case unknownType = "unknown_type"
    case unsupportedType = "unsupported_type"
    case keyMissing = "key_missing"
    case keyMismatch = "key_mismatch"
}

/// A record that can't be decided, with whatever could still be read of who it is about.
public struct Rejection: Error {
    public var reason: RejectionReason
    /// The field at fault by its path in the contract ("device.id"); "" where no one field is.
    public var field: StaticString
    /// What was wrong, without any of the record's content.
    public var detail: StaticString
    /// Whether the event that came with it names somebody to tell (`user`, and what else could be read).
    public var knowsUser = false

    @inlinable public init(_ reason: RejectionReason, field: StaticString = "", detail: StaticString) {
        self.reason = reason
        self.field = field
        self.detail = detail
    }
}
