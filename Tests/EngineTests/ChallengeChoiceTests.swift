import Events
import Policy
import Testing

/// Which methods are offered, as a table.
@Suite struct ChallengeChoiceTests {
    typealias Methods = ChallengeMethods

    struct Case: Sendable, CustomStringConvertible {
        var listed: [ChallengeMethod]
        var sufficient: Methods = [.webauthn, .push, .totp, .biometric, .hardwareKey]
        var enrolled: Methods?
        var isPushStopped = false
        var ignored: Methods = []
        var last: Methods = []
        var offered: [ChallengeMethod]
        var unenrolled: [ChallengeMethod]?
        var description: String { "\(listed) → \(offered)" }
    }

    static let phishingResistant: Methods = [.webauthn, .hardwareKey]
    static let cases: [Case] = [
        // The rule's order, where nothing else is known.
        Case(listed: [.webauthn, .totp], offered: [.webauthn, .totp]),
        Case(listed: [.totp, .push, .webauthn], offered: [.totp, .push, .webauthn]),
        Case(listed: ChallengeMethod.byFriction, offered: [.biometric, .push, .webauthn, .totp, .hardware_key]),
        // Only what is enrolled.
        Case(listed: [.webauthn, .totp], enrolled: .totp, offered: [.totp], unenrolled: [.webauthn, .totp]),
        Case(listed: [.webauthn, .totp], enrolled: [.push, .totp, .webauthn], offered: [.webauthn, .totp]),
        Case(listed: [.webauthn], enrolled: .totp, offered: [], unenrolled: [.webauthn]),
        Case(listed: [.webauthn, .totp], enrolled: [], offered: [], unenrolled: [.webauthn, .totp]),
        // Only what proves enough, enrolled or not.
        Case(listed: [.push, .totp, .webauthn], sufficient: phishingResistant, offered: [.webauthn]),
        Case(
            listed: [.push, .totp, .hardware_key], sufficient: phishingResistant, enrolled: [.push, .totp], offered: [],
            unenrolled: [.hardware_key]),
        // No push to whom was bombed; where it was the only way, a security key.
        Case(listed: [.push, .webauthn], isPushStopped: true, offered: [.webauthn]),
        Case(listed: [.push], isPushStopped: true, offered: [], unenrolled: [.webauthn]),
        Case(listed: [.push], enrolled: [.push, .webauthn], isPushStopped: true, offered: [], unenrolled: [.webauthn]),
        Case(listed: [.push], sufficient: .hardwareKey, isPushStopped: true, offered: [], unenrolled: [.hardware_key]),
        // What was ignored comes last, unless there is nothing else.
        Case(listed: [.webauthn, .totp], ignored: .webauthn, offered: [.totp, .webauthn]),
        Case(listed: [.webauthn, .totp, .push], ignored: [.webauthn, .totp], offered: [.push, .webauthn, .totp]),
        Case(listed: [.webauthn], ignored: .webauthn, offered: [.webauthn]),
        Case(listed: [.webauthn, .totp], enrolled: .webauthn, ignored: .webauthn, offered: [.webauthn], unenrolled: [.totp, .webauthn]),
        Case(listed: [.webauthn, .totp], ignored: [.webauthn, .totp], offered: [.webauthn, .totp]),
        // Of what costs the same the one used last; what costs more or less stays where the rule has it.
        Case(listed: [.biometric, .push, .webauthn], last: .push, offered: [.push, .biometric, .webauthn]),
        Case(listed: [.webauthn, .totp], last: .totp, offered: [.webauthn, .totp]),
        Case(listed: [.biometric, .webauthn, .push], last: .push, offered: [.biometric, .webauthn, .push]),
        Case(listed: [.biometric, .push], ignored: .push, last: .push, offered: [.biometric, .push]),
        Case(listed: [.biometric, .push], ignored: [.biometric, .push], last: .push, offered: [.push, .biometric]),
        // None listed, none offered.
        Case(listed: [], offered: [], unenrolled: [.webauthn]),
    ]

    @Test(arguments: cases) func offers(_ wanted: Case) {
        var choice = ChallengeChoice(listed: MethodList(wanted.listed), sufficient: wanted.sufficient)
        choice.enrolled = wanted.enrolled
        choice.isPushStopped = wanted.isPushStopped
        (choice.ignored, choice.last) = (wanted.ignored, wanted.last)
        #expect(choice.offered == MethodList(wanted.offered))
        #expect(choice.offeredUnenrolled == MethodList(wanted.unenrolled ?? wanted.offered))
    }

    /// Whatever is known, nothing is offered that is too weak, not enrolled, stopped or not listed, and nothing twice; and
    /// what could be is.
    @Test func everyCombinationIsWithinItsBounds() {
        let orders: [[ChallengeMethod]] = [ChallengeMethod.byFriction, ChallengeMethod.allCases, [.totp, .push, .biometric], [.hardware_key]]
        for listed in orders {
            for bits in 0..<UInt32(1 << 15) {
                func methods(_ shift: UInt32) -> Methods { Methods(rawValue: UInt8(bits >> shift & 31)) }
                var choice = ChallengeChoice(listed: MethodList(listed), sufficient: methods(0))
                (choice.enrolled, choice.ignored) = (methods(5), methods(10))
                choice.isPushStopped = bits & 1 == 1
                choice.last = Methods(rawValue: 1 << UInt8(bits % 5))
                var allowed = methods(0).intersection(methods(5)).intersection(MethodList(listed).asSet)
                if choice.isPushStopped { allowed.remove(.push) }
                let offered = choice.offered
                guard offered.asSet == allowed, offered.count == allowed.rawValue.nonzeroBitCount else {
                    Issue.record("\(listed), \(bits): \(offered)")
                    return
                }
                if !offered.isEmpty && !allowed.subtracting(choice.ignored).isEmpty && choice.ignored.contains(offered.first) {
                    Issue.record("\(listed), \(bits): what was ignored comes first")
                    return
                }
            }
        }
    }

    @Test func aListIsWhatWasPutIn() {
        #expect(MethodList().count == 0 && MethodList().first.isEmpty)
        for methods in [ChallengeMethod.allCases, ChallengeMethod.allCases.reversed(), [.totp], [.hardware_key, .webauthn]] {
            let list = MethodList(methods)
            #expect(list.count == methods.count)
            #expect((0..<list.count).map { list[$0] } == methods.map(\.index))
            #expect(MethodList(packed: list.packed) == list)
            #expect(MethodList(methods + methods) == list)
        }
        for packed in UInt16.min...UInt16.max { #expect(MethodList(packed: packed).count <= 5) }
    }
}
