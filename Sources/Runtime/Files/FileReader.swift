import Engine
import Events
import Foundation
import Glibc
import Synchronization

/// Who a line is about, and what it contributes to what users share.
public struct LineRoute {
    /// A `StableHash` of (tenant, user); nil when the line doesn't say.
    public var user: UInt64?
    /// Nil where it contributes nothing, not even its time.
    public var event: Contributed?
    public init(user: UInt64?, event: Contributed? = nil) {
        self.user = user
        self.event = event
    }
}

/// Finds a line's route.
public typealias LineRouter = (UnsafeRawBufferPointer) -> LineRoute

/// How a file becomes a log.
public struct FileReaderOptions: Sendable, Equatable {
    public var shards = 1
    /// Virtual partitions. The number decides which users share a partition's state, so it must stay the same for as
    /// long as a state directory is used; it has nothing to do with the number of shards.
    public var partitions: Int32 = 8
    /// Bytes read at once.
    public var blockBytes = 256 * 1024
    /// Chunks waiting for one shard before reading pauses.
    public var queuedChunks = 8
    /// Bytes of a line that are kept; what is beyond is dropped, and the decoder's bound makes a dead letter of it.
    public var lineBytes = 16 * 1024 * 1024
    public init() {}
}

/// Reads NDJSON from a file or standard input on a thread of its own and deals the lines to the shards: a line goes to
/// virtual partition `hash(tenant, user) % partitions`, that to shard `partition % shards`. The offset of a record is
/// its line's number in the whole file, from 0; blank lines count but make no record.
public final class FileReader: Sendable {
    public let path: String
    public let options: FileReaderOptions
    /// Bytes in the file; nil for standard input and whatever has no size.
    public let totalBytes: Int?
    let identity: String
    private let descriptor: Int32
    private let makeRouter: @Sendable () -> LineRouter
    private let queues: [LineQueue]
    private let readBytesCount = Atomic<Int>(0)
    private let readLinesCount = Atomic<Int>(0)
    private let isStarted = Atomic<Bool>(false)
    /// Nothing below is wanted by any shard.
    private let firstWanted = Atomic<Int64>(.max)

    /// Opens `path`, `-` for standard input. `makeRouter` is called once, on the reader's thread. Throws
    /// `LogFailure.stop` when the file can't be read.
    public init(
        path: String, options: FileReaderOptions = FileReaderOptions(), makeRouter: @escaping @Sendable () -> LineRouter
    ) throws(LogFailure) {
        self.path = path
        self.options = options
        self.makeRouter = makeRouter
        queues = (0..<max(1, options.shards)).map { _ in LineQueue(capacity: options.queuedChunks) }
        guard path != "-" else {
            descriptor = STDIN_FILENO
            identity = "stdin"
            totalBytes = nil
            return
        }
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .stop("\(path): \(String(cString: strerror(errno)))") }
        var status = stat()
        fstat(descriptor, &status)
        guard status.st_mode & S_IFMT != S_IFDIR else {
            Glibc.close(descriptor)
            throw .stop("\(path): is a directory, not a file of events")
        }
        let isFile = status.st_mode & S_IFMT == S_IFREG
        totalBytes = isFile ? Int(status.st_size) : nil
        identity = Self.identify(path, isFile ? descriptor : nil)
    }

    deinit { if descriptor != STDIN_FILENO { Glibc.close(descriptor) } }

    /// A name with the hash of the first line's first 4 KiB: another file under the same name is another log, the same
    /// file with lines appended is not.
    private static func identify(_ path: String, _ descriptor: Int32?) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        guard let descriptor else { return "pipe:\(name)" }
        var head = [UInt8](repeating: 0, count: 4096)
        let count = head.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        let kept = head.prefix(max(0, count))
        let line = kept.prefix(while: { $0 != UInt8(ascii: "\n") })
        let digest = line.withUnsafeBytes { Digest.sha256(ByteView($0)) }
        return "file:\(name):\(Digest.hex(digest.prefix(16)))"
    }

    public var readBytes: Int { readBytesCount.load(ordering: .relaxed) }
    public var readLines: Int { readLinesCount.load(ordering: .relaxed) }

    /// Shard `number`'s end of the log.
    /// What lines contribute goes into `feed`.
    public func input(shard number: Int, feed: PopulationFeed? = nil) -> FileInputLog {
        FileInputLog(reader: self, shard: number, queue: queues[number], feed: feed)
    }

    func partitions(ofShard number: Int) -> [Int32] {
        (0..<options.partitions).filter { Int($0) % queues.count == number }
    }

    /// A shard wants lines from `first` on. Reading begins, on a new thread, as soon as every shard has said so.
    func start(shard number: Int, first: Int64) {
        _ = firstWanted.min(first, ordering: .acquiringAndReleasing)
        queues[number].markStarted()
        guard !isStarted.exchange(true, ordering: .acquiringAndReleasing) else { return }
        let thread = Thread { [self] in
            for queue in queues { queue.waitUntilStarted() }
            readAll()
        }
        thread.name = "file-reader"
        thread.start()
    }

    private func readAll() {
        var dealer = LineDealer(
            queues: queues, options: options, first: firstWanted.load(ordering: .acquiring), route: makeRouter())
        let block = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: options.blockBytes)
        defer { block.deallocate() }
        while true {
            let count = read(descriptor, block.baseAddress, block.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                let why = "\(path): can't read on: \(String(cString: strerror(errno)))"
                for queue in queues { queue.finish(.failed(why)) }
                return
            }
            if count == 0 { dealer.endOfFile() } else { dealer.take(UnsafeBufferPointer(rebasing: block[..<count])) }
            readLinesCount.store(Int(dealer.lineNumber), ordering: .relaxed)
            let anybodyTakes = dealer.handOver()
            readBytesCount.wrappingAdd(count, ordering: .relaxed)
            if count == 0 || !anybodyTakes { break }
        }
        for queue in queues { queue.finish(.ended) }
    }
}

/// Cuts blocks into lines and sorts them by shard. Belongs to the reader's thread.
private struct LineDealer {
    let queues: [LineQueue]
    let options: FileReaderOptions
    let first: Int64
    let route: LineRouter
    private(set) var lineNumber: Int64 = 0
    /// The line that the last block broke off in, at most `lineBytes` of it.
    private var partial: [UInt8] = []
    private var chunks: [LineChunk?]
    private var isGone: [Bool]

    init(queues: [LineQueue], options: FileReaderOptions, first: Int64, route: @escaping LineRouter) {
        self.queues = queues
        self.options = options
        self.first = first
        self.route = route
        chunks = Array(repeating: nil, count: queues.count)
        isGone = Array(repeating: false, count: queues.count)
    }

    mutating func take(_ block: UnsafeBufferPointer<UInt8>) {
        var rest = block
        while let base = rest.baseAddress, let hit = memchr(base, 10, rest.count) {
            let count = UnsafeRawPointer(hit) - UnsafeRawPointer(base)
            let piece = UnsafeBufferPointer(rebasing: rest[..<count])
            if partial.isEmpty {
                deal(UnsafeBufferPointer(rebasing: piece.prefix(options.lineBytes)))
            } else {
                keep(piece)
                endOfFile()
            }
            rest = UnsafeBufferPointer(rebasing: rest[(count + 1)...])
        }
        keep(rest)
    }

    private mutating func keep(_ piece: UnsafeBufferPointer<UInt8>) {
        partial.append(contentsOf: piece.prefix(max(0, options.lineBytes - partial.count)))
    }

    /// A last line needs no newline.
    mutating func endOfFile() {
        guard !partial.isEmpty else { return }
        let line = partial
        partial.removeAll(keepingCapacity: line.count < 1 << 20)
        line.withUnsafeBufferPointer { deal($0) }
    }

    private mutating func deal(_ given: UnsafeBufferPointer<UInt8>) {
        let number = lineNumber
        lineNumber += 1
        guard number >= first else { return }
        let line = given.last == 13 ? UnsafeBufferPointer(rebasing: given.dropLast()) : given
        guard line.contains(where: { $0 != 32 && $0 != 9 }) else { return }
        let route = route(UnsafeRawBufferPointer(line))
        let partition = Int32((route.user ?? 0) % UInt64(options.partitions))
        let shard = Int(partition) % queues.count
        if chunks[shard] == nil { chunks[shard] = LineChunk() }
        chunks[shard]?.append(line, partition: partition, number: number)
        guard let event = route.event else { return }
        for other in queues.indices {
            if chunks[other] == nil { chunks[other] = LineChunk() }
            chunks[other]?.tell(event, number: number)
        }
    }

    /// Gives the shards what was dealt; false when none of them takes any more.
    mutating func handOver() -> Bool {
        for shard in queues.indices {
            guard let chunk = chunks[shard] else { continue }
            chunk.end = lineNumber
            chunks[shard] = nil
            if !queues[shard].push(chunk) { isGone[shard] = true }
        }
        return isGone.contains(false)
    }
}
