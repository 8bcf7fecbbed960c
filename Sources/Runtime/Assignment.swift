import Engine
import StateStore

/// Partitions that were assigned and are being restored, a piece in every turn so that polling goes on.
final class Assignment {
    let partitions: [Int32]
    /// What the log says of all of them; nil until it answered.
    var facts: Facts?
    var restorations: [Restoration] = []
    /// When progress was last told.
    var told: Int64

    struct Facts {
        var log: String
        var committed: [Int64?]
        var bounds: [(first: Int64, end: Int64)]
    }

    init(partitions: [Int32], now: Int64) {
        self.partitions = partitions
        told = now
    }

    /// Begins again with what the log says now.
    func begin(directory: StateDirectory?) {
        release(directory)
        restorations = []
        facts = nil
    }

    /// Lets go of the state files.
    func release(_ directory: StateDirectory?) {
        for restoration in restorations {
            restoration.store = nil
            if restoration.hasClaim { directory?.release(partition: restoration.partition) }
        }
    }
}

/// One partition's way from nothing to a task.
final class Restoration {
    enum Phase {
        /// The state file is opened and judged.
        case opening
        /// The state topic is read from `next` to `end`.
        case tailing
        /// The cuts topic is read from `next` to `end`.
        case cuts
        /// Rows go from the file into the engine.
        case loading
        case done
    }
    let partition: Int32
    var phase = Phase.opening
    var engine: Engine
    var store: StateStore?
    var hasClaim = false
    /// The state file was set aside once already, and what the topic has is no better.
    var isRebuilt = false
    /// The state file was opened, or found unusable.
    var isFileJudged = false
    /// What the file knew when it was opened.
    var found: StoredCheckpoint?
    /// The newest redo point, from the file or the topic.
    var redo: RedoPoint?
    /// The life of the state topic that the file, or its newest checkpoint, is of.
    var origin = ""
    /// Rows read from the state topic, where there is no file to put them into.
    var rows: [UInt32: [UInt8]] = [:]
    /// Read from the state topic and not in the file yet: the newest of each number.
    var newest: [UInt32: [UInt8]?] = [:]
    var newestBytes = 0
    var next: Int64 = 0
    var end: Int64 = 0
    var first: Int64 = 0
    var tail: Int64 = 0
    /// When the state topic's end was asked for, in milliseconds since 1970.
    var asked: Int64 = 0
    /// The state topic doesn't have what the file has: everything must be written there again.
    var mustRepublish = false
    /// The topic lacks what the file has, and the log still holds all that the file is redone from: rows in the topic are of
    /// somebody who was filling it again, this host perhaps, or older than the file's, and no image of the file's is of their
    /// cuts.
    var passesTopic = false
    /// Numbers of the rows passed over.
    var passed: Set<UInt32> = []
    /// How far the file has followed the topic, while that is passed over; checkpoints before it are of no concern.
    var followed: Int64 = 0
    /// The topic was filled by this host, but the file missed the end of it.
    var isFilled = false
    /// Everything is redone from the partition's first record on, by an empty engine.
    var startsOver = false
    var cuts: [(offset: Int64, cut: Cut)] = []
    /// Where the cuts after all that were read begin.
    var cutsEnd: Int64 = 0
    var task: PartitionTask?
    /// The last piece brought nothing.
    var stands = false

    init(partition: Int32, engine: Engine) {
        self.partition = partition
        self.engine = engine
    }

    /// What the file knew is not believed.
    func forgetFile() {
        (found, redo, origin, mustRepublish, startsOver) = (nil, nil, "", false, false)
        (passesTopic, passed, followed, isFilled) = (false, [], 0, false)
    }

    /// For people.
    var progress: String {
        switch phase {
        case .opening: "waiting"
        case .tailing: "state topic \(percent) %"
        case .cuts: "cuts \(percent) %"
        case .loading: "loading"
        case .done: "restored"
        }
    }

    private var percent: Int64 { end > first ? (next - first) * 100 / (end - first) : 100 }
}
