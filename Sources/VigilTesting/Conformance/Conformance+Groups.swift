import Runtime

extension Conformance {
    static let groupChecks: [Check] = [
        ("members are revoked and assigned as others join and leave", { trial in
            let all = Int(trial.bench.partitions)
            let first = try trial.soleReader("a")
            let second = try trial.reader("b")
            try trial.turn(first, second, until: "a share for each") {
                !first.assigned.isEmpty && !second.assigned.isEmpty && first.assigned.count + second.assigned.count == all
            }
            try trial.expect(Set(first.assigned).isDisjoint(with: second.assigned), "two members share a partition")
            try trial.expect(first.events.prefix(2), ["assigned \(all)", "revoked"], "what the first member was told")
            trial.close(second)
            try trial.turn(first, until: "all partitions") { first.assigned.count == all }
            try trial.expect(first.events.suffix(2), ["revoked", "assigned \(all)"], "what the first member was told")
            return true
        }),
        ("a membership of an earlier generation can't commit, today's can", { trial in
            let first = try trial.soleReader("a")
            let stale = first.membership!
            let output = try trial.output("t")
            try trial.put(output, "k", "stale")
            let second = try trial.reader("b")
            try trial.turn(first, second, until: "a share for each") {
                !second.assigned.isEmpty && first.assigned.count + second.assigned.count == Int(trial.bench.partitions)
            }
            let failure = try trial.failure { () throws(LogFailure) in
                try output.commit([trial.position(0, 1)], as: stale, timeoutMilliseconds: 1_000)
            }
            guard case .aborted = failure else {
                throw ConformanceFailure(description: "the stale commit: \(String(describing: failure))")
            }
            try trial.abort(output)
            try trial.put(output, "k", "fresh")
            try trial.commit(output, [trial.position(0, 2)], as: first.membership!)
            try trial.expect(trial.committed(first, 0), 2, "the committed offset")
            try trial.expect(trial.readAll(), ["k=fresh"], "records")
            return true
        }),
        ("what is committed between revocation and release counts", { trial in
            let first = try trial.soleReader("a")
            let output = try trial.output("t")
            try trial.put(output, "k", "1")
            first.beforeRelease = {
                first.beforeRelease = {}
                try trial.commit(output, [trial.position(1, 9)], as: first.membership!)
            }
            let second = try trial.reader("b")
            try trial.turn(first, second, until: "a share for the second") { !second.assigned.isEmpty }
            try trial.expect(trial.committed(second, 1), 9, "the committed offset")
            try trial.expect(trial.readAll(), ["k=1"], "records")
            return true
        }),
        ("a new owner begins where the last one committed", { trial in
            try trial.bench.feed(partition: 0, ["0", "1", "2", "3"], commits: nil)
            let first = try trial.soleReader("a")
            try trial.turn(first, until: "records") { first.seen.count == 4 }
            try first.input.commit([trial.position(0, 2)])
            trial.close(first)
            let second = try trial.soleReader("b")
            try trial.turn(second, until: "records") { second.seen.count == 2 }
            try trial.expect(second.seen.map(\.offset), [2, 3], "offsets")
            return true
        }),
    ]
}
