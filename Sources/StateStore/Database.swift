import CSQLite

/// A failure of a state file: which file, what SQLite or the system said, and what kind of trouble it is.
public struct StoreError: Error, Sendable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        /// The bytes in the file are not what was written, or not a database at all.
        case corrupt
        /// The state of another log, topic, partition or engine.
        case foreign
        /// No room on the disk (or beyond the page limit).
        case full
        /// Somebody else holds the file or the directory.
        case busy
        /// Anything else the system refused.
        case failed
    }
    public var kind: Kind
    public var file: String
    public var message: String

    public init(_ kind: Kind, file: String, _ message: String) {
        self.kind = kind
        self.file = file
        self.message = message
    }

    public var description: String { "\(file): \(message)" }
}

/// One connection to a SQLite file. Not thread safe: it belongs to the shard that opened it.
struct Database: ~Copyable {
    let file: String
    private let handle: OpaquePointer

    init(file: String, readOnly: Bool = false) throws(StoreError) {
        var opened: OpaquePointer?
        let mode = readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        let code = sqlite3_open_v2(file, &opened, mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard code == SQLITE_OK, let opened else {
            let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(opened)
            throw StoreError(Self.kind(code), file: file, message)
        }
        handle = opened
        self.file = file
        sqlite3_busy_timeout(handle, 2_000)
    }

    deinit { sqlite3_close_v2(handle) }

    func execute(_ sql: String) throws(StoreError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        if code != SQLITE_OK { throw error(code) }
    }

    /// True while no transaction is open.
    var isAutocommit: Bool { sqlite3_get_autocommit(handle) != 0 }

    func prepare(_ sql: String) throws(StoreError) -> Statement {
        var made: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &made, nil)
        // A statement that doesn't fit the schema: the schema is damaged, for both are ours.
        guard code != SQLITE_ERROR else { throw error(SQLITE_CORRUPT) }
        guard code == SQLITE_OK, let made else { throw error(code) }
        return Statement(made)
    }

    /// Rows that the last statement inserted, changed or deleted.
    var changes: Int64 { Int64(sqlite3_changes(handle)) }

    /// Rows of a table. O(rows).
    func count(_ table: StaticString) throws(StoreError) -> Int64 {
        let query = try prepare("SELECT count(*) FROM \(table)")
        _ = try next(query)
        return query.int(0)
    }

    func error(_ code: Int32) -> StoreError {
        StoreError(Self.kind(code), file: file, "SQLite: \(String(cString: sqlite3_errmsg(handle))) (code \(code))")
    }

    private static func kind(_ code: Int32) -> StoreError.Kind {
        switch code & 0xFF {
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT: .corrupt
        case SQLITE_FULL: .full
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        default: .failed
        }
    }

    /// Runs a statement that returns nothing, and makes it ready for the next use.
    func run(_ statement: borrowing Statement) throws(StoreError) {
        let code = sqlite3_step(statement.handle)
        let failure: StoreError? = code == SQLITE_DONE || code == SQLITE_ROW ? nil : error(code)
        sqlite3_reset(statement.handle)
        if let failure { throw failure }
    }

    /// Moves a query to its next row; false at the end, after which the statement is ready for the next use.
    func next(_ statement: borrowing Statement) throws(StoreError) -> Bool {
        let code = sqlite3_step(statement.handle)
        if code == SQLITE_ROW { return true }
        let failure: StoreError? = code == SQLITE_DONE ? nil : error(code)
        sqlite3_reset(statement.handle)
        if let failure { throw failure }
        return false
    }
}

/// One prepared statement; finalized with its owner. Columns and parameters count from 0 and 1, as SQLite has it.
struct Statement: ~Copyable {
    let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }
    deinit { sqlite3_finalize(handle) }

    func bind(_ value: Int64, at index: Int32) { sqlite3_bind_int64(handle, index, value) }

    func bind(_ text: String, at index: Int32) {
        _ = text.utf8CString.withUnsafeBufferPointer {
            vs_bind_text_copy(handle, index, $0.baseAddress, Int32($0.count - 1))
        }
    }

    /// The bytes must stay valid until the statement has run.
    func bind(borrowed bytes: UnsafeRawBufferPointer, at index: Int32) {
        if let base = bytes.baseAddress {
            vs_bind_blob_static(handle, index, base, UInt64(bytes.count))
        } else {
            sqlite3_bind_zeroblob(handle, index, 0)
        }
    }

    func int(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    func text(_ column: Int32) -> String {
        sqlite3_column_text(handle, column).map { String(cString: $0) } ?? ""
    }

    /// Valid until the next step or reset.
    func blob(_ column: Int32) -> UnsafeRawBufferPointer {
        let base = sqlite3_column_blob(handle, column)
        return UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(handle, column)))
    }

    func reset() { sqlite3_reset(handle) }
}
