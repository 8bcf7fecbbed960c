import Behavior
import Events
import Policy

/// Which question is put, and whether one may be.
extension Engine {
    /// What comes of having to ask.
    enum Asked {
        case question(StepUp)
        /// There is none to put: the event is denied, for this reason.
        case refused(ByteView)
    }

    /// The methods to offer for a new question; none where the person has nothing that suffices and is denied for it.
    func choose(_ demand: CompiledPolicy.Demand, _ row: UserRow) -> MethodList {
        let header = row.header.pointee
        var choice = ChallengeChoice(listed: demand.methods, sufficient: demand.sufficient)
        choice.isPushStopped = header.flags.contains(.pushStopped)
        choice.enrolled = header.flags.contains(.enrolmentsKnown) ? header.enrolled : nil
        choice.ignored = ChallengeMethods(rawValue: header.ignoredMethods)
        choice.last = ChallengeMethods(rawValue: header.lastMethod)
        let offered = choice.offered
        return offered.isEmpty && plan.challenges.noMethod == .ask ? choice.offeredUnenrolled : offered
    }

    /// The methods to offer for a question that is open: those it was put with, but for a push that was stopped since.
    func reoffer(_ challenge: UnsafeMutablePointer<ChallengeSlot>, _ demand: CompiledPolicy.Demand, _ row: UserRow) -> MethodList {
        var choice = ChallengeChoice(listed: MethodList(packed: challenge.pointee.offered), sufficient: demand.sufficient)
        choice.isPushStopped = row.header.pointee.flags.contains(.pushStopped)
        let offered = choice.offeredUnenrolled
        (challenge.pointee.offered, challenge.pointee.methods) = (offered.packed, offered.asSet.rawValue)
        return offered
    }

    /// The methods as a JSON array, valid until the next question.
    func json(of methods: MethodList) -> ByteView {
        var end = 0
        func append(_ text: StaticString) {
            (methodsText + end).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
            end += text.utf8CodeUnitCount
        }
        append("[\"")
        for place in 0..<methods.count {
            if place > 0 { append("\",\"") }
            append(ChallengeMethods.names[methods[place]])
        }
        append("\"]")
        return ByteView(base: UnsafePointer(methodsText), count: end)
    }

    /// All names with quotes and commas around them.
    static let methodsTextBytes = 64

    /// A trusted event says what the person can be asked by. One that isn't trusted says nothing: who has got into a session
    /// may have enrolled a key of his own there.
    func noteEnrolments(_ row: UserRow) {
        guard let enrolments = event.pointee.enrolments else { return }
        row.header.pointee.enrolled = enrolments
        row.header.pointee.flags.insert(.enrolmentsKnown)
    }
}
