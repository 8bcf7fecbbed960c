import Engine

/// What all lines of a file contribute to what users share, on its way into one shard's population: every shard is told of
/// every line, in the order of the file, so what an event sees depends on neither shards nor batches. Used from the
/// shard's thread only.
public final class PopulationFeed {
    public let population: Population
    private var told: [LineChunk.Told] = []
    private var head = 0
    /// Of lines before this one the records have been handed to the shard.
    private var handed: Int64 = 0

    public init(plan: EnginePlan) { population = Population(plan: plan) }

    func append(_ chunk: LineChunk) {
        if head == told.count {
            told.removeAll(keepingCapacity: true)
            head = 0
        }
        told += chunk.told
    }

    func hand(over line: Int64) { handed = max(handed, line) }

    /// Takes in what lines contribute up to that one.
    @inline(__always)
    func advance(through line: Int64) {
        while head < told.count && told[head].number <= line {
            population.take(told[head].event, line: told[head].number)
            head += 1
        }
    }

    /// Every record that was handed over is decided.
    func settle() { advance(through: handed - 1) }
}
