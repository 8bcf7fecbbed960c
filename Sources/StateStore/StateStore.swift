import Behavior
import Engine
import Events

/// What a state file is the state of. A file with another identity is never used.
public struct StoreIdentity: Sendable, Equatable {
    /// `InputLog.identity()`: the cluster or file the offsets belong to.
    public var log: String
    /// The input topics in the plan's order, which give the positions their meaning.
    public var topics: [String]
    public var partition: Int32
    /// `Engine.stateIdentity`.
    public var state: String
    /// The pipeline's name.
    public var pipeline: String

    public init(log: String, topics: [String], partition: Int32, state: String, pipeline: String) {
        self.log = log
        self.topics = topics
        self.partition = partition
        self.state = state
        self.pipeline = pipeline
    }

    /// Every value that must agree, by the name it has in the file.
    var values: [(name: String, value: String)] {
        [
            ("layout", "4"), ("log", log), ("topics", topics.joined(separator: "\u{1F}")),
            ("partition", String(partition)), ("state", state), ("pipeline", pipeline),
        ]
    }
}

/// What a state file knows besides rows: where redo begins, and how far it has followed the state topic.
public struct StoredCheckpoint: Sendable, Equatable {
    /// `RedoPoint.encoded()`; empty while the file has only part of the state topic.
    public var redo: [UInt8]
    /// The offset of the state topic from which on its records are not in the file; 0 where there is no topic.
    public var tail: Int64
    /// Which life of the state topic the offset is of; empty where there is no topic. See `TopicCheckpoint`.
    public var origin: String
    /// Not everything in the file has reached that life of the topic yet.
    public var isRepublishing: Bool
    /// When it was written, in milliseconds since 1970.
    public var written: Int64

    public init(redo: [UInt8], tail: Int64, origin: String = "", isRepublishing: Bool = false, written: Int64) {
        self.redo = redo
        self.tail = tail
        self.origin = origin
        self.isRepublishing = isRepublishing
        self.written = written
    }
}

/// The checkpoint of one partition in one SQLite file.
///
/// Tables: `users(number, row)`, one row a user, its checksum inside the row; `meta(name, value)`, the identity;
/// `checkpoint(id, redo, tail, origin, republishing, written, checksum)`, a `StoredCheckpoint`. Rows may be of different cuts, none older than
/// the redo point: each says itself what it has absorbed. A slice is one transaction. `checksum` seals the checkpoint
/// together with how many users there are.
///
/// WAL with `synchronous=NORMAL`: a power cut may lose the newest slices but never tears one, and a lost one only
/// makes redo longer because the log still has the records. FULL would add an fsync to every slice for nothing.
public final class StateStore {
    public let file: String
    private let database: Database
    private let insert: Statement
    private let update: Statement
    private let remove: Statement
    private let find: Statement
    private let seal: Statement
    /// Users in the file as of the last committed transaction.
    private var users: Int64

    /// Opens the file, making it when missing. Throws `StoreError`: `.foreign` when it is the state of something else,
    /// `.corrupt` when it is damaged (SQLite's quick check is run, O(file size)).
    public init(file: String, identity: StoreIdentity) throws(StoreError) {
        self.file = file
        database = try Database(file: file)
        try database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY")
        try Self.check(database)
        try Self.identify(database, as: identity)
        try database.execute(
            """
            CREATE TABLE IF NOT EXISTS users(number INTEGER PRIMARY KEY, row BLOB NOT NULL);
            CREATE TABLE IF NOT EXISTS checkpoint(
                id INTEGER PRIMARY KEY, redo BLOB NOT NULL, tail INTEGER NOT NULL, origin TEXT NOT NULL,
                republishing INTEGER NOT NULL, written INTEGER NOT NULL, checksum INTEGER NOT NULL);
            """)
        insert = try database.prepare("INSERT INTO users(number, row) VALUES(?1, ?2)")
        update = try database.prepare("UPDATE users SET row = ?2 WHERE number = ?1")
        remove = try database.prepare("DELETE FROM users WHERE number = ?1")
        find = try database.prepare("SELECT row FROM users WHERE number = ?1")
        seal = try database.prepare(
            """
            INSERT OR REPLACE INTO checkpoint(id, redo, tail, origin, republishing, written, checksum)
            VALUES(0, ?1, ?2, ?3, ?4, ?5, ?6)
            """)
        users = try database.count("users")
    }

    private static func check(_ database: borrowing Database) throws(StoreError) {
        let query = try database.prepare("PRAGMA quick_check(1)")
        guard try database.next(query) else { throw StoreError(.corrupt, file: database.file, "quick_check gave no answer") }
        let answer = query.text(0)
        query.reset()
        if answer != "ok" { throw StoreError(.corrupt, file: database.file, "quick_check: \(answer)") }
    }

    /// Compares the file's identity with the one expected, or writes it into a new file.
    private static func identify(_ database: borrowing Database, as identity: StoreIdentity) throws(StoreError) {
        try database.execute("CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
        let query = try database.prepare("SELECT name, value FROM meta")
        var found: [String: String] = [:]
        while try database.next(query) { found[query.text(0)] = query.text(1) }
        if found.isEmpty {
            let insert = try database.prepare("INSERT INTO meta(name, value) VALUES(?1, ?2)")
            try database.execute("BEGIN IMMEDIATE")
            for (name, value) in identity.values {
                insert.bind(name, at: 1)
                insert.bind(value, at: 2)
                try database.run(insert)
            }
            try database.execute("COMMIT")
            return
        }
        for (name, value) in identity.values where found[name] != value {
            throw StoreError(.foreign, file: database.file, "it holds the state of another \(name)")
        }
    }

    /// What was written last; nil when nothing ever was. Throws `StoreError`, `.corrupt` on a bad checksum.
    public func checkpoint() throws(StoreError) -> StoredCheckpoint? { try Self.checkpoint(database) }

    private static func checkpoint(_ database: borrowing Database) throws(StoreError) -> StoredCheckpoint? {
        let query = try database.prepare(
            "SELECT redo, tail, origin, republishing, written, checksum FROM checkpoint WHERE id = 0")
        guard try database.next(query) else {
            guard try database.count("users") == 0 else {
                throw StoreError(.corrupt, file: database.file, "it has users and no checkpoint")
            }
            return nil
        }
        let found = StoredCheckpoint(
            redo: Array(query.blob(0)), tail: query.int(1), origin: query.text(2), isRepublishing: query.int(3) != 0,
            written: query.int(4))
        guard try checksum(found, users: database.count("users")) == query.int(5) else {
            throw StoreError(.corrupt, file: database.file, "the checkpoint or the number of users has a bad checksum")
        }
        query.reset()
        return found
    }

    /// Brings a new engine to the checkpoint. Rows beyond `budgetBytes` stay in the file as pages. Throws `StoreError` of
    /// kind `.corrupt` on a bad checksum; the engine is then half restored and must be dropped.
    /// - Complexity: O(users).
    public func restore(into engine: Engine, budgetBytes: Int = .max) throws(StoreError) {
        try Self.restore(database, into: engine, budgetBytes: budgetBytes)
    }

    /// Restores from a file without identity or lock, for looking at it only. Throws `StoreError`.
    /// - Complexity: O(users).
    public static func read(file: String, into engine: Engine) throws(StoreError) {
        try restore(Database(file: file, readOnly: true), into: engine, budgetBytes: .max)
    }

    /// What a file says it is the state of. Throws `StoreError` of kind `.corrupt` when it doesn't say.
    public static func identity(of file: String) throws(StoreError) -> StoreIdentity {
        let database = try Database(file: file, readOnly: true)
        let query = try database.prepare("SELECT name, value FROM meta")
        var found: [String: String] = [:]
        while try database.next(query) { found[query.text(0)] = query.text(1) }
        guard let log = found["log"], let topics = found["topics"], let state = found["state"],
            let pipeline = found["pipeline"], let partition = found["partition"].flatMap({ Int32($0) })
        else { throw StoreError(.corrupt, file: file, "it doesn't say what it is the state of") }
        return StoreIdentity(
            log: log, topics: topics.split(separator: "\u{1F}").map(String.init), partition: partition, state: state,
            pipeline: pipeline)
    }

    /// Every user's row, in ascending number; the bytes are valid during the call. For tests and tools. Throws
    /// `StoreError`.
    public static func forEachRow(
        file: String, _ body: (UInt32, UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) {
        let database = try Database(file: file, readOnly: true)
        try forEachRow(database, body)
    }

    private static func forEachRow(
        _ database: borrowing Database, _ body: (UInt32, UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) {
        let rows = try database.prepare("SELECT number, row FROM users ORDER BY number")
        while try database.next(rows) {
            guard let number = UInt32(exactly: rows.int(0)) else {
                throw StoreError(.corrupt, file: database.file, "a user's number is out of range")
            }
            try body(number, rows.blob(1))
        }
    }

    private static func restore(
        _ database: borrowing Database, into engine: Engine, budgetBytes: Int
    ) throws(StoreError) {
        let file = database.file
        guard let checkpoint = try checkpoint(database), !checkpoint.redo.isEmpty else {
            throw StoreError(.corrupt, file: file, "it has no redo point")
        }
        do {
            try engine.restore(redo: try RedoPoint(decoding: checkpoint.redo))
        } catch {
            throw StoreError(.corrupt, file: file, "\(error)")
        }
        try forEachRow(database) { number, row throws(StoreError) in
            do {
                if engine.residentBytes + row.count <= budgetBytes {
                    try engine.restore(user: number, row: row)
                } else {
                    try engine.restorePaged(user: number, row: row)
                }
            } catch {
                throw StoreError(.corrupt, file: file, "user row \(number): \(error)")
            }
        }
    }

    /// A user's row for `body`; false when the file has none of that number. Throws `StoreError` and what `body` throws.
    /// - Complexity: O(log users)
    public func withRow(number: UInt32, _ body: (UnsafeRawBufferPointer) throws(StoreError) -> Void) throws(StoreError) -> Bool {
        find.bind(Int64(number), at: 1)
        defer { find.reset() }
        guard try database.next(find) else { return false }
        try body(find.blob(0))
        return true
    }

    /// Writes rows and the checkpoint they lead to in one transaction. `rows` calls its argument for each row to write, or
    /// with nil for a number that has no user any more; ascending numbers are the order of the file. The caller has
    /// committed what the rows hold. After an error the file is as it was.
    /// - Complexity: O(rows · log users)
    public func write(
        _ checkpoint: StoredCheckpoint,
        rows: (_ put: (UInt32, UnsafeRawBufferPointer?) throws(StoreError) -> Void) throws(StoreError) -> Void
    ) throws(StoreError) {
        var count = users
        try database.execute("BEGIN IMMEDIATE")
        do {
            try rows { number, row throws(StoreError) in count += try put(number, row) }
            try checkpoint.redo.withUnsafeBufferPointer { redo throws(StoreError) in
                seal.bind(borrowed: UnsafeRawBufferPointer(redo), at: 1)
                seal.bind(checkpoint.tail, at: 2)
                seal.bind(checkpoint.origin, at: 3)
                seal.bind(checkpoint.isRepublishing ? 1 : 0, at: 4)
                seal.bind(checkpoint.written, at: 5)
                seal.bind(Self.checksum(checkpoint, users: count), at: 6)
                try database.run(seal)
            }
            try database.execute("COMMIT")
        } catch {
            // SQLite rolls back by itself on some errors (a full disk among them).
            if !database.isAutocommit { try? database.execute("ROLLBACK") }
            throw error
        }
        users = count
    }

    /// Returns by how much the number of users has changed.
    private func put(_ number: UInt32, _ row: UnsafeRawBufferPointer?) throws(StoreError) -> Int64 {
        guard let row else {
            remove.bind(Int64(number), at: 1)
            try database.run(remove)
            return -database.changes
        }
        update.bind(Int64(number), at: 1)
        update.bind(borrowed: row, at: 2)
        try database.run(update)
        if database.changes > 0 { return 0 }
        insert.bind(Int64(number), at: 1)
        insert.bind(borrowed: row, at: 2)
        try database.run(insert)
        return 1
    }

    /// Caps the file's size, in pages, as a full disk would; for fault tests. 0 lifts the cap.
    public func limitPages(_ pages: Int) throws(StoreError) {
        try database.execute("PRAGMA max_page_count=\(pages == 0 ? 1_073_741_823 : pages)")
    }

    /// FNV-1a, 64 bits: it guards against damage, not against an adversary.
    private static func checksum(_ checkpoint: StoredCheckpoint, users: Int64) -> Int64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ bytes: UnsafeRawBufferPointer) {
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        }
        checkpoint.redo.withUnsafeBytes(add)
        Array(checkpoint.origin.utf8).withUnsafeBytes(add)
        for word in [checkpoint.tail, checkpoint.isRepublishing ? 1 : 0, checkpoint.written, users] { withUnsafeBytes(of: word.littleEndian, add) }
        return Int64(bitPattern: hash)
    }
}
