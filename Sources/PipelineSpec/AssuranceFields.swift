import Events
import Policy

enum AssuranceFields {
    static var record: Record<AssuranceOptions> {
        Record(AssuranceOptions(), [
            Field("methods", \.self, Record(AssuranceOptions(), ChallengeMethod.allCases.map { method in
                Field(method.rawValue, \.methods[method.index], self.method(method).format, doc(method))
            }).format, "What an answer by each method proves."),
            Field("acr", \.contexts, contexts, standard: "`{aal1: aal1, aal2: aal2, phr: phr, phrh: phrh, aal3: phrh}`",
                "Values of `acr` and the level each stands for; given, they replace the default. Those of an identity provider's own belong here. A rule that names no `acr_values` asks for the ones that suffice, in this order."),
            Field("attempts", \.attempts, .integer(1...100), "Failed answers after which a question is closed for good."),
            Field("alarm", \.alarm, .duration(0...(30 * 86_400_000)),
                "After a person has said \"not me\" of a question, how long every session of the account must prove itself anew before anything else; `0s` for never."),
            Field("alarm_assurance", \.alarmNeed, level, "What a session must prove then."),
            Field("rotation_grace", \.rotationGrace, .duration(0...600_000),
                "How long requests that were under way when a session got a new name are still judged under the old one; after that it is refused."),
        ])
    }

    /// As it is written in events and rules.
    static var level: Format<AssuranceLevel> {
        .choice(AssuranceLevel.allCases.filter { $0 > .none }.map { ($0.name.description, $0) })
    }

    private static func method(_ method: ChallengeMethod) -> Record<AssuranceOptions.Method> {
        Record(AssuranceOptions().methods[method.index], [
            Field("level", \.level, level, "NIST SP 800-63B-4: `aal1` one factor, `aal2` two, `phr` two that can't be phished, `phrh` AAL3, from hardware."),
            Field("amr", \.amr, ConditionFields.methodSet, "Names of RFC 8176 by which an answer may give the method."),
        ])
    }

    private static var contexts: Format<[AssuranceOptions.Context]> {
        level.map(keys: "value of `acr`", .single).convert(
            { $0.map { AssuranceOptions.Context($0.key, $0.value) } }, { $0.map { Named(key: $0.name, value: $0.level) } })
    }

    private static func doc(_ method: ChallengeMethod) -> String {
        switch method {
        case .webauthn: "A passkey: it can't be phished, and may be copied from device to device."
        case .push: "A message to a device of the person's; RFC 8176 has no name for it."
        case .totp: "A one-time password."
        case .biometric: "A face or finger, checked on the person's device."
        case .hardware_key: "A key that can't leave its hardware."
        }
    }
}
