import Runtime

extension Conformance {
    static let logChecks: [Check] = [
        ("a tombstone, an empty value and a value are three things", { trial in
            let output = try trial.output("t")
            try trial.put(output, "a", nil)
            try trial.put(output, "b", "")
            try trial.put(output, "c", "v")
            try trial.commit(output)
            try trial.expect(trial.readAll(), ["a=∅", "b=", "c=v"], "records")
            return true
        }),
        ("inputs are read over markers and aborted records, whose offsets are gaps", { trial in
            try trial.bench.feed(partition: 0, ["0"], commits: nil)
            try trial.bench.feed(partition: 0, ["1", "2"], commits: true)
            try trial.bench.feed(partition: 0, ["never"], commits: false)
            try trial.bench.feed(partition: 0, ["6"], commits: nil)
            let reader = try trial.soleReader("a")
            try trial.turn(reader, until: "records") { reader.seen.count >= 4 }
            try trial.expect(reader.seen.map(\.offset), [0, 1, 2, 6], "offsets")
            try trial.expect(reader.seen.map(\.text), ["0", "1", "2", "6"], "values")
            return true
        }),
        ("markers and aborted records at the end are not more records", { trial in
            try trial.bench.feed(partition: 0, ["0", "1", "2"], commits: true)
            try trial.bench.feed(partition: 0, ["never"], commits: false)
            let place = trial.position(0, 0).partition
            let reader = try trial.soleReader("a")
            try trial.turn(reader, until: "records") { reader.seen.count == 3 }
            try trial.turn(reader, until: "the end") { !reader.input.hasMore(place) }
            let bounds = try trial.retrying("bounds") { () throws(LogFailure) in try reader.input.bounds([place]) }[0]
            try trial.expect(bounds.first, 0, "the first offset")
            try trial.expect(bounds.end, 6, "the end")
            return true
        }),
        ("a paused partition is silent until it is resumed, and nothing of it is lost", { trial in
            let reader = try trial.soleReader("a")
            let silent = trial.position(1, 0).partition
            try reader.input.setPaused([silent])
            for partition in 0..<Int32(2) {
                try trial.bench.feed(partition: partition, ["0", "1", "2"], commits: nil)
            }
            try trial.turn(reader, until: "the other partition") { reader.seen.count >= 3 }
            for _ in 0..<10 { try reader.turn() }
            try trial.expect(reader.seen.contains { $0.place == silent }, false, "records of a paused partition")
            try reader.input.setPaused([])
            try trial.turn(reader, until: "everything") { reader.seen.count >= 6 }
            try trial.expect(reader.seen.filter { $0.place == silent }.map(\.offset), [0, 1, 2], "offsets")
            return true
        }),
        ("reading an internal topic goes on at any offset, in small steps", { trial in
            let output = try trial.output("t")
            for number in 0..<20 {
                try trial.put(output, "k", "\(number)")
                if number % 5 == 4 { try trial.commit(output) }
            }
            try trial.expect(trial.readAll(most: 3), (0..<20).map { "k=\($0)" }, "records")
            // Offset 5 is a marker.
            for (offset, wanted) in [(Int64(5), "6:k=5"), (8, "8:k=7"), (0, "0:k=0")] {
                var found: [String] = []
                try trial.wait(for: "a record from offset \(offset) on") {
                    found = try trial.read(from: offset, most: 1).records
                    return !found.isEmpty
                }
                try trial.expect(found, [wanted], "the record from offset \(offset) on")
            }
            return true
        }),
        ("compaction keeps of each key the last record, its offset, and the end", { trial in
            let output = try trial.output("t")
            for value in ["1", "2", nil] {
                for key in ["a", "b"] { try trial.put(output, key, key == "a" ? value ?? "3" : value) }
                try trial.commit(output)
            }
            let all = try trial.entries()
            try trial.expect(all.count, 6, "records before")
            let end = try trial.end()
            guard try trial.bench.compact(.state, partition: 0) else { return false }
            try trial.expect(trial.end() >= end, "the end went back")
            let left = try trial.entries().filter { !$0.contains("filler") }
            try trial.expect(left, ["6:a=3", "7:b=∅"], "records")
            return true
        }),
    ]
}
