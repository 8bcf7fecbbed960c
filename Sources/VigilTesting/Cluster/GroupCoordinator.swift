import Runtime

/// A group of consumers with the eager protocol and the range assignor, and its committed offsets. Follows Kafka's
/// classic group coordinator.
///
///     empty ──join──▶ preparing ──everybody has joined──▶ stable ──join, leave, expiry──▶ preparing …
struct GroupCoordinator {
    enum Phase: Equatable {
        case empty
        case preparing(since: Int64)
        case stable
    }

    struct Member {
        var id: String
        /// The static member id.
        var instance: String?
        var lastHeard: Int64
        /// Has asked to be in the next generation.
        var hasJoined: Bool
        var assignment: [Int32] = []
        /// What the range assignor sorts by.
        var rank: String { instance ?? id }
    }

    struct Offset {
        var offset: Int64
        /// When it was written, among all commits: a transaction that ends late doesn't override what was written after.
        var sequence: Int
    }

    let partitions: Int32
    let sessionTimeout: Int64
    let rebalanceTimeout: Int64
    private(set) var phase = Phase.empty
    private(set) var generation = 0
    private(set) var members: [Member] = []
    private var offsets: [InputPartition: Offset] = [:]
    /// Offsets of open transactions, by producer.
    private var pending: [Int64: [InputPartition: Offset]] = [:]
    private var sequence = 0
    private var memberNumber = 0

    init(partitions: Int32, sessionTimeout: Int64, rebalanceTimeout: Int64) {
        self.partitions = partitions
        self.sessionTimeout = sessionTimeout
        self.rebalanceTimeout = rebalanceTimeout
    }

    // MARK: Members

    /// JoinGroup of a member without an id. A static one takes over from its predecessor, assignment included.
    mutating func join(name: String, instance: String?, now: Int64) -> String {
        memberNumber += 1
        let id = "\(name)-\(memberNumber)"
        if let instance, let index = members.firstIndex(where: { $0.instance == instance }) {
            members[index].id = id
            members[index].lastHeard = now
            if phase != .stable { members[index].hasJoined = true }
        } else {
            members.append(Member(id: id, instance: instance, lastHeard: now, hasJoined: true))
            if phase == .stable || phase == .empty { phase = .preparing(since: now) }
        }
        completeIfReady(now: now)
        return id
    }

    /// JoinGroup of a member that has given its partitions back.
    mutating func rejoin(_ id: String, now: Int64) {
        guard let index = members.firstIndex(where: { $0.id == id }) else { return }
        members[index].hasJoined = true
        members[index].lastHeard = now
        if phase == .stable { phase = .preparing(since: now) }
        completeIfReady(now: now)
    }

    mutating func leave(_ id: String, now: Int64) { remove(now: now) { $0.id == id } }

    /// Heartbeat: the generation while it is the member's, nil while a rebalance wants it to rejoin.
    mutating func beat(_ id: String, instance: String?, now: Int64) throws(BrokerError) -> Int? {
        let index = try find(id, instance: instance)
        members[index].lastHeard = now
        return phase == .stable ? generation : nil
    }

    /// The member waits for the generation that is being prepared.
    func isJoining(_ id: String) -> Bool {
        phase != .stable && members.contains { $0.id == id && $0.hasJoined }
    }

    func assignment(of id: String) -> [Int32] { members.first { $0.id == id }?.assignment ?? [] }

    /// Drops members not heard of for the session timeout, and those that held up a rebalance for too long. One that
    /// waits for the next generation is kept: its request is held by the broker.
    mutating func expire(now: Int64) {
        let isLate = if case .preparing(let since) = phase { since + rebalanceTimeout < now } else { false }
        let isPreparing = phase != .stable
        let unheard = now - sessionTimeout
        remove(now: now) {
            if isPreparing && $0.hasJoined { return false }
            return isLate || $0.lastHeard < unheard
        }
    }

    /// The broker was away: nobody could be heard until now.
    mutating func forgive(now: Int64) {
        for index in members.indices { members[index].lastHeard = max(members[index].lastHeard, now) }
        if case .preparing = phase { phase = .preparing(since: now) }
    }

    private mutating func remove(now: Int64, _ isGone: (Member) -> Bool) {
        let before = members.count
        members.removeAll(where: isGone)
        guard members.count != before else { return }
        if members.isEmpty {
            phase = .empty
            generation += 1
            return
        }
        if phase == .stable { phase = .preparing(since: now) }
        completeIfReady(now: now)
    }

    private mutating func completeIfReady(now: Int64) {
        guard case .preparing = phase, members.allSatisfy(\.hasJoined) else { return }
        generation += 1
        phase = .stable
        members.sort { $0.rank < $1.rank }
        let most = Int(partitions)
        var next = 0
        for index in members.indices {
            let share = most / members.count + (index < most % members.count ? 1 : 0)
            members[index].assignment = (next..<next + share).map { Int32($0) }
            members[index].hasJoined = false
            members[index].lastHeard = now
            next += share
        }
    }

    private func find(_ id: String, instance: String?) throws(BrokerError) -> Int {
        if let instance {
            guard let index = members.firstIndex(where: { $0.instance == instance }) else { throw .unknownMember }
            guard members[index].id == id else { throw .fencedInstance }
            return index
        }
        guard let index = members.firstIndex(where: { $0.id == id }) else { throw .unknownMember }
        return index
    }

    // MARK: Offsets

    /// Who commits. Without a member id, and at generation −1, a transactional commit passes unchecked.
    func validate(_ id: String, instance: String?, generation: Int, isTransactional: Bool) throws(BrokerError) {
        if generation < 0 && phase == .empty { return }
        if generation >= 0 || !id.isEmpty || instance != nil {
            _ = try find(id, instance: instance)
            if generation != self.generation { throw .illegalGeneration }
        } else if !isTransactional {
            throw .unknownMember
        }
    }

    /// OffsetCommit, after `validate`.
    mutating func commit(_ positions: [InputPosition]) {
        sequence += 1
        for position in positions { offsets[position.partition] = Offset(offset: position.offset, sequence: sequence) }
    }

    /// TxnOffsetCommit, after `validate`.
    mutating func commit(_ positions: [InputPosition], of producerID: Int64) {
        sequence += 1
        for position in positions {
            pending[producerID, default: [:]][position.partition] = Offset(offset: position.offset, sequence: sequence)
        }
    }

    /// The transaction's marker reaches the group's offsets.
    mutating func end(_ producerID: Int64, commits: Bool) {
        guard let held = pending.removeValue(forKey: producerID), commits else { return }
        for (partition, offset) in held where (offsets[partition]?.sequence ?? -1) < offset.sequence {
            offsets[partition] = offset
        }
    }

    /// OffsetFetch with require_stable.
    func fetch(_ partitions: [InputPartition]) throws(BrokerError) -> [Int64?] {
        for held in pending.values where partitions.contains(where: { held[$0] != nil }) { throw .unstableOffsets }
        return partitions.map { offsets[$0]?.offset }
    }

    /// What is committed now, transactions aside.
    func committed(_ partition: InputPartition) -> Int64? { offsets[partition]?.offset }

    /// Expiry, or the operator's reset (nil: deletes it).
    mutating func set(_ partition: InputPartition, to offset: Int64?) {
        sequence += 1
        offsets[partition] = offset.map { Offset(offset: $0, sequence: sequence) }
    }
}
