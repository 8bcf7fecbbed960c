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
            ("layout", "2"), ("log", log), ("topics", topics.joined(separator: "\u{1F}")),
            ("partition", String(partition)), ("state", state), ("pipeline", pipeline),
        ]
    }
}

/// The checkpoint of one partition in one SQLite file.
///
/// Tables: `users(number, row)`, one row a user, its checksum inside the row; `meta(name, value)`, the identity;
/// `cut(input, next)`, for each input the offset from which redo begins; `shared(id, image, checksum)`, what users share.
/// A checkpoint is one transaction, so rows, shared image and positions are always of the same cut. `checksum` seals
/// them together: the image, the positions, and how many users there are.
///
/// WAL with `synchronous=NORMAL`: a power cut may lose the newest checkpoints but never tears one, and a lost one only
/// makes redo longer because the log still has the records. FULL would add an fsync to every checkpoint for nothing.
public final class StateStore {
    public let file: String
    private let database: Database
    private let upsert: Statement
    private let remove: Statement
    private let writeCut: Statement
    private let writeShared: Statement

    /// Opens the file, making it when missing. Throws `StoreError`: `.foreign` when it is the state of something else,
    /// `.corrupt` when it is damaged (SQLite's quick check is run, O(file size)).
    public init(file: String, identity: StoreIdentity) throws(StoreError) {
        self.file = file
        database = try Database(file: file)
        try database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY")
        try Self.check(database)
        try database.execute(
            """
            CREATE TABLE IF NOT EXISTS users(number INTEGER PRIMARY KEY, row BLOB NOT NULL);
            CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS cut(input INTEGER PRIMARY KEY, next INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS shared(id INTEGER PRIMARY KEY, image BLOB NOT NULL, checksum INTEGER NOT NULL);
            """)
        try Self.identify(database, as: identity)
        upsert = try database.prepare("INSERT INTO users(number, row) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET row = ?2")
        remove = try database.prepare("DELETE FROM users WHERE number = ?1")
        writeCut = try database.prepare("INSERT OR REPLACE INTO cut(input, next) VALUES(?1, ?2)")
        writeShared = try database.prepare("INSERT OR REPLACE INTO shared(id, image, checksum) VALUES(0, ?1, ?2)")
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

    /// The persisted cut: for each of `inputs` inputs the offset from which redo begins, −1 where nothing was read.
    /// Nil when no checkpoint was ever written.
    public func positions(inputs: Int) throws(StoreError) -> [Int64]? {
        let query = try database.prepare("SELECT input, next FROM cut")
        var positions: [Int64]?
        while try database.next(query) {
            var known = positions ?? Array(repeating: -1, count: inputs)
            guard let input = Int(exactly: query.int(0)), known.indices.contains(input) else {
                throw StoreError(.corrupt, file: file, "the cut names an input that doesn't exist")
            }
            known[input] = query.int(1)
            positions = known
        }
        if positions == nil, try database.count("users") > 0 {
            throw StoreError(.corrupt, file: file, "it has users and no cut")
        }
        return positions
    }

    /// Brings a new engine to the persisted cut. Throws `StoreError` of kind `.corrupt` on a bad checksum; the engine
    /// is then half restored and must be dropped.
    /// - Complexity: O(users).
    public func restore(into engine: Engine) throws(StoreError) { try Self.restore(database, into: engine) }

    /// Restores from a file without identity or lock, for looking at it only. Throws `StoreError`.
    /// - Complexity: O(users).
    public static func read(file: String, into engine: Engine) throws(StoreError) {
        try restore(Database(file: file, readOnly: true), into: engine)
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

    private static func restore(_ database: borrowing Database, into engine: Engine) throws(StoreError) {
        let file = database.file
        let shared = try database.prepare("SELECT image, checksum FROM shared WHERE id = 0")
        guard try database.next(shared) else {
            throw StoreError(.corrupt, file: file, "the shared image is missing")
        }
        let image = shared.blob(0)
        guard try seal(image, cut(database), users: database.count("users")) == shared.int(1) else {
            throw StoreError(.corrupt, file: file, "the shared image, the cut or the number of users has a bad checksum")
        }
        do {
            try engine.restore(shared: image)
        } catch {
            throw StoreError(.corrupt, file: file, "\(error)")
        }
        shared.reset()
        try forEachRow(database) { number, row throws(StoreError) in
            do {
                try engine.restore(user: number, row: row)
            } catch {
                throw StoreError(.corrupt, file: file, "user row \(number): \(error)")
            }
        }
    }

    /// The positions as they are in the file, by input.
    private static func cut(_ database: borrowing Database) throws(StoreError) -> [Int64] {
        let query = try database.prepare("SELECT input, next FROM cut ORDER BY input")
        var words: [Int64] = []
        while try database.next(query) { words += [query.int(0), query.int(1)] }
        return words
    }

    /// Writes what changed since the last checkpoint, with the positions it belongs to, in one transaction, and marks
    /// the engine clean. The caller has committed these positions. After an error the file is as it was and the
    /// engine's users are still dirty.
    /// - Complexity: O(dirty users); rows are written in ascending number, which is the order of the file.
    public func checkpoint(_ engine: Engine, positions: [Int64]) throws(StoreError) {
        try database.execute("BEGIN IMMEDIATE")
        do {
            try writeAll(engine, positions: positions)
            try database.execute("COMMIT")
        } catch {
            // SQLite rolls back by itself on some errors (a full disk among them).
            if !database.isAutocommit { try? database.execute("ROLLBACK") }
            throw error
        }
        engine.markClean()
    }

    private func writeAll(_ engine: Engine, positions: [Int64]) throws(StoreError) {
        do {
            try engine.forEachDirty { number, row in
                if let row {
                    upsert.bind(Int64(number), at: 1)
                    upsert.bind(borrowed: row, at: 2)
                    try database.run(upsert)
                } else {
                    remove.bind(Int64(number), at: 1)
                    try database.run(remove)
                }
            }
            try engine.sharedImage().withUnsafeBytes { image in
                writeShared.bind(borrowed: image, at: 1)
                let cut = positions.enumerated().flatMap { [Int64($0), $1] }
                writeShared.bind(Self.seal(image, cut, users: Int64(engine.userCount)), at: 2)
                try database.run(writeShared)
            }
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(.failed, file: file, "\(error)")
        }
        for (input, next) in positions.enumerated() {
            writeCut.bind(Int64(input), at: 1)
            writeCut.bind(next, at: 2)
            try database.run(writeCut)
        }
    }

    /// Caps the file's size, in pages, as a full disk would; for fault tests. 0 lifts the cap.
    public func limitPages(_ pages: Int) throws(StoreError) {
        try database.execute("PRAGMA max_page_count=\(pages == 0 ? 1_073_741_823 : pages)")
    }

    /// FNV-1a, 64 bits: it guards against damage, not against an adversary.
    private static func seal(_ image: UnsafeRawBufferPointer, _ cut: [Int64], users: Int64) -> Int64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ bytes: UnsafeRawBufferPointer) {
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        }
        add(image)
        for word in cut + [users] { withUnsafeBytes(of: word.littleEndian, add) }
        return Int64(bitPattern: hash)
    }
}
