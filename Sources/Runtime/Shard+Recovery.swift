import Engine
import Events
import StateStore

/// From `.assigned` to running: restore each partition from its checkpoint, redo what was committed after it, go live.
extension Shard {
    /// Takes note of an assignment. Co-partitioning is checked here: a partition's records of every input must come to
    /// the same shard, or a user would be split in two.
    func assign(_ partitions: [InputPartition]) throws(LogFailure) {
        dropTransaction()
        release()
        swapIfIdle()
        let numbers = Set(partitions.map(\.partition)).sorted()
        let given = Set(partitions)
        for number in numbers {
            for input in plan.inputs.indices where !given.contains(InputPartition(input: input, partition: number)) {
                throw .stop("partition \(number) of \(plan.inputs[input].topic) is not assigned together with the other inputs' partition \(number): all input topics need the same number of partitions and the range assignor")
            }
        }
        do {
            member = try input.membership()
        } catch .retry(let why) {
            throw .fenced("the group has dropped this member while it was being assigned partitions: \(why)")
        } catch {
            throw error
        }
        state = state.after(.assigned)
        counters.rebalances += 1
        pending = Assignment(partitions: numbers, now: world.clock.milliseconds)
        logger.info("assigned", metadata: ["shard": "\(options.name)", "partitions": "\(numbers)"])
        try pass(.assigned)
    }

    /// Goes on restoring the assigned partitions, and begins reading when all are. While the log doesn't answer, `pending`
    /// stays and the next turn tries again, so that polling (and with it membership) goes on.
    func recover() throws(LogFailure) {
        guard let pending, try attempt({ () throws(LogFailure) in try advance(pending) }) else { return }
        let now = world.clock.milliseconds
        guard pending.restorations.allSatisfy({ $0.phase == .done }), pending.facts != nil else {
            if now - pending.told >= 2_000 {
                pending.told = now
                let progress = pending.restorations.map { "\($0.partition): \($0.progress)" }.joined(separator: ", ")
                logger.notice("recovering", metadata: ["shard": "\(options.name)", "partitions": "\(progress)"])
            }
            return
        }
        tasks = pending.restorations.compactMap(\.task)
        indexTasks()
        guard try attempt({ () throws(LogFailure) in try beginPanes(for: tasks) }) else {
            tasks = []
            taskIndex = []
            return
        }
        guard try attempt({ () throws(LogFailure) in try input.start(at: positions) }) else {
            tasks = []
            taskIndex = []
            return
        }
        self.pending = nil
        sliced = world.clock.milliseconds
        for task in tasks { task.heard = sliced }
        sliceDue = sliced + sliceMilliseconds
    }

    /// Works for a tenth of a second.
    private func advance(_ assignment: Assignment) throws(LogFailure) {
        if assignment.facts == nil {
            // What an earlier life left open must end before the committed offsets tell anything.
            try prepareOutput()
            let all = assignment.partitions.flatMap { number in
                plan.inputs.indices.map { InputPartition(input: $0, partition: number) }
            }
            let committed = try input.committed(all)
            let bounds = try input.bounds(all)
            guard committed.count == all.count, bounds.count == all.count else {
                throw .retry("the log answered for fewer partitions than were asked")
            }
            assignment.facts = Assignment.Facts(log: try input.identity(), committed: committed, bounds: bounds)
            assignment.restorations = assignment.partitions.map { Restoration(partition: $0, engine: makeEngine()) }
        }
        guard let facts = assignment.facts else { return }
        let until = world.clock.milliseconds + 100
        for (place, restoration) in assignment.restorations.enumerated() {
            let mine = place * plan.inputs.count..<(place + 1) * plan.inputs.count
            while restoration.phase != .done {
                switch restoration.phase {
                case .opening:
                    try open(restoration, committed: Array(facts.committed[mine]), bounds: Array(facts.bounds[mine]), facts.log)
                case .tailing: try tail(restoration)
                case .cuts: try readCuts(restoration)
                case .loading:
                    try load(restoration, committed: Array(facts.committed[mine]), bounds: Array(facts.bounds[mine]), facts.log)
                case .done: break
                }
                // What stands still waits for a transaction to end; the group must hear from this member meanwhile.
                if world.clock.milliseconds >= until || restoration.stands { return }
            }
        }
    }

    func makeEngine() -> Engine {
        let engine = Engine(
            plan: plan, decoders: decoders, keepsPreImages: output.isTransactional,
            learnsFirst: world.mutant == .learnBeforeDecide, population: world.feed?.population)
        engine.newerRowWins = internals != nil && !output.isTransactional
        return engine
    }

    /// Where every input of every partition is to be read on.
    var positions: [InputPosition] {
        tasks.flatMap { task in
            task.fetched.indices.map { input in
                InputPosition(
                    partition: InputPartition(input: input, partition: task.partition), offset: task.fetched[input])
            }
        }
    }

    private func indexTasks() {
        taskIndex = Array(repeating: -1, count: Int(tasks.last?.partition ?? -1) + 1)
        for (index, task) in tasks.enumerated() { taskIndex[Int(task.partition)] = index }
    }

    // MARK: The state file

    func identity(_ restoration: Restoration, _ log: String) -> StoreIdentity {
        StoreIdentity(
            log: log, topics: plan.inputs.map(\.topic), partition: restoration.partition,
            state: restoration.engine.stateIdentity, pipeline: plan.name)
    }

    private func open(
        _ restoration: Restoration, committed: [Int64?], bounds inputBounds: [(first: Int64, end: Int64)], _ log: String
    ) throws(LogFailure) {
        let partition = restoration.partition
        if let directory = world.directory, !restoration.isFileJudged {
            if !restoration.hasClaim {
                guard directory.claim(partition: partition) else {
                    throw .retry("another shard still holds the state of partition \(partition)")
                }
                restoration.hasClaim = true
            }
            do {
                try openFile(restoration, log, in: directory)
            } catch {
                guard internals != nil, error.kind != .busy else { throw .stop("state of partition \(partition): \(error)") }
                // A full or failing disk must not keep a partition from being decided: the topic has its state.
                warn(partition, "the state file can't be used, so state is kept in memory and in the state topic alone: \(error)")
                restoration.forgetFile()
            }
            restoration.isFileJudged = true
        }
        guard let internals else {
            restoration.phase = .loading
            return
        }
        restoration.asked = world.clock.wallMilliseconds
        let bounds = try internals.bounds(.state, partition: partition)
        judge(restoration, bounds)
        if let found = restoration.found, found.tail > bounds.end || (found.isRepublishing && found.tail >= bounds.first),
            try isHeld(restoration, committed, inputBounds)
        {
            restoration.passesTopic = true
            (restoration.followed, restoration.next) = (restoration.next, bounds.first)
        }
        restoration.first = restoration.next
        restoration.end = bounds.end
        restoration.phase = .tailing
        if world.mutant == .staleFile && restoration.redo != nil { restoration.next = bounds.end }
    }

    /// Opens a partition's file. One that can't be trusted is set aside, and a new one begun.
    private func openFile(
        _ restoration: Restoration, _ log: String, in directory: StateDirectory
    ) throws(StoreError) {
        let file = directory.file(partition: restoration.partition)
        let identity = identity(restoration, log)
        do throws(StoreError) {
            let store = try StateStore(file: file, identity: identity)
            restoration.found = try store.checkpoint()
            restoration.origin = restoration.found?.origin ?? ""
            if let found = restoration.found, !found.redo.isEmpty {
                restoration.redo = try decode(found.redo, file)
                if let why = outdated(found) { throw StoreError(.foreign, file: file, why) }
            }
            restoration.store = store
        } catch {
            guard error.kind == .corrupt || error.kind == .foreign else { throw error }
            try setAside(restoration.partition, in: directory, because: error.message)
            restoration.forgetFile()
            restoration.store = try StateStore(file: file, identity: identity)
        }
    }

    private func decode(_ bytes: [UInt8], _ file: String) throws(StoreError) -> RedoPoint {
        do throws(StateError) {
            let redo = try RedoPoint(decoding: bytes)
            guard redo.positions.count == plan.inputs.count else { throw StateError("its redo point has other inputs") }
            return redo
        } catch {
            throw StoreError(.corrupt, file: file, "\(error)")
        }
    }

    /// A user removed elsewhere is known by a tombstone, and the state topic keeps those only so long.
    private func outdated(_ found: StoredCheckpoint) -> String? {
        guard internals != nil, world.mutant != .staleFile else { return nil }
        let age = world.clock.wallMilliseconds - found.written
        if age >= -3_600_000 && age < Int64(options.tombstoneMilliseconds) { return nil }
        return age < 0
            ? "it was written in the future: the clock was set back"
            : "it was written \(age / 3_600_000) hours ago, and the state topic keeps tombstones for \(options.tombstoneMilliseconds / 3_600_000) only: users removed since might come back"
    }

    func setAside(_ partition: Int32, in directory: StateDirectory, because why: String) throws(StoreError) {
        let name = try directory.setAside(partition: partition)
        warn(partition, "the state file can't be used and was set aside as \(name): \(why)")
    }

    func warn(_ partition: Int32, _ text: String) {
        logger.warning("\(text)", metadata: ["shard": "\(options.name)", "partition": "\(partition)"])
    }

    // MARK: The internal topics

    /// Where tailing begins, and what it means when the topic doesn't go on where the file ends.
    private func judge(_ restoration: Restoration, _ bounds: (first: Int64, end: Int64)) {
        let tail = restoration.found?.tail ?? 0
        restoration.next = tail
        restoration.mustRepublish = restoration.found?.isRepublishing ?? false
        if tail > bounds.end {
            warn(restoration.partition, "the state topic ends at \(bounds.end), before \(tail), up to where the state file has followed it: it was truncated or made anew. The file is used, and everything is written to the topic again")
            restoration.mustRepublish = true
            restoration.next = bounds.first
        } else if tail < bounds.first {
            if restoration.redo != nil || bounds.first > 0 {
                warn(restoration.partition, "the state topic begins at \(bounds.first): records from \(tail) on were deleted from it, and users written there may be missing. Its cleanup.policy must be `compact` alone")
            }
            restoration.mustRepublish = restoration.redo != nil && bounds.first > 0
            restoration.next = bounds.first
        }
        restoration.tail = restoration.next
    }

    /// Everything that the file is redone from is there.
    private func isHeld(
        _ restoration: Restoration, _ committed: [Int64?], _ inputBounds: [(first: Int64, end: Int64)]
    ) throws(LogFailure) -> Bool {
        guard let internals, let redo = restoration.redo else { return false }
        let cuts = try internals.bounds(.cuts, partition: restoration.partition)
        return (cuts.first...cuts.end).contains(redo.cutsOffset)
            && zip(zip(redo.positions, committed), inputBounds).allSatisfy { places, bounds in
                (bounds.first...bounds.end).contains(places.0) && places.1 ?? bounds.end <= bounds.end
            }
    }

    /// Reads a piece of the state topic into the file, or into memory where there is none.
    private func tail(_ restoration: Restoration) throws(LogFailure) {
        guard let internals else { return }
        var puts: [(number: UInt32, row: [UInt8]?)] = []
        var fault: (offset: Int64, why: String)?
        var isForeign = false
        restoration.stands = false
        let expected = topicIdentity(restoration.engine)
        let before = restoration.next
        if restoration.next < restoration.end {
            restoration.next = try internals.read(
                .state, partition: restoration.partition, from: restoration.next, maxRecords: 4096, timeoutMilliseconds: 50
            ) { offset, record in
                if let number = StateKey.number(record.key) {
                    puts.append((number, record.value.isPresent ? Array(record.value.bytes) : nil))
                } else if StateKey.isCheckpoint(record.key), record.value.isPresent {
                    do {
                        let checkpoint = try TopicCheckpoint(decoding: record.value)
                        guard checkpoint.identity == expected else {
                            throw StateError("it is of \(checkpoint.identity), and this is \(expected)")
                        }
                        if restoration.passesTopic {
                            guard offset >= restoration.followed else { return }
                            if restoration.origin != checkpoint.origin {
                                isForeign = true
                            } else {
                                // Where the topic ends before that, this is of before it was truncated.
                                restoration.isFilled = restoration.found?.tail == restoration.followed
                            }
                            return
                        }
                        if !restoration.origin.isEmpty && restoration.origin != checkpoint.origin { isForeign = true }
                        restoration.origin = checkpoint.origin
                        restoration.redo = try RedoPoint(decoding: checkpoint.redo)
                    } catch {
                        fault = (offset, "\(error)")
                    }
                }
            }
        }
        if let fault {
            throw .stop("partition \(restoration.partition): the state topic can't be used: the checkpoint at offset \(fault.offset): \(fault.why). With another secret, pipeline or layout Vigil needs another state topic (`state.topic`)")
        }
        if isForeign && restoration.found != nil {
            try rebuild(restoration, because: "the state topic was made anew, and another host has filled it since")
        }
        if world.mutant == .restoreToStable && restoration.next == before { restoration.end = restoration.next }
        let isEnd = restoration.next >= restoration.end
        restoration.stands = !isEnd && restoration.next == before
        if isEnd && restoration.isFilled {
            // The rows up to its checkpoint belong together: they are read after all.
            (restoration.passesTopic, restoration.passed, restoration.isFilled) = (false, [], false)
            (restoration.next, restoration.first) = (restoration.followed, restoration.followed)
            return
        }
        if isEnd { restoration.tail = restoration.next }
        try keep(puts, restoration, isEnd: isEnd)
        guard isEnd else { return }
        try pass(.tailed)
        let bounds = try internals.bounds(.cuts, partition: restoration.partition)
        restoration.next = min(max(restoration.redo?.cutsOffset ?? 0, bounds.first), bounds.end)
        restoration.first = restoration.next
        restoration.end = bounds.end
        restoration.phase = .cuts
    }

    private func keep(_ puts: [(number: UInt32, row: [UInt8]?)], _ restoration: Restoration, isEnd: Bool) throws(LogFailure) {
        if restoration.passesTopic {
            for put in puts {
                if put.row == nil { restoration.passed.remove(put.number) } else { restoration.passed.insert(put.number) }
            }
            return
        }
        guard let store = restoration.store else {
            for put in puts { restoration.rows[put.number] = put.row }
            return
        }
        for put in puts {
            restoration.newest[put.number] = .some(put.row)
            restoration.newestBytes += 64 + (put.row?.count ?? 0)
        }
        // Much at once, in the order of the file: a page that is written once holds many rows.
        guard isEnd || restoration.newestBytes > Self.restoredBytesAtOnce else { return }
        let checkpoint = StoredCheckpoint(
            redo: restoration.redo?.encoded() ?? [], tail: restoration.next, origin: restoration.origin,
            isRepublishing: restoration.mustRepublish,
            // A tombstone further on may be as old as the file was.
            written: isEnd ? restoration.asked : restoration.found?.written ?? 0)
        do {
            try store.write(checkpoint) { put throws(StoreError) in
                for (number, row) in restoration.newest.sorted(by: { $0.key < $1.key }) {
                    guard let row else {
                        try put(number, nil)
                        continue
                    }
                    try row.withUnsafeBufferPointer { row throws(StoreError) in
                        try put(number, UnsafeRawBufferPointer(row))
                    }
                }
            }
        } catch {
            // A full disk must not keep a partition from being decided: go on from memory.
            warn(restoration.partition, "the state file can't be brought up to the state topic, so state is kept in memory alone: \(error)")
            try abandonFile(restoration, restoration.newest.map { ($0.key, $0.value) })
        }
        (restoration.newest, restoration.newestBytes) = ([:], 0)
    }

    private static let restoredBytesAtOnce = 64 << 20

    /// Reads the rows out of a file that takes no more, and goes on without it.
    func abandonFile(_ restoration: Restoration, _ puts: [(number: UInt32, row: [UInt8]?)]) throws(LogFailure) {
        do {
            guard let file = restoration.store?.file else { return }
            try StateStore.forEachRow(file: file) { number, row in restoration.rows[number] = Array(row) }
        } catch {
            throw .stop("state of partition \(restoration.partition): \(error)")
        }
        for put in puts { restoration.rows[put.number] = put.row }
        restoration.store = nil
    }

    private func readCuts(_ restoration: Restoration) throws(LogFailure) {
        guard let internals else { return }
        var fault: (offset: Int64, why: String)?
        let inputs = plan.inputs.count
        let before = restoration.next
        if restoration.next < restoration.end {
            restoration.next = try internals.read(
                .cuts, partition: restoration.partition, from: restoration.next, maxRecords: 1024, timeoutMilliseconds: 50
            ) { offset, record in
                do {
                    let cut = try Cut(decoding: UnsafeRawBufferPointer(record.value.bytes), inputs: inputs)
                    restoration.cuts.append((offset, cut))
                } catch {
                    fault = (offset, "\(error)")
                }
            }
        }
        if let fault {
            throw .stop("partition \(restoration.partition): the cuts topic can't be used: the record at offset \(fault.offset): \(fault.why). Has something else written to it?")
        }
        if world.mutant == .restoreToStable && restoration.next == before { restoration.end = restoration.next }
        restoration.stands = restoration.next < restoration.end && restoration.next == before
        guard restoration.next >= restoration.end else { return }
        restoration.cutsEnd = restoration.next
        restoration.phase = .loading
    }
}
