import Events
import Glibc

/// The lines of an NDJSON file, mapped and not held; of standard input, held.
struct LabelledLines: ~Copyable {
    /// As given.
    let path: String
    private let bytes: UnsafeMutableRawBufferPointer
    private let isMapped: Bool
    private var position = 0
    /// Of the line handed out last, from 1.
    private(set) var number = 0

    /// Opens `path`; `-` is standard input.
    init(path: String) throws(LedgerFileError) {
        let (bytes, isMapped) = try Self.contents(of: path)
        self.path = path
        self.bytes = bytes
        self.isMapped = isMapped
    }

    private static func contents(
        of path: String
    ) throws(LedgerFileError) -> (bytes: UnsafeMutableRawBufferPointer, isMapped: Bool) {
        if path == "-" { return (readAll(STDIN_FILENO), false) }
        func problem() -> LedgerFileError {
            LedgerFileError(file: path, line: 0, problem: String(cString: strerror(errno)))
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw problem() }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw problem() }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else { return (readAll(descriptor), false) }
        guard let base = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            throw problem()
        }
        madvise(base, Int(status.st_size), MADV_SEQUENTIAL)
        return (UnsafeMutableRawBufferPointer(start: base, count: Int(status.st_size)), true)
    }

    deinit {
        if isMapped {
            munmap(bytes.baseAddress, bytes.count)
        } else {
            bytes.deallocate()
        }
    }

    private static func readAll(_ descriptor: Int32) -> UnsafeMutableRawBufferPointer {
        var held: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            held.append(contentsOf: block[..<count])
        }
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: held.count, alignment: 1)
        copy.copyBytes(from: held)
        return copy
    }

    /// The next line that is not empty, without its end; nil at the end. Valid as long as the lines.
    mutating func next() -> ByteView? {
        while position < bytes.count, let base = bytes.baseAddress {
            let start = base + position
            let rest = bytes.count - position
            let end = memchr(start, 0x0A, rest).map { UnsafeMutableRawPointer($0) - start } ?? rest
            position += end + 1
            number += 1
            if end > 0 { return ByteView(UnsafeRawBufferPointer(start: start, count: end)) }
        }
        return nil
    }
}

/// The label of a line, read beside the event and by the same decoder, so that the engine never needs to know of it.
struct LabelReader: ~Copyable {
    private let decoder: EventDecoder
    private let plan: DecodePlan
    private var event = Event()

    init(bounds: DecodeBounds) {
        decoder = EventDecoder(bounds: bounds)
        var options = DecodeOptions()
        options.requiresKey = false
        options.bounds = bounds
        // What every event needs stands in for itself; the label's texts travel in fields that no label has.
        options.mapping = [
            FieldRule(field: .id, paths: [], fallback: "label"), FieldRule(field: .user, paths: [], fallback: "label"),
            FieldRule(field: .type, paths: [], fallback: "action"),
            FieldRule(field: .time, paths: [], fallback: "2000-01-01T00:00:00Z"),
            FieldRule(field: .action, paths: [[.key("label"), .key("kind")]], fallback: "?"),
            FieldRule(field: .resource, paths: [[.key("label"), .key("onset")]]),
            FieldRule(field: .region, paths: [[.key("label"), .key("twin")]]),
            FieldRule(field: .city, paths: [[.key("label"), .key("case")]]),
        ]
        plan = DecodePlan(options)
    }

    /// `kind`, `onset`, `twin` and `case`; `kind` is nil where the line has no label. Valid until the next call.
    mutating func read(_ line: ByteView) -> (kind: ByteView?, onset: ByteView, twin: ByteView, caseName: ByteView) {
        let record = Record(input: 0, partition: 0, offset: 0, timestamp: nil, key: .absent, value: line)
        guard case .event = decoder.decode(record, options: plan, into: &event), !(event.action == "?") else {
            return (nil, .absent, .absent, .absent)
        }
        return (event.action, event.resource, event.region, event.city)
    }
}
