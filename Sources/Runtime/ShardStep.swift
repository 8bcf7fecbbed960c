/// The named steps of a shard, where tests and `vigil soak` make a process die.
public enum ShardStep: String, Sendable, CaseIterable {
    /// A batch was decided; its outputs are not produced yet.
    case decided
    /// The batch's outputs are handed to the producer.
    case produced
    /// Cuts and state records of a commit are handed to the producer; nothing is committed.
    case sliced
    /// The producer is about to add the offsets to its transaction.
    case sendingOffsets = "sending-offsets"
    /// The offsets are in the transaction, which is still open.
    case sentOffsets = "sent-offsets"
    /// The transaction is about to end.
    case ending
    /// The transaction has ended; nobody here has taken note.
    case ended
    /// The commit is noted; the state file doesn't have its slice yet.
    case committed
    /// The state file has the slice.
    case stored
    /// A transaction was aborted; memory is not undone yet.
    case aborted
    /// Memory is back at the last commit; reading still stands where it was.
    case undone
    /// An assignment was taken note of.
    case assigned
    /// A partition's state is brought up to the state topic.
    case tailed
    /// A partition's state is loaded.
    case loaded
    /// Within redo.
    case redoing
    /// A revocation was taken note of.
    case revoking
    /// The partitions are about to be given back.
    case releasing
}

/// Called at every step; throws to make the shard fail there. Production passes nil, or one that ends the process.
public typealias ShardProbe = (ShardStep) throws(LogFailure) -> Void

/// Faults that tests build into a shard to see whether the oracle notices. Never set in production.
public enum Mutant: String, Sendable, CaseIterable {
    /// After an abort reading goes on where it stood.
    case skipRewind = "skip-rewind"
    /// The state file is written before the transaction is committed.
    case storeBeforeCommit = "store-before-commit"
    /// The group membership is taken at the commit instead of at the assignment.
    case freshMembership = "fresh-membership"
    /// The internal topics are read only up to the last stable offset of the moment.
    case restoreToStable = "restore-to-stable"
    /// An event is learned before it is decided.
    case learnBeforeDecide = "learn-before-decide"
    /// Memory keeps what an aborted transaction learned.
    case keepAborted = "keep-aborted"
    /// What users share is left out of the image.
    case forgetShared = "forget-shared"
    /// What waited to be folded at the redo point is not absorbed again.
    case forgetPending = "forget-pending"
    /// Others' panes are absorbed, and no cut says so.
    case unrecordedPanes = "unrecorded-panes"
    /// A local state file is used without reading the state topic beyond it.
    case staleFile = "stale-file"
    /// A changed plan is swapped in while users are unwritten.
    case swapUnwritten = "swap-unwritten"
    /// What another plan has decided is redone under the present one without a word.
    case redoUnderPresent = "redo-under-present"
}
