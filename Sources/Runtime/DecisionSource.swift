import Foundation

/// Which record a decision or a receipt is about: its `source`.
public struct DecisionSource: Sendable, Equatable, Decodable {
    public var topic: String
    public var partition: Int32
    public var offset: Int64

    public init(topic: String, partition: Int32, offset: Int64) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
    }

    /// Nil when the bytes are not a decision's, plain or in a CloudEvents envelope.
    public init?(in decision: [UInt8]) {
        struct Decision: Decodable {
            var source: DecisionSource?
            var data: Inner?
            struct Inner: Decodable { var source: DecisionSource }

            init(from decoder: any Decoder) throws {
                let keys = try decoder.container(keyedBy: Keys.self)
                // In an envelope `source` is the text of a URI.
                source = try? keys.decode(DecisionSource.self, forKey: .source)
                data = try? keys.decode(Inner.self, forKey: .data)
            }
            enum Keys: String, CodingKey { case source, data }
        }
        guard let found = try? JSONDecoder().decode(Decision.self, from: Data(decision)),
            let source = found.source ?? found.data?.source
        else { return nil }
        self = source
    }
}
