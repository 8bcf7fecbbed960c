import Events

/// What one partition's users did in one pane of event time, summed up: its form in memory and in the topic. Sums of such
/// panes don't depend on their order, so everybody who has the same panes has the same view.
///
/// Words, little-endian on the wire: version and part; the pane's number (event time over its length); how many
/// networks, values and actions follow; then the networks (kind and key, tries and failures, sketches of who tried and
/// who failed), the values (kind and key, sketch of who logged in with it), the actions (action and users). Each list
/// is in the order of its keys.
public struct SealedPane: Equatable, Sendable {
    public let words: [UInt64]

    static let version: UInt64 = 1
    static let headerWords = 4
    static let networkWords = 4
    static let valueWords = 5
    /// Kept of each list: those with most failures, users or doers.
    static let mostNetworks = 512
    static let mostValues = 512
    static let mostActions = 256

    /// The pane's number.
    public var index: Int64 { Int64(bitPattern: words[1]) }
    /// A pane with very much in it comes in parts, numbered from 0.
    public var part: UInt32 { UInt32(truncatingIfNeeded: words[0] >> 32) }
    var networks: Int { Int(words[2] & 0xFFFF_FFFF) }
    var values: Int { Int(words[2] >> 32) }
    var actions: Int { Int(words[3]) }
    public var byteCount: Int { words.count * 8 }

    /// What a network is.
    enum Network: UInt64, CaseIterable { case prefix, provider, device }
    /// Sketches of everybody lie behind those of `RarityKind`, by stratum.
    static let everybody = UInt64(RarityKind.allCases.count)
    static let strata = 16

    /// Sums up what was contributed.
    /// - Complexity: O(*n* log *n*)
    public init(_ open: OpenPane, index: Int64, part: UInt32) {
        words = PaneSums.with(open) { networks, values, actions in
            let count = Self.headerWords + networks.count + values.count + actions.count
            return [UInt64](unsafeUninitializedCapacity: count) { words, initialized in
                words[0] = Self.version | UInt64(part) << 32
                words[1] = UInt64(bitPattern: index)
                words[2] = UInt64(networks.count / Self.networkWords) | UInt64(values.count / Self.valueWords) << 32
                words[3] = UInt64(actions.count)
                var next = Self.headerWords
                for list in [networks, values, actions] {
                    guard let base = list.baseAddress else { continue }
                    (words.baseAddress! + next).update(from: base, count: list.count)
                    next += list.count
                }
                initialized = next
            }
        }
    }

    /// A pane from outside; nil where the bytes are none.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count % 8 == 0, bytes.count >= Self.headerWords * 8 else { return nil }
        self.init(words: (0..<bytes.count / 8).map { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) })
    }

    /// The fewest words of a pane.
    public static let leastWords = headerWords

    /// The same in words.
    public init?(words: [UInt64]) {
        guard words.count >= Self.headerWords, words[0] & 0xFFFF_FFFF == Self.version else { return nil }
        self.words = words
        guard networks <= Self.mostNetworks, values <= Self.mostValues, words[3] <= UInt64(Self.mostActions),
            (0..<Timestamp.latest.milliseconds).contains(index),
            words.count == Self.headerWords + networks * Self.networkWords + values * Self.valueWords + actions
        else { return nil }
        for at in 0..<networks where words[network(at)] >> 32 >= UInt64(Network.allCases.count) { return nil }
        for at in 0..<values {
            let key = words[value(at)]
            guard key >> 32 < Self.everybody || (key >> 32 == Self.everybody && key & 0xFFFF_FFFF < UInt64(Self.strata)) else {
                return nil
            }
        }
    }

    /// As it goes into the topic.
    public func encoded() -> [UInt8] {
        words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
    }

    func network(_ at: Int) -> Int { Self.headerWords + at * Self.networkWords }
    func value(_ at: Int) -> Int { Self.headerWords + networks * Self.networkWords + at * Self.valueWords }
    func action(_ at: Int) -> Int { Self.headerWords + networks * Self.networkWords + values * Self.valueWords + at }
}
