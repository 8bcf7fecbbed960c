import Events

/// Generated traffic in the order of event time.
public protocol Traffic: Sendable {
    /// Appends the next event to `buffer` and says where; nil at the end of the stream.
    mutating func next(into buffer: inout OutputBuffer) -> GeneratedEvent?
}

extension TrafficGenerator: Traffic {}
extension LoginTraffic: Traffic {}
extension CommandTraffic: Traffic {}
