import Events
import Glibc

/// The lines of an NDJSON file, mapped; of anything else, read as they come. Neither is held.
struct LabelledLines: ~Copyable {
    /// As given.
    let path: String
    /// The whole file, or what has been read of a stream and not been handed out.
    private var bytes: UnsafeMutableRawBufferPointer
    private var filled: Int
    /// Of a stream; -1 for a mapped file, and once a stream has ended.
    private var descriptor: Int32
    private let isMapped: Bool
    private var position = 0
    /// Of the line handed out last, from 1.
    private(set) var number = 0

    /// Opens `path`; `-` is standard input.
    init(path: String) throws(LedgerFileError) {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
            throw LedgerFileError(file: path, line: 0, problem: String(cString: strerror(errno)))
        }
        self.path = path
        if path != "-", status.st_mode & S_IFMT == S_IFREG, status.st_size > 0,
            let base = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
        {
            madvise(base, Int(status.st_size), MADV_SEQUENTIAL)
            close(descriptor)
            bytes = UnsafeMutableRawBufferPointer(start: base, count: Int(status.st_size))
            (filled, isMapped, self.descriptor) = (Int(status.st_size), true, -1)
        } else {
            bytes = .allocate(byteCount: 1 << 18, alignment: 1)
            (filled, isMapped, self.descriptor) = (0, false, descriptor)
        }
    }

    deinit {
        if descriptor > STDIN_FILENO { close(descriptor) }
        if isMapped {
            munmap(bytes.baseAddress, bytes.count)
        } else {
            bytes.deallocate()
        }
    }

    /// How much of the file has been handed out, 0…1; nil where its size isn't known.
    var share: Double? { isMapped ? Double(min(position, filled)) / Double(max(filled, 1)) : nil }

    /// The next line that is not empty, without its end; nil at the end. Valid until the next call.
    mutating func next() -> ByteView? {
        while true {
            let rest = filled - position
            let start = UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped) + position
            let end = rest > 0 ? memchr(start, 0x0A, rest).map { UnsafeRawPointer($0) - start } : nil
            if end == nil, descriptor >= 0 {
                read()
                continue
            }
            guard rest > 0 else { return nil }
            let count = end ?? rest
            position += min(count + 1, rest)
            number += 1
            if count > 0 { return ByteView(UnsafeRawBufferPointer(start: start, count: count)) }
        }
    }

    /// Reads on behind what has not been handed out, which moves to the front.
    private mutating func read() {
        let rest = filled - position
        if rest > bytes.count / 2 {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count * 2, alignment: 1)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[position..<filled]))
            bytes.deallocate()
            bytes = larger
        } else if rest > 0, position > 0, let base = bytes.baseAddress {
            memmove(base, base + position, rest)
        }
        (position, filled) = (0, rest)
        guard let base = bytes.baseAddress else { return }
        let count = Glibc.read(descriptor, base + filled, bytes.count - filled)
        if count > 0 {
            filled += count
        } else if count == 0 || errno != EINTR {
            if descriptor > STDIN_FILENO { close(descriptor) }
            descriptor = -1
        }
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
