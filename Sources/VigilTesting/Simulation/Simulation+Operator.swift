import Engine
import Foundation
import Runtime

/// What is done to a deployment from outside: by operators, by retention, by disks.
extension Simulation {
    /// Everybody is killed, and so much time passes that the group is empty and no transaction is open. False where
    /// somebody is in the midst of something.
    private func blackOut() -> Bool {
        guard !hosts.contains(where: \.isBusy) else { return false }
        for host in hosts { host.kill() }
        for _ in 0..<4 {
            cluster.clock.advance(milliseconds: 2_000)
            cluster.settle()
        }
        return cluster.memberCount == 0 && cluster.isQuiet
    }

    /// The brokers forget what an empty group has committed.
    func expireOffsets() -> Bool {
        guard blackOut() else { return false }
        for place in cluster.inputPartitions { cluster.setCommitted(place, to: nil) }
        return true
    }

    /// Somebody moves a committed offset while nobody runs: the next owner must refuse to go on, until it is put back.
    func moveOffset(and host: SimulatedHost) throws -> Bool {
        guard blackOut() else { return false }
        let known = cluster.inputPartitions.filter {
            cluster.committed($0) != nil && !cluster.records(.cuts, partition: $0.partition).isEmpty
        }
        guard let place = known.randomElement(using: &random), let offset = cluster.committed(place) else { return false }
        let moved: Int64
        if options.isExact {
            // Anywhere, even beyond the end of the log.
            let end = cluster.bounds(.input(place.input), partition: place.partition).end
            moved = Int64.random(in: 0...end + 3, using: &random)
        } else {
            // Plainly committed, an offset may lie anywhere but before the redo point.
            guard let redo = redoPoint(place.partition)?.positions[place.input], redo > 0 else { return false }
            moved = Int64.random(in: 0..<redo, using: &random)
        }
        guard moved != offset else { return false }
        cluster.setCommitted(place, to: moved)
        try host.start(settings, .sameDirectory)
        var refusal: String?
        for turn in 0..<4_000 where refusal == nil && host.isUp {
            refusal = host.turn(turn % host.shards.count)
        }
        host.kill()
        cluster.setCommitted(place, to: offset)
        if refusal?.contains("the committed offset is \(moved)") != true {
            note("the committed offset of \(place) was moved from \(offset) to \(moved), and the answer was: \(refusal ?? "none")")
        }
        return true
    }

    /// The state topic is made anew, empty, while nobody runs.
    func recreateState() -> Bool {
        guard blackOut() else { return false }
        for partition in 0..<cluster.options.partitions where chance(1, in: 2) { cluster.recreate(.state, partition: partition) }
        return true
    }

    /// Retention deletes of the inputs, or of the cuts, what no redo needs any more.
    func retain() -> Bool {
        var deletes = false
        let isThorough = chance(1, in: 2)
        for partition in 0..<cluster.options.partitions {
            guard let redo = redoPoint(partition) else { continue }
            for (input, position) in redo.positions.enumerated() where isThorough || chance(1, in: 3) {
                let bound = isThorough ? position : Int64.random(in: 0...position, using: &random)
                cluster.delete(.input(input), partition: partition, below: bound)
                deletes = true
            }
            if chance(1, in: 3) { cluster.delete(.cuts, partition: partition, below: redo.cutsOffset) }
        }
        return deletes
    }

    /// The redo point as the state topic has it, or is about to: the newest checkpoint in it.
    func redoPoint(_ partition: Int32) -> RedoPoint? {
        cluster.decided(.state, partition: partition).reversed().lazy
            .compactMap { RebuiltState.redoPoint(key: $0.key, value: $0.value) }.first
    }
}

extension SimulatedHost {
    /// A bit of a state file or of what SQLite keeps beside it turns over, or its end is lost. Only while nothing runs; false
    /// where there is no file.
    func spoilFile() throws -> Bool {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
            .filter { $0.hasPrefix("partition-") && ($0.hasSuffix(".sqlite") || $0.hasSuffix(".sqlite-wal")) }
        guard !isUp, let name = names.randomElement(using: &cluster.random) else { return false }
        let file = URL(filePath: directory + "/" + name)
        var bytes = try Data(contentsOf: file)
        guard !bytes.isEmpty else { return false }
        if Bool.random(using: &cluster.random) {
            let bit = Int.random(in: 0..<bytes.count * 8, using: &cluster.random)
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        } else {
            bytes = bytes.prefix(Int.random(in: 0..<bytes.count, using: &cluster.random))
        }
        try bytes.write(to: file)
        return true
    }
}
