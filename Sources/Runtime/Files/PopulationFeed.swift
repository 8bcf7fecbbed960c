import Engine

/// What all lines of a file contribute to what users share, on its way into one shard's population: every shard is told of
/// every line, in the order of the file, so what an event sees depends on neither shards nor batches. Used from the
/// shard's thread only.
public final class PopulationFeed {
    public let population: Population
    /// Those of which not everything is taken in, and what is next of the first.
    private var chunks: [LineChunk] = []
    private var head = 0
    /// The next line that contributes.
    private var next = Int64.max
    /// Of lines before this one the records have been handed to the shard.
    private var handed: Int64 = 0

    public init(plan: EnginePlan) { population = Population(plan: plan) }

    func append(_ chunk: LineChunk) {
        guard let first = chunk.told.first else { return }
        if chunks.isEmpty { next = first.number }
        chunks.append(chunk)
    }

    func hand(over line: Int64) { handed = max(handed, line) }

    /// Takes in what lines contribute up to that one.
    func advance(through line: Int64) {
        while next <= line {
            let chunk = chunks[0]
            let rest = chunk.told.withUnsafeBufferPointer { told in
                var at = head
                while at < told.count && told[at].number <= line {
                    population.take(told[at].event, line: told[at].number)
                    at += 1
                }
                head = at
                return at < told.count ? told[at].number : nil
            }
            if let rest {
                next = rest
            } else {
                chunks.removeFirst()
                head = 0
                next = chunks.first?.told.first?.number ?? .max
            }
        }
    }

    /// Every record that was handed over is decided.
    func settle() { advance(through: handed - 1) }
}
