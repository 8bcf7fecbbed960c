import Events
import Foundation
import Glibc
import Synchronization

/// A file, or standard output for `-`, that several shards append whole lines to.
public final class LineFile: Sendable {
    public let path: String
    private let descriptor: Int32
    private let turn = Mutex<Void>(())

    /// Opens `path` for appending: a last line that a crash tore is cut off first. With `keeping` false what was in the
    /// file is dropped. Throws `LogFailure.stop` when it can't be written.
    public init(path: String, keeping: Bool) throws(LogFailure) {
        self.path = path
        guard path != "-" else {
            descriptor = STDOUT_FILENO
            return
        }
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND | (keeping ? 0 : O_TRUNC), 0o644)
        guard descriptor >= 0 else { throw .stop("\(path): \(String(cString: strerror(errno)))") }
        if keeping { try cutTornLine() }
    }

    deinit { if descriptor != STDOUT_FILENO { Glibc.close(descriptor) } }

    private func cutTornLine() throws(LogFailure) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
        var end = status.st_size
        var block = [UInt8](repeating: 0, count: 64 * 1024)
        while end > 0 {
            let start = max(0, end - off_t(block.count))
            let length = Int(end - start)
            let count = block.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, length, start) }
            guard count == length else { throw .stop("\(path): can't read its end") }
            if let newline = block[..<length].lastIndex(of: 10) {
                end = start + off_t(newline) + 1
                break
            }
            end = start
        }
        guard end != status.st_size else { return }
        guard ftruncate(descriptor, end) == 0 else { throw .stop("\(path): \(String(cString: strerror(errno)))") }
    }

    /// Appends lines; they stay together.
    func write(_ lines: ByteView) throws(LogFailure) {
        let code = turn.withLock { _ -> Int32 in
            var rest = UnsafeRawBufferPointer(lines.bytes)
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                if count < 0 { return errno }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            return 0
        }
        if code != 0 { throw .stop("\(path): can't write: \(String(cString: strerror(code)))") }
    }

    /// Puts everything written on the disk; nothing to do for standard output.
    func sync() throws(LogFailure) {
        guard descriptor != STDOUT_FILENO else { return }
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else {
            throw .stop("\(path): can't sync: \(String(cString: strerror(errno)))")
        }
    }
}

/// One shard's way to the output files: decisions and dead letters as NDJSON.
public final class FileOutputLog: OutputLog {
    private let decisions: LineFile
    private let deadLetters: LineFile?
    private let topics: [String]
    private var decisionLines = OutputBuffer(capacity: 128 * 1024)
    private var deadLetterLines = OutputBuffer(capacity: 4096)
    private var isWritten = true
    private static let bufferBytes = 64 * 1024

    /// `topics` are the plan's inputs, for dead letters that don't name theirs. Without `deadLetters` they are dropped.
    public init(decisions: LineFile, deadLetters: LineFile?, topics: [String]) {
        self.decisions = decisions
        self.deadLetters = deadLetters
        self.topics = topics
    }

    public func produce(_ output: Effects.Output, of effects: borrowing Effects) throws(LogFailure) {
        isWritten = false
        switch output.kind {
        case .decision, .receipt:
            if let value = output.value { decisionLines.append(effects.view(value)) }
            decisionLines.append(10)
            if decisionLines.count >= Self.bufferBytes { try write() }
        case .deadLetter:
            guard deadLetters != nil else { return }
            let topic = topics.indices.contains(Int(output.input)) ? topics[Int(output.input)] : ""
            DeadLetterLine.append(output, of: effects, topic: topic, to: &deadLetterLines)
            if deadLetterLines.count >= Self.bufferBytes { try write() }
        }
    }

    private func write() throws(LogFailure) {
        if decisionLines.count > 0 { try decisions.write(decisionLines.view(from: 0)) }
        if deadLetterLines.count > 0 { try deadLetters?.write(deadLetterLines.view(from: 0)) }
        decisionLines.removeAll()
        deadLetterLines.removeAll()
    }

    public func flush(timeoutMilliseconds: Int) throws(LogFailure) -> Bool {
        guard !isWritten else { return true }
        try write()
        try decisions.sync()
        try deadLetters?.sync()
        isWritten = true
        return true
    }

    public func close() {}
}
