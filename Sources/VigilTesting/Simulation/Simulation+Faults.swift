import Runtime

/// What the scheduler does next, good or bad.
extension Simulation {
    func act() throws {
        switch Int.random(in: 0..<1_000, using: &random) {
        case 0..<330: appendInput()
        case 330..<900: turnSomebody()
        case 900..<930: cluster.clock.advance(milliseconds: Int.random(in: 1...40, using: &random))
        case 930..<940: listen()
        default: try misfortune()
        }
    }

    private func misfortune() throws {
        guard let host = hosts.filter({ !$0.isBusy }).randomElement(using: &random) else { return }
        guard let process = host.process else {
            try comeBack(host)
            return
        }
        switch Int.random(in: 0..<15, using: &random) {
        case 0, 1: arm(host, .call(process.calls + Int.random(in: 1...60, using: &random), afterEffect: chance(1, in: 2)))
        case 2, 3, 4:
            let step = ShardStep.allCases.randomElement(using: &random)!
            arm(host, .step(step, occurrence: (process.steps[step] ?? 0) + Int.random(in: 1...3, using: &random)))
        case 5:
            count("killed")
            host.kill()
            if chance(1, in: 2) { host.keepCopy() }
        case 6 where hosts.filter(\.isUp).count > 1:
            count("terminated")
            note(host.terminate())
            if chance(1, in: 2) { host.keepCopy() }
        case 7: toggleFreeze(host)
        case 8:
            count(process.isCutOff ? "reconnected" : "cut off")
            process.setCutOff(!process.isCutOff)
        case 9:
            count("broker away")
            cluster.goAway(milliseconds: Int64.random(in: 10...2_000, using: &random))
        case 10, 11:
            count("end of a transaction")
            let milliseconds = Int64.random(in: 50...2_000, using: &random)
            cluster.endFaults.append([.requestLost, .answerLost, .delayed(milliseconds: milliseconds)].randomElement(using: &random)!)
        case 12:
            count("offsets lost")
            cluster.lostOffsetRequests += 1
        case 13:
            count("unacknowledged")
            cluster.unacknowledgedUntil = cluster.clock.milliseconds + Int64.random(in: 10...500, using: &random)
        default: try wear(host)
        }
    }

    /// What storage does: compaction, a full disk, room again.
    private func wear(_ host: SimulatedHost) throws {
        let partition = Int32.random(in: 0..<cluster.options.partitions, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0, 1:
            count("compacted")
            let end = cluster.bounds(.state, partition: partition).end
            cluster.compact(.state, partition: partition, below: Int64.random(in: 0...end, using: &random))
        default:
            let isFull = chance(1, in: 2)
            count(isFull ? "disk full" : "disk free")
            for shard in host.shards { try shard.limitStores(pages: isFull ? 1 : 0) }
        }
    }

    private func comeBack(_ host: SimulatedHost) throws {
        guard chance(1, in: 3) else { return }
        switch Int.random(in: 0..<6, using: &random) {
        case 0:
            count("back without a directory")
            try host.start(settings, .emptyDirectory)
        case 1:
            count("back with an old directory")
            try host.start(settings, .oldDirectory)
        default:
            count("back")
            try host.start(settings, .sameDirectory)
        }
    }

    private func arm(_ host: SimulatedHost, _ moment: Mishap.Moment) {
        guard let process = host.process, process.mishap == nil else { return }
        if chance(1, in: 2) {
            count("dies at a call or step")
            process.mishap = Mishap(moment, .death)
        } else {
            count("pauses at a call or step")
            process.mishap = Mishap(moment, .pause(meanwhile: { [unowned self] in meanwhile() }))
        }
    }

    /// While a process stands still in the midst of a call, the others go on.
    private func meanwhile() {
        guard depth < 2 else { return }
        depth += 1
        defer { depth -= 1 }
        let isLong = chance(2, in: 3)
        say("a process stands still")
        for _ in 0..<Int.random(in: 1...30, using: &random) {
            turnSomebody()
            if chance(1, in: 4) { appendInput() }
            cluster.clock.advance(milliseconds: Int.random(in: 0...(isLong ? 100 : 5), using: &random))
        }
        say("it goes on")
    }

    private func toggleFreeze(_ host: SimulatedHost) {
        guard let process = host.process else { return }
        if process.isFrozen {
            process.thaw()
            say("\(host.name) thaws")
        } else {
            count("frozen")
            process.freeze()
        }
    }
}
