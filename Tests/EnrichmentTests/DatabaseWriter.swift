/// Writes databases in MaxMind's format, after the MaxMind DB File Format Specification 2.0.
struct DatabaseWriter {
    indirect enum Value {
        case text(String)
        case double(Double)
        case uint16(UInt16)
        case uint32(UInt32)
        case uint64(UInt64)
        case flag(Bool)
        case map([(String, Value)])
        case list([Value])
        /// Bytes in place of a value, right or wrong.
        case raw([UInt8])
    }

    private enum Record {
        case empty
        case node(Int)
        case data(Int)
    }

    /// 24, 28 or 32.
    var recordBits = 24
    var isV6 = true
    var type = "Test-City"
    private var nodes: [(left: Record, right: Record)] = [(.empty, .empty)]
    private var data: [UInt8] = []

    init(type: String = "Test-City", isV6: Bool = true, recordBits: Int = 24) {
        self.type = type
        self.isV6 = isV6
        self.recordBits = recordBits
    }

    /// Gives a network its entry; nested networks go in with the longer prefix last. IPv4 goes to ::/96 of a tree of IPv6.
    mutating func insert(_ address: [UInt8], bits: Int, _ value: Value) {
        let offset = data.count
        data += Self.encode(value)
        let address = isV6 && address.count == 4 ? [UInt8](repeating: 0, count: 12) + address : address
        let bits = isV6 && address[..<12].allSatisfy({ $0 == 0 }) && bits <= 32 ? bits + 96 : bits
        var node = 0
        for bit in 0..<bits {
            let isRight = address[bit / 8] >> UInt8(7 - bit % 8) & 1 == 1
            if bit == bits - 1 {
                set(node, isRight, .data(offset))
                return
            }
            switch isRight ? nodes[node].right : nodes[node].left {
            case .node(let next): node = next
            case .data(let old):
                // What held the whole network holds what is left of it.
                nodes.append((.data(old), .data(old)))
                set(node, isRight, .node(nodes.count - 1))
                node = nodes.count - 1
            case .empty:
                nodes.append((.empty, .empty))
                set(node, isRight, .node(nodes.count - 1))
                node = nodes.count - 1
            }
        }
    }

    private mutating func set(_ node: Int, _ isRight: Bool, _ record: Record) {
        if isRight { nodes[node].right = record } else { nodes[node].left = record }
    }

    var bytes: [UInt8] {
        var out: [UInt8] = []
        func number(_ record: Record) -> UInt32 {
            switch record {
            case .empty: UInt32(nodes.count)
            case .node(let node): UInt32(node)
            case .data(let offset): UInt32(nodes.count + 16 + offset)
            }
        }
        for node in nodes {
            let (left, right) = (number(node.left), number(node.right))
            func big(_ value: UInt32, _ bytes: Int) -> [UInt8] {
                (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
            }
            switch recordBits {
            case 28: out += big(left, 3) + [UInt8((left >> 24) << 4 | right >> 24)] + big(right, 3)
            case 32: out += big(left, 4) + big(right, 4)
            default: out += big(left, 3) + big(right, 3)
            }
        }
        out += [UInt8](repeating: 0, count: 16) + data
        out += [0xAB, 0xCD, 0xEF] + Array("MaxMind.com".utf8)
        return out + Self.encode(.map([
            ("binary_format_major_version", .uint16(2)), ("binary_format_minor_version", .uint16(0)),
            ("build_epoch", .uint64(1_790_000_000)), ("database_type", .text(type)),
            ("description", .map([("en", .text("made by a test"))])), ("ip_version", .uint16(isV6 ? 6 : 4)),
            ("languages", .list([.text("en")])), ("node_count", .uint32(UInt32(nodes.count))),
            ("record_size", .uint16(UInt16(recordBits))),
        ]))
    }

    private static func encode(_ value: Value) -> [UInt8] {
        switch value {
        case .text(let text): control(2, text.utf8.count) + Array(text.utf8)
        case .double(let number): control(3, 8) + big(number.bitPattern, 8)
        case .uint16(let number): control(5, 2) + big(UInt64(number), 2)
        case .uint32(let number): control(6, 4) + big(UInt64(number), 4)
        case .uint64(let number): control(9, 8) + big(number, 8)
        case .flag(let flag): control(14, flag ? 1 : 0)
        case .map(let pairs): control(7, pairs.count) + pairs.flatMap { encode(.text($0.0)) + encode($0.1) }
        case .list(let values): control(11, values.count) + values.flatMap { encode($0) }
        case .raw(let bytes): bytes
        }
    }

    private static func control(_ type: UInt8, _ size: Int) -> [UInt8] {
        let (bits, more): (UInt8, [UInt8]) =
            if size < 29 { (UInt8(size), []) } else if size < 285 { (29, [UInt8(size - 29)]) } else {
                (30, big(UInt64(size - 285), 2))
            }
        return type <= 7 ? [type << 5 | bits] + more : [bits, type - 7] + more
    }

    private static func big(_ value: UInt64, _ bytes: Int) -> [UInt8] {
        (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }
}

extension DatabaseWriter.Value {
    /// An entry as a database of cities has it.
    static func place(
        _ country: String?, region: String? = nil, city: String? = nil, at: (Double, Double)? = nil,
        traits: [(String, DatabaseWriter.Value)] = []
    ) -> Self {
        var pairs: [(String, Self)] = []
        if let city { pairs.append(("city", .map([("names", .map([("de", .text("?")), ("en", .text(city))]))]))) }
        if let country { pairs.append(("country", .map([("iso_code", .text(country))]))) }
        if let at { pairs.append(("location", .map([("latitude", .double(at.0)), ("longitude", .double(at.1))]))) }
        if let region {
            pairs.append(("subdivisions", .list([.map([("iso_code", .text("03")), ("names", .map([("en", .text(region))]))])])))
        }
        if !traits.isEmpty { pairs.append(("traits", .map(traits))) }
        return .map(pairs)
    }
}
