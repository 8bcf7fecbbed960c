import Events

/// The life of a question that was put to a person.
///
/// ```text drawing
///            ┌─ failed, and may try again ─┐
///            ▼                             │
///  ──→ issued ─────────────────────────────┘
///        │
///        ├─ passed ───────────→ passed        the session has proven who is behind it
///        ├─ failed too often ─→ failed        what waited with the session is dropped
///        ├─ “not me” ─────────→ denied        the session is ended, the account alarmed
///        ├─ walked away ──────→ abandoned     asked again, another way
///        ├─ event time ───────→ timedOut      asked again, another way
///        └─ a stronger one ───→ superseded    or its session was ended, or there was no room for it
/// ```
///
/// Whatever has left `issued` stays as it is.
public enum ChallengeState: UInt8, Sendable, CaseIterable {
    case issued, passed, failed, denied, abandoned, timedOut, superseded

    /// What can happen to a question.
    public enum Happening: Sendable, Equatable {
        /// `isLast`: no further try is left.
        case answered(ChallengeResult, isLast: Bool)
        /// Event time has passed its end.
        case expired
        /// Another question takes its place, or nobody is left to answer it.
        case superseded
    }

    /// The state after that; nil where it can't happen: to a question that is closed, or by an answer that says nothing.
    public func after(_ happening: Happening) -> ChallengeState? {
        guard self == .issued else { return nil }
        switch happening {
        case .answered(.none, _): return nil
        case .answered(.passed, _): return .passed
        case .answered(.failed, let isLast): return isLast ? .failed : .issued
        case .answered(.denied, _): return .denied
        case .answered(.abandoned, _): return .abandoned
        case .answered(.timedOut, _), .expired: return .timedOut
        case .superseded: return .superseded
        }
    }
}
