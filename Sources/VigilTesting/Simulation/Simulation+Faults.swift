import Runtime

/// What can go wrong in a simulation.
public enum Misfortune: String, Sendable, Codable, CaseIterable {
    case deathAtCall = "death-at-call"
    case deathAtStep = "death-at-step"
    case pauseAtCall = "pause-at-call"
    case pauseAtStep = "pause-at-step"
    case kill
    case terminate
    /// Standing still between two turns, until the same befalls the process again.
    case freeze
    /// The network of one process goes down, or comes back.
    case cutOff = "cut-off"
    case brokerAway = "broker-away"
    case requestLost = "request-lost"
    case answerLost = "answer-lost"
    case delayedEnd = "delayed-end"
    case offsetsLost = "offsets-lost"
    case unacknowledged
    case compaction
    /// State files take no more, or do again.
    case fullDisk = "full-disk"
    /// A process comes back on another machine.
    case emptyDirectory = "empty-directory"
    /// A process comes back to a backup of its directory.
    case oldDirectory = "old-directory"
    /// A process comes back to a damaged state file.
    case rottenFile = "rotten-file"
    case expiredOffsets = "expired-offsets"
    case movedOffsets = "moved-offsets"
    /// What no redo needs any more is deleted.
    case retention
    /// The state topic is made anew, empty.
    case recreatedState = "recreated-state"
    /// The pipeline is changed for all that run or start again.
    case reload
}

/// What the scheduler does next, good or bad.
extension Simulation {
    func act() throws {
        switch Int.random(in: 0..<1_000, using: &random) {
        case 0..<330: appendInput()
        case 330..<900: turnSomebody()
        case 900..<930: cluster.clock.advance(milliseconds: Int.random(in: 1...40, using: &random))
        case 930..<940: listen()
        default:
            // Everything is drawn whatever happens, and what happens draws from a stream of its own: so that leaving one
            // misfortune out leaves the others much as they are.
            let host = hosts.randomElement(using: &random)!
            let misfortune = Misfortune.allCases.randomElement(using: &random)!
            var own = SeededGenerator(seed: random.next())
            report.chances += 1
            let isLeftOut = options.spared.contains(misfortune) || options.only?.contains(report.chances) == false
            guard !host.isBusy else { return }
            swap(&own, &random)
            defer { swap(&own, &random) }
            if !host.isUp {
                if chance(1, in: 3) { try comeBack(host) }
            } else if !isLeftOut {
                try befall(host, misfortune)
            }
        }
    }

    private func befall(_ host: SimulatedHost, _ misfortune: Misfortune) throws {
        guard let process = host.process else { return }
        switch misfortune {
        case .deathAtCall, .pauseAtCall:
            let call = process.calls + Int.random(in: 1...60, using: &random)
            guard arm(process, .call(call, afterEffect: chance(1, in: 2)), dies: misfortune == .deathAtCall) else { return }
        case .deathAtStep, .pauseAtStep:
            let step = ShardStep.allCases.randomElement(using: &random)!
            let occurrence = (process.steps[step] ?? 0) + Int.random(in: 1...3, using: &random)
            guard arm(process, .step(step, occurrence: occurrence), dies: misfortune == .deathAtStep) else { return }
        case .kill:
            host.kill()
            if chance(1, in: 2) { host.keepCopy() }
        case .terminate:
            guard hosts.filter(\.isUp).count > 1, !process.isFrozen else { return }
            note(host.terminate())
            if chance(1, in: 2) { host.keepCopy() }
        case .freeze: process.isFrozen ? process.thaw() : process.freeze()
        case .cutOff: process.setCutOff(!process.isCutOff)
        case .brokerAway: cluster.goAway(milliseconds: Int64.random(in: 10...2_000, using: &random))
        case .requestLost: cluster.endFaults.append(.requestLost)
        case .answerLost: cluster.endFaults.append(.answerLost)
        case .delayedEnd:
            cluster.endFaults.append(.delayed(milliseconds: Int64.random(in: 50...2_000, using: &random)))
        case .offsetsLost: cluster.lostOffsetRequests += 1
        case .unacknowledged:
            cluster.unacknowledgedUntil = cluster.clock.milliseconds + Int64.random(in: 10...500, using: &random)
        case .compaction:
            let partition = Int32.random(in: 0..<cluster.options.partitions, using: &random)
            let end = cluster.bounds(.state, partition: partition).end
            cluster.compact(.state, partition: partition, below: Int64.random(in: 0...end, using: &random))
        case .fullDisk:
            let pages = chance(1, in: 2) ? 1 : 0
            for shard in host.shards { try shard.limitStores(pages: pages) }
        case .retention:
            // Whoever lost the state topic still needs everything.
            guard options.isExact, !settings.losesState, retain() else { return }
        case .expiredOffsets:
            guard chance(1, in: 3), expireOffsets() else { return }
        case .movedOffsets:
            guard chance(1, in: 3), try moveOffset(and: host) else { return }
        case .recreatedState:
            guard chance(1, in: 3), settings.losesState, recreateState() else { return }
        case .reload: reload()
        case .emptyDirectory, .oldDirectory, .rottenFile: return
        }
        count(misfortune, host)
    }

    private func comeBack(_ host: SimulatedHost) throws {
        let how: SimulatedHost.Return
        let isLeftOut = options.only?.contains(report.chances) == false
        switch isLeftOut ? 7 : Int.random(in: 0..<8, using: &random) {
        case 0 where !options.spared.contains(.emptyDirectory):
            how = .emptyDirectory
            count(.emptyDirectory, host)
        case 1 where !options.spared.contains(.oldDirectory) && host.hasCopy:
            how = .oldDirectory
            count(.oldDirectory, host)
        case 2 where !options.spared.contains(.rottenFile):
            how = .sameDirectory
            if try host.spoilFile() { count(.rottenFile, host) }
        default: how = .sameDirectory
        }
        say("\(host.name) starts")
        try host.start(settings, how)
    }

    private func arm(_ process: SimulatedProcess, _ moment: Mishap.Moment, dies: Bool) -> Bool {
        guard process.mishap == nil else { return false }
        process.mishap = Mishap(moment, dies ? .death : .pause(meanwhile: { [unowned self] in meanwhile(process) }))
        say("\(process.name): \(moment)")
        return true
    }

    /// While a process stands still in the midst of a call, the others go on.
    private func meanwhile(_ process: SimulatedProcess) {
        guard depth < 2 else { return }
        depth += 1
        defer { depth -= 1 }
        let isLong = chance(2, in: 3)
        say("\(process.name) stands still")
        for _ in 0..<Int.random(in: 1...30, using: &random) {
            turnSomebody()
            if chance(1, in: 4) { appendInput() }
            cluster.clock.advance(milliseconds: Int.random(in: 0...(isLong ? 100 : 5), using: &random))
        }
        say("\(process.name) goes on")
    }
}
