import Events

/// What one login adds to what users share: fingerprints of the event, and nothing that depends on the user's row.
public struct Contribution: Equatable, Sendable {
    /// Keyed hash of tenant and user.
    public var user: UInt64
    public var prefix: UInt32
    public var provider: UInt32
    public var device: UInt32
    public var agent: UInt32
    public var os: UInt32
    public var country: UInt16
    public var deviceClass: UInt8
    /// 1: the login failed.
    public var failed: UInt8

    @inlinable public init(of seen: Observation, user: UInt64, failed: Bool) {
        self.user = user
        prefix = seen.network
        provider = seen.asn
        device = seen.hasDeviceID ? seen.device : 0
        agent = seen.agent
        os = seen.os
        country = seen.country
        deviceClass = seen.deviceClass
        self.failed = failed ? 1 : 0
    }

    public static let words = 4
    static let empty = Contribution(of: Observation(time: Timestamp(milliseconds: 0)), user: 0, failed: false)
}

/// What a partition's events have contributed since its last pane was sealed. Entries are only ever added, so a count of
/// them is a mark of it.
public final class OpenPane {
    /// Logins and actions at most; a pane that is full is sealed in parts.
    public static let mostLogins = 2048
    public static let mostActions = 4096

    @usableFromInline struct Body {
        @usableFromInline var logins: UnsafeMutablePointer<Contribution>
        /// The action above, 32 bits of the user's hash below.
        @usableFromInline var actions: UnsafeMutablePointer<UInt64>
        @usableFromInline var loginCount = 0
        @usableFromInline var actionCount = 0
        @usableFromInline var loginRoom = 0
        @usableFromInline var actionRoom = 0
    }
    @usableFromInline let body: UnsafeMutablePointer<Body>

    public init() {
        body = .allocate(capacity: 1)
        body.initialize(to: Body(logins: .allocate(capacity: 16), actions: .allocate(capacity: 32), loginRoom: 16, actionRoom: 32))
    }

    deinit {
        body.pointee.logins.deallocate()
        body.pointee.actions.deallocate()
        body.deallocate()
    }

    public var logins: UnsafeBufferPointer<Contribution> { UnsafeBufferPointer(start: body.pointee.logins, count: body.pointee.loginCount) }
    public var actions: UnsafeBufferPointer<UInt64> { UnsafeBufferPointer(start: body.pointee.actions, count: body.pointee.actionCount) }
    public var isEmpty: Bool { body.pointee.loginCount + body.pointee.actionCount == 0 }
    /// It must be sealed before another event.
    @inline(__always)
    @inlinable public var isFull: Bool { body.pointee.loginCount == Self.mostLogins || body.pointee.actionCount == Self.mostActions }

    /// - Complexity: O(1) amortised
    @inline(__always)
    public func add(_ login: Contribution) {
        let count = body.pointee.loginCount
        if count == body.pointee.loginRoom { growLogins() }
        (body.pointee.logins + count).initialize(to: login)
        body.pointee.loginCount = count + 1
    }

    /// - Complexity: O(1) amortised
    @inline(__always)
    @inlinable public func add(action: UInt32, user: UInt64) {
        let count = body.pointee.actionCount
        if count == body.pointee.actionRoom { growActions() }
        body.pointee.actions[count] = UInt64(action) << 32 | user >> 32
        body.pointee.actionCount = count &+ 1
    }

    /// Forgets everything after the first so many.
    public func truncate(logins: Int, actions: Int) {
        body.pointee.loginCount = min(body.pointee.loginCount, logins)
        body.pointee.actionCount = min(body.pointee.actionCount, actions)
    }

    private func growLogins() {
        let room = body.pointee.loginRoom * 2
        let larger = UnsafeMutablePointer<Contribution>.allocate(capacity: room)
        larger.moveInitialize(from: body.pointee.logins, count: body.pointee.loginCount)
        body.pointee.logins.deallocate()
        (body.pointee.logins, body.pointee.loginRoom) = (larger, room)
    }

    @usableFromInline func growActions() {
        let room = body.pointee.actionRoom * 2
        let larger = UnsafeMutablePointer<UInt64>.allocate(capacity: room)
        larger.moveInitialize(from: body.pointee.actions, count: body.pointee.actionCount)
        body.pointee.actions.deallocate()
        (body.pointee.actions, body.pointee.actionRoom) = (larger, room)
    }
}
