extension Effects {
    /// Appends the dead letter of `record`: its own key and value, untouched (a null value stays null), and headers
    /// that say why and where from. A value longer than `maxBytes` is cut to them and the header `vigil-truncated`
    /// holds `sha256:<of the whole>;bytes=<length of the whole>`.
    public mutating func emitDeadLetter(
        _ record: Record, _ rejection: Rejection, topic: ByteView, maxBytes: Int = 900_000
    ) {
        let key = record.key.isPresent ? append { $0.append(record.key) } : nil
        let isCut = record.value.count > maxBytes
        let value = record.value.isPresent ? append { $0.append(record.value.prefix(max(maxBytes, 0))) } : nil
        let firstHeader = headers.count
        header(.reason) { $0.append(rejection.reason.code) }
        header(.detail) { bytes in
            if rejection.field.utf8CodeUnitCount > 0 {
                bytes.append(rejection.field)
                bytes.append(": ")
            }
            bytes.append(rejection.detail)
        }
        header(.topic) { $0.append(topic) }
        header(.partition) { $0.append(integer: Int64(record.partition)) }
        header(.offset) { $0.append(integer: record.offset) }
        if isCut {
            header(.truncated) { bytes in
                bytes.append("sha256:")
                bytes.append(text: Digest.hex(Digest.sha256(record.value)))
                bytes.append(";bytes=")
                bytes.append(integer: Int64(record.value.count))
            }
        }
        outputs.append(
            Output(
                kind: .deadLetter, verdict: .allow, input: record.input, partition: record.partition,
                offset: record.offset, key: key, value: value, headers: firstHeader..<headers.count))
    }
}

extension RejectionReason {
    /// The raw value, without making a `String`.
    public var code: StaticString {
        switch self {
        case .nullPayload: "null_payload"
        case .tooLarge: "too_large"
        case .notJSON: "not_json"
        case .invalidUTF8: "invalid_utf8"
        case .tooDeep: "too_deep"
        case .duplicateKey: "duplicate_key"
        case .wrongType: "wrong_type"
        case .missingField: "missing_field"
        case .invalidValue: "invalid_value"
        case .invalidID: "invalid_id"
        case .numberOutOfRange: "number_out_of_range"
        case .timeInvalid: "time_invalid"
        case .timeOutOfRange: "time_out_of_range"
        case .amountInvalid: "amount_invalid"
        case .unknownType: "unknown_type"
        case .unsupportedType: "unsupported_type"
        case .keyMissing: "key_missing"
        case .keyMismatch: "key_mismatch"
        }
    }
}
