import Runtime

extension Conformance {
    static let transactionChecks: [Check] = [
        ("what a transaction wrote and its offsets appear together, not before", { trial in
            let reader = try trial.soleReader("a")
            let output = try trial.output("t")
            try trial.put(output, "k", "1", .state, partition: 0)
            try trial.put(output, "k", "2", .cuts, partition: 1)
            try trial.flush(output)
            try trial.expect(output.acknowledged(.state, partition: 0), 1, "acknowledged")
            try trial.expect(output.acknowledged(.state, partition: 1), nil, "acknowledged elsewhere")
            try trial.expect(trial.read().records, [], "records of an open transaction")
            try trial.expect(trial.committed(reader, 1), nil, "the committed offset")
            try trial.commit(output, [trial.position(1, 7)], as: reader.membership!)
            try trial.expect(trial.readAll(.state, partition: 0), ["k=1"], "the state topic")
            try trial.expect(trial.readAll(.cuts, partition: 1), ["k=2"], "the cuts topic")
            try trial.expect(trial.committed(reader, 1), 7, "the committed offset")
            return true
        }),
        ("the uncommitted end counts open records, a read stops before them", { trial in
            let output = try trial.output("t")
            try trial.put(output, "k", "1")
            try trial.commit(output)
            try trial.expect(trial.readAll(), ["k=1"], "records")
            try trial.put(output, "k", "2")
            try trial.put(output, "k", "3")
            try trial.flush(output)
            try trial.expect(trial.end(), 4, "the end")
            try trial.expect(trial.read(from: 2).next, 2, "where reading goes on")
            try trial.commit(output)
            try trial.expect(trial.readAll(), ["k=1", "k=2", "k=3"], "records")
            return true
        }),
        ("all partitions of the networks topic are followed, past what was aborted", { trial in
            let output = try trial.output("t")
            try trial.put(output, "k", "aborted", .networks, partition: 1)
            try trial.abort(output)
            for partition in [Int32(0), 1, 1] { try trial.put(output, "k", "\(partition)", .networks, partition: partition) }
            try trial.commit(output)
            let log = try trial.restore.get()
            let partitions = try trial.retrying("partitions") { () throws(LogFailure) in try log.partitions(of: .networks) }
            try trial.expect(partitions, Int(trial.bench.partitions), "partitions")
            var found: [String] = []
            var next = Array(repeating: Int64(0), count: partitions)
            try trial.wait(for: "three records") {
                next = try trial.retrying("records") { () throws(LogFailure) in
                    try log.follow(from: next, maxRecords: 1) { found.append("\($0)=\($2.string)") }
                }
                return found.count >= 3
            }
            try trial.expect(found.sorted(), ["0=0", "1=1", "1=1"], "records")
            return true
        }),
        ("an aborted transaction leaves nothing to see, and reading passes it", { trial in
            let output = try trial.output("t")
            try trial.abort(output)
            for round in 0..<3 {
                try trial.put(output, "k", "aborted")
                if round > 0 { try trial.flush(output) }
                try trial.abort(output)
                try trial.put(output, "k", "\(round)")
                try trial.commit(output)
            }
            try trial.expect(trial.readAll(most: 1), ["k=0", "k=1", "k=2"], "records")
            return true
        }),
        ("an open transaction holds back what others committed behind it", { trial in
            let slow = try trial.output("slow")
            let quick = try trial.output("quick")
            try trial.put(slow, "slow", "1")
            try trial.flush(slow)
            try trial.put(quick, "quick", "1")
            try trial.commit(quick)
            try trial.expect(trial.read().records, [], "records behind an open transaction")
            try trial.commit(slow)
            try trial.expect(trial.readAll(), ["slow=1", "quick=1"], "records")
            return true
        }),
        ("a new life under the same transactional id aborts and shuts out the old one", { trial in
            let reader = try trial.soleReader("a")
            let elder = try trial.output("t")
            try trial.put(elder, "k", "elder")
            try trial.flush(elder)
            let younger = try trial.output("t")
            let failure = try trial.failure { () throws(LogFailure) in
                try elder.commit([trial.position(0, 1)], as: reader.membership!, timeoutMilliseconds: 1_000)
            }
            guard case .unknown = failure else {
                throw ConformanceFailure(description: "the elder's commit: \(String(describing: failure))")
            }
            try trial.put(younger, "k", "younger")
            try trial.commit(younger, [trial.position(0, 2)], as: reader.membership!)
            try trial.expect(trial.readAll(), ["k=younger"], "records")
            try trial.expect(trial.committed(reader, 0), 2, "the committed offset")
            return true
        }),
        ("offsets of an open transaction are not read; aborted with it they are gone", { trial in
            let reader = try trial.soleReader("a")
            let held = try trial.output("t") { step throws(LogFailure) in
                if step == .sentOffsets { throw .stop("held here") }
            }
            try trial.put(held, "k", "1")
            let failure = try trial.failure { () throws(LogFailure) in
                try held.commit([trial.position(0, 5)], as: reader.membership!, timeoutMilliseconds: 1_000)
            }
            guard case .stop = failure else {
                throw ConformanceFailure(description: "the commit went on: \(String(describing: failure))")
            }
            do {
                let found = try reader.input.committed([trial.position(0, 0).partition])
                throw ConformanceFailure(description: "an unstable offset was read: \(found)")
            } catch LogFailure.retry {}
            _ = try trial.output("t")
            try trial.expect(trial.committed(reader, 0), nil, "the committed offset")
            return true
        }),
        ("the same commit made again goes on where it was", { trial in
            let reader = try trial.soleReader("a")
            let occasions = Occasions([.sendingOffsets, .sentOffsets, .ending])
            let output = try trial.output("t") { step throws(LogFailure) in
                if occasions.isFirst(step) { throw .retry("once") }
            }
            try trial.put(output, "k", "1")
            try trial.commit(output, [trial.position(0, 5)], as: reader.membership!)
            try trial.expect(occasions.isSpent, "the steps of a commit were not all reached")
            try trial.expect(trial.committed(reader, 0), 5, "the committed offset")
            try trial.expect(trial.readAll(), ["k=1"], "records")
            return true
        }),
        ("positions alone are a transaction, nothing at all is none", { trial in
            let reader = try trial.soleReader("a")
            let output = try trial.output("t")
            try trial.commit(output)
            try trial.commit(output, [trial.position(0, 3), trial.position(1, 4)], as: reader.membership!)
            try trial.expect(trial.committed(reader, 0), 3, "the committed offset")
            try trial.expect(trial.committed(reader, 1), 4, "the committed offset")
            try trial.expect(trial.end(), 0, "the state topic's end")
            return true
        }),
        ("a transaction left open times out, and its producer is shut out", { trial in
            let output = try trial.output("t")
            try trial.put(output, "k", "late")
            try trial.flush(output)
            let begun = trial.bench.milliseconds
            let other = try trial.output("u")
            try trial.put(other, "k", "other")
            try trial.commit(other)
            try trial.wait(for: "the timeout") { try trial.read().records.map { $0.hasSuffix(":k=other") } == [true] }
            try trial.expect(trial.bench.milliseconds - begun < trial.bench.transactionLimit + 10_000, "it came late")
            let failure = try trial.failure { () throws(LogFailure) in
                try output.commit([], as: NoMembership(), timeoutMilliseconds: 1_000)
            }
            guard case .unknown = failure else {
                throw ConformanceFailure(description: "the commit after the timeout: \(String(describing: failure))")
            }
            // A new producer of the id goes on.
            let next = try trial.output("t")
            try trial.put(next, "k", "next")
            try trial.commit(next)
            try trial.expect(trial.readAll(), ["k=other", "k=next"], "records")
            return true
        }),
    ]
}

/// Steps of which each happens once for the first time.
private final class Occasions {
    private var left: Set<ShardStep>
    init(_ steps: Set<ShardStep>) { left = steps }
    func isFirst(_ step: ShardStep) -> Bool { left.remove(step) != nil }
    var isSpent: Bool { left.isEmpty }
}
