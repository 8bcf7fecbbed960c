/// The 24 things people do. Raw values index the chains.
enum Action: UInt8, Sendable, CaseIterable {
    case accountList, accountView, statementView, statementExport
    case transferCreate, transferSchedule, transferCancel, paymentCreate
    case beneficiaryList, beneficiaryAdd, beneficiaryRemove
    case cardView, cardFreeze, cardLimit
    case profileView, contactChange, passwordChange, factorAdd, factorRemove
    case messageRead, messageSend, documentDownload, reportExport, settingsChange

    var name: StaticString {
        switch self {
        case .accountList: "account.list"
        case .accountView: "account.view"
        case .statementView: "statement.view"
        case .statementExport: "statement.export"
        case .transferCreate: "transfer.create"
        case .transferSchedule: "transfer.schedule"
        case .transferCancel: "transfer.cancel"
        case .paymentCreate: "payment.create"
        case .beneficiaryList: "beneficiary.list"
        case .beneficiaryAdd: "beneficiary.add"
        case .beneficiaryRemove: "beneficiary.remove"
        case .cardView: "card.view"
        case .cardFreeze: "card.freeze"
        case .cardLimit: "card.limit"
        case .profileView: "profile.view"
        case .contactChange: "contact.change"
        case .passwordChange: "password.change"
        case .factorAdd: "factor.add"
        case .factorRemove: "factor.remove"
        case .messageRead: "message.read"
        case .messageSend: "message.send"
        case .documentDownload: "document.download"
        case .reportExport: "report.export"
        case .settingsChange: "settings.change"
        }
    }

    private static let resources: [StaticString] = [
        "account/", "beneficiary/", "card/", "profile/", "message/", "document/", "report/",
    ]
    /// What the resource is called.
    var resource: StaticString { Self.resources[resourceClass] }
    /// A number for it.
    var resourceClass: Int {
        switch self {
        case .accountList, .accountView, .statementView, .statementExport: 0
        case .transferCreate, .transferSchedule, .transferCancel, .paymentCreate: 0
        case .beneficiaryList, .beneficiaryAdd, .beneficiaryRemove: 1
        case .cardView, .cardFreeze, .cardLimit: 2
        case .profileView, .contactChange, .passwordChange, .factorAdd, .factorRemove, .settingsChange: 3
        case .messageRead, .messageSend: 4
        case .documentDownload: 5
        case .reportExport: 6
        }
    }
    static let exports: [Action] = [.statementExport, .documentDownload, .reportExport]
    var hasAmount: Bool {
        self == .transferCreate || self == .transferSchedule || self == .paymentCreate
    }

    /// What people tend to do next, whatever their role.
    var followers: [Action] {
        switch self {
        case .accountList: [.accountView, .statementView, .accountView]
        case .accountView: [.statementView, .transferCreate, .paymentCreate, .accountList]
        case .statementView: [.accountView, .statementExport, .documentDownload]
        case .statementExport: [.accountView, .statementView]
        case .transferCreate: [.accountView, .accountList, .transferCreate]
        case .transferSchedule: [.accountView, .transferCreate]
        case .transferCancel: [.accountView, .transferCreate]
        case .paymentCreate: [.paymentCreate, .accountView, .statementView]
        case .beneficiaryList: [.transferCreate, .beneficiaryAdd, .accountView]
        case .beneficiaryAdd: [.transferCreate, .beneficiaryList]
        case .beneficiaryRemove: [.beneficiaryList]
        case .cardView: [.cardLimit, .accountView, .cardFreeze]
        case .cardFreeze: [.messageSend, .cardView]
        case .cardLimit: [.cardView, .accountView]
        case .profileView: [.settingsChange, .contactChange, .accountList]
        case .contactChange: [.profileView]
        case .passwordChange: [.profileView, .accountList]
        case .factorAdd: [.profileView, .factorRemove]
        case .factorRemove: [.factorAdd, .profileView]
        case .messageRead: [.messageRead, .messageSend, .accountList]
        case .messageSend: [.messageRead, .accountList]
        case .documentDownload: [.documentDownload, .statementView]
        case .reportExport: [.reportExport, .documentDownload, .accountList]
        case .settingsChange: [.profileView, .accountList]
        }
    }
}

/// Six kinds of user, each a Markov chain over the actions; a person's own chain is drawn around his role's.
enum Role: Int, Sendable, CaseIterable {
    case customer, saver, merchant, support, analyst, administrator

    static let shares: [Double] = [0.46, 0.16, 0.14, 0.10, 0.09, 0.05]
    /// Works from an office on weekdays.
    var isEmployee: Bool { self == .support || self == .analyst || self == .administrator }

    /// How often each action is done, in the order of `Action`. None is zero: what is rare for a role still happens.
    var weights: [Double] {
        switch self {
        case .customer:
            [14, 20, 12, 1, 8, 2, 0.4, 8, 3, 0.9, 0.2, 7, 0.2, 0.5, 2, 0.25, 0.2, 0.1, 0.05, 6, 2, 2, 0.1, 0.6]
        case .saver:
            [18, 26, 18, 4, 3, 5, 0.6, 1, 1, 0.3, 0.1, 1, 0.1, 0.1, 2, 0.15, 0.2, 0.1, 0.04, 5, 1, 9, 0.5, 0.5]
        case .merchant:
            [8, 12, 10, 5, 16, 6, 1, 18, 6, 3, 0.7, 2, 0.2, 0.5, 1, 0.2, 0.2, 0.15, 0.05, 4, 2, 3, 2, 0.5]
        case .support:
            [22, 24, 8, 0.4, 0.2, 0.2, 0.6, 0.2, 2, 0.2, 0.2, 6, 2, 1, 14, 1.5, 0.3, 0.2, 0.2, 20, 16, 2, 0.3, 0.8]
        case .analyst:
            [16, 18, 16, 8, 0.2, 0.2, 0.1, 0.2, 1, 0.1, 0.1, 2, 0.1, 0.1, 4, 0.1, 0.2, 0.1, 0.05, 5, 3, 14, 12, 0.5]
        case .administrator:
            [12, 8, 2, 0.6, 0.1, 0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 1, 0.5, 1, 22, 3, 2, 4, 2, 8, 6, 4, 3, 14]
        }
    }

    /// Row-major transition probabilities, 24 × 24.
    static let chains: [[Double]] = allCases.map { role in
        let total = role.weights.reduce(0, +)
        return Action.allCases.flatMap { from in
            var row = role.weights.map { 0.6 * $0 / total }
            let followers = from.followers
            let mass = followers.reduce(0) { $0 + role.weights[Int($1.rawValue)] }
            for next in followers { row[Int(next.rawValue)] += 0.4 * role.weights[Int(next.rawValue)] / mass }
            return row
        }
    }
}

/// One person's chain: each row is drawn from a Dirichlet distribution around the role's row when it is first needed.
struct PersonalChain {
    /// How closely a person keeps to the role.
    private let concentration: Double
    private let seed: UInt64
    private let role: Role
    private var rows: [Double] = Array(repeating: 0, count: 24 * 24)
    private var known: UInt32 = 0

    init(seed: UInt64, role: Role, concentration: Double) {
        self.concentration = concentration
        self.seed = seed
        self.role = role
    }

    mutating func next(after action: Action, _ random: inout Random) -> Action {
        let start = Int(action.rawValue) * 24
        if known & (1 << UInt32(action.rawValue)) == 0 { draw(start) }
        var rest = random.uniform()
        for offset in 0..<24 {
            rest -= rows[start + offset]
            if rest < 0 { return Action(rawValue: UInt8(offset)) ?? .accountView }
        }
        return .accountView
    }

    private mutating func draw(_ start: Int) {
        var random = Random(seed: Random.mix(seed, UInt64(start), 0x636861696E))
        let chain = Role.chains[role.rawValue]
        var total = 0.0
        for offset in 0..<24 {
            let value = random.gamma(concentration * chain[start + offset])
            rows[start + offset] = value
            total += value
        }
        for offset in 0..<24 { rows[start + offset] /= total }
        known |= 1 << UInt32(start / 24)
    }

    /// How much of what is done in the first `steps` actions of a session is one of `actions`, 0…1.
    /// - Complexity: O(steps · 24²).
    mutating func share(of actions: [Action], steps: Int) -> Double {
        for row in 0..<24 where known & (1 << UInt32(row)) == 0 { draw(row * 24) }
        var now = Array(repeating: 0.0, count: 24)
        now[Int(Action.accountList.rawValue)] = 1
        var total = 0.0
        for _ in 0..<steps {
            for action in actions { total += now[Int(action.rawValue)] }
            var next = Array(repeating: 0.0, count: 24)
            for from in 0..<24 {
                for to in 0..<24 { next[to] += now[from] * rows[from * 24 + to] }
            }
            now = next
        }
        return steps > 0 ? total / Double(steps) : 0
    }
}
