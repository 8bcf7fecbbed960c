import Events

extension ChallengeMethod {
    /// The set that holds it alone.
    public var asSet: ChallengeMethods { ChallengeMethods(rawValue: bit) }

    /// What it costs the person, least first: a finger or a tap on what is in the hand; a prompt of the browser; a code to be
    /// read and typed; a thing to be fetched. Methods that cost the same are equal to the chooser.
    public var friction: Int {
        switch self {
        case .biometric, .push: 0
        case .webauthn: 1
        case .totp: 2
        case .hardware_key: 3
        }
    }

    /// All of them, those that cost the person least first.
    public static let byFriction: [ChallengeMethod] = [.biometric, .push, .webauthn, .totp, .hardware_key]
}

/// Methods in an order, each at most once: three bits for each, the first lowest.
public struct MethodList: Sendable, Equatable {
    public private(set) var packed: UInt16

    public init() { packed = 0 }

    /// What `packed` was; what it can't have been counts for nothing.
    public init(packed: UInt16) {
        self.init()
        for place in 0..<ChallengeMethod.allCases.count {
            let number = Int(packed >> UInt16(3 * place) & 7)
            guard number > 0 else { return }
            if number <= ChallengeMethod.allCases.count { append(number - 1) }
        }
    }

    public init(_ methods: [ChallengeMethod]) {
        self.init()
        for method in methods { append(method.index) }
    }

    public var count: Int { (16 - packed.leadingZeroBitCount + 2) / 3 }
    public var isEmpty: Bool { packed == 0 }

    /// The method at that place, by its index.
    public subscript(place: Int) -> Int { Int(packed >> UInt16(3 * place) & 7) - 1 }

    public var asSet: ChallengeMethods {
        var set: ChallengeMethods = []
        for place in 0..<count { set.insert(ChallengeMethods(rawValue: 1 << UInt8(self[place]))) }
        return set
    }

    /// The one that comes first, alone; empty when there is none.
    public var first: ChallengeMethods { isEmpty ? [] : ChallengeMethods(rawValue: 1 << UInt8(self[0])) }

    /// A method that is in it already stays where it is.
    public mutating func append(_ index: Int) {
        guard !asSet.contains(ChallengeMethods(rawValue: 1 << UInt8(index))) else { return }
        packed |= UInt16(index + 1) << UInt16(3 * count)
    }

    /// Those of `kept`, in the same order.
    public func filtered(_ kept: ChallengeMethods) -> MethodList {
        var list = MethodList()
        for place in 0..<count where kept.contains(ChallengeMethods(rawValue: 1 << UInt8(self[place]))) { list.append(self[place]) }
        return list
    }
}

/// How to ask a person: the least friction that suffices.
///
/// A method that proves less than is needed is never offered, nor a push to somebody who was bombed with them, nor what the
/// person hasn't enrolled. The rule's order is the operator's preference and stays, but for two things: what was left
/// unanswered last comes last, so that another way is tried first; and of methods side by side that cost the same the one
/// that was used last comes first. A rule that lists `any` has them in the order of `ChallengeMethod.friction`.
public struct ChallengeChoice {
    /// Of the rule, in its order.
    public var listed: MethodList
    /// All methods that prove enough.
    public var sufficient: ChallengeMethods
    /// Nil when that isn't known.
    public var enrolled: ChallengeMethods?
    public var isPushStopped = false
    public var ignored: ChallengeMethods = []
    /// The method passed last; empty for none.
    public var last: ChallengeMethods = []

    public init(listed: MethodList, sufficient: ChallengeMethods) {
        self.listed = listed
        self.sufficient = sufficient
    }

    /// What to offer, the best first; empty when the person has nothing that suffices.
    /// - Complexity: O(1), five methods
    public var offered: MethodList { order(suitable.filtered(enrolled ?? sufficient)) }

    /// What to offer whatever the person has enrolled, for whoever asks can enrol: never empty, for where push alone would
    /// do and is stopped, a security key does.
    /// - Complexity: O(1), five methods
    public var offeredUnenrolled: MethodList {
        let list = order(suitable)
        if !list.isEmpty { return list }
        return MethodList(sufficient.contains(.webauthn) ? [.webauthn] : [.hardware_key])
    }

    private var suitable: MethodList {
        listed.filtered(isPushStopped ? sufficient.subtracting(.push) : sufficient)
    }

    private func order(_ methods: MethodList) -> MethodList {
        var list = MethodList()
        for wantsIgnored in [false, true] {
            for place in 0..<methods.count {
                let index = methods[place]
                guard ignored.contains(ChallengeMethods(rawValue: 1 << UInt8(index))) == wantsIgnored else { continue }
                if let favourite = favourite(in: methods, from: place, wantsIgnored) { list.append(favourite) }
                list.append(index)
            }
        }
        return list
    }

    /// The method used last, if it comes right behind the one at `place`, or behind others that cost the same.
    private func favourite(in methods: MethodList, from place: Int, _ wantsIgnored: Bool) -> Int? {
        guard !last.isEmpty, ignored.contains(last) == wantsIgnored else { return nil }
        let cost = Self.frictions[methods[place]]
        var next = place + 1
        while next < methods.count && Self.frictions[methods[next]] == cost {
            if last.rawValue == 1 << UInt8(methods[next]) { return methods[next] }
            next += 1
        }
        return nil
    }

    /// `ChallengeMethod.friction` by index.
    private static let frictions = InlineArray<5, Int> { place in
        ChallengeMethod.allCases.first { $0.index == place }!.friction
    }
}

/// What is decided where the person has enrolled nothing that suffices.
public enum NoMethod: String, Sendable, CaseIterable {
    /// The question is put with the rule's own methods: whoever puts it can have one enrolled, after proving who it is.
    case ask
    /// Nothing can be answered, so the event is denied.
    case deny
}

/// How often people may be asked, and what else goes for every question.
public struct ChallengeOptions: Sendable, Equatable {
    /// New questions to one user within an hour of event time; the next one is a denial instead.
    public var perHour = 12
    public var noMethod = NoMethod.ask
    public init() {}
}

/// When rules ask too much of people whom they should leave alone, an operator's mistake is likelier than that many thefts.
public struct BreakerOptions: Sendable, Equatable {
    /// Share of the established users of a window who were asked something, above which the breaker opens.
    public var share = 0.05
    /// In a window with fewer established users nothing is concluded.
    public var leastUsers = 200
    /// Milliseconds of event time.
    public var window: Int64 = 600_000
    /// Rules that are passed over while it is open.
    public var relax: [String] = []
    /// Milliseconds of event time for which it stays open.
    public var duration: Int64 = 900_000
    public init() {}
}
