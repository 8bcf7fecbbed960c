import Engine
import Events

extension Backtest {
    /// One of the two pipelines.
    public struct Contender {
        var name: String
        var plan: EnginePlan
        var enrichment: EventEnrichment

        /// `plan` has one input, and room in one engine for the users of all partitions.
        public init(name: String, plan: EnginePlan, enrichment: EventEnrichment) {
            self.name = name
            self.plan = plan
            self.enrichment = enrichment
        }
    }

    /// Steps both pipelines through one history, side by side and in the order of the file. The label, if any, reaches
    /// neither engine. `progress` is told now and then how many lines were read, and of what share of the file.
    /// - Throws: `LedgerFileError` where the history can't be read, and where a share of a stream is to warm up.
    /// - Complexity: O(bytes) in time; memory beside the engines' grows with users and attacks.
    public init(
        of a: Contender, against b: Contender, over path: String, options: BacktestOptions = BacktestOptions(),
        progress: (_ lines: Int, _ share: Double?) -> Void = { _, _ in }
    ) throws(LedgerFileError) {
        var lines = try LabelledLines(path: path)
        if case .share = options.warmUp, lines.share == nil {
            throw LedgerFileError(file: path, line: 0, problem: "a share of a stream can't be told: say how many days warm up")
        }
        let sides = Both(
            BacktestSide(plan: a.plan, enrichment: a.enrichment), BacktestSide(plan: b.plan, enrichment: b.enrichment))
        var state = Progress(sides: sides, options: options, bounds: a.plan.inputs[0].decode.bounds)
        while lines.number < options.limit, let line = lines.next() {
            state.take(line, number: lines.number, share: lines.share)
            if lines.number % 8_192 == 0 { progress(lines.number, lines.share) }
        }
        self.init(state, lines: lines.number, names: (a.name, b.name), versions: (a.plan.version, b.plan.version))
    }

    /// How far a backtest has come.
    struct Progress: ~Copyable {
        let sides: Both<BacktestSide>
        let options: BacktestOptions
        var tally = BacktestTally()
        var labels = BacktestLabels()
        var sample: BacktestSample
        var warmedUp = 0
        /// Only one of the pipelines takes them for a login or an action.
        var decidedByOne = 0
        var leftOut = (challenges: 0, feedback: 0)
        private var names = StreamNames()
        private var reader: LabelReader
        private var event = Event()
        private var first: Timestamp?

        init(sides: Both<BacktestSide>, options: BacktestOptions, bounds: DecodeBounds) {
            self.sides = sides
            self.options = options
            sample = BacktestSample(most: options.sample)
            reader = LabelReader(bounds: bounds)
        }

        mutating func take(_ line: ByteView, number: Int, share: Double?) {
            let record = Record(input: 0, partition: 0, offset: Int64(number - 1), timestamp: nil, key: .absent, value: line)
            guard sides.a.read(record, into: &event) || sides.b.read(record, into: &event) else {
                _ = sides.a.step(record)
                _ = sides.b.step(record)
                return
            }
            let user = names.user(event)
            switch event.type {
            case .challenge:
                // It names a decision that neither pipeline made.
                leftOut.challenges += 1
                guard options.answers == .recorded else { return }
                sides.a.answer(user: user, as: event)
                sides.b.answer(user: user, as: event)
            case .feedback:
                leftOut.feedback += 1
            case .login, .action, .erasure:
                if options.answers == .passed {
                    sides.a.answer(user: user, before: event.time)
                    sides.b.answer(user: user, before: event.time)
                }
                decide(record, user: user, share: share)
            }
        }

        private mutating func decide(_ record: Record, user: UInt32, share: Double?) {
            let (a, b) = (sides.a.step(record), sides.b.step(record))
            guard let a, let b else {
                if a != nil || b != nil { decidedByOne += 1 }
                return
            }
            let label = reader.read(record.value)
            let kind = label.kind.map { labels.kind($0) }
            for (side, judgement) in [(sides.a, a), (sides.b, b)] where judgement.verdict == .stepUp && !judgement.repeatsQuestion {
                side.noteQuestion(about: event, user: user, isHostile: (kind ?? 0) != 0)
            }
            let isMeasured = isWarm(share: share)
            if let kind {
                labels.note(event, kind: kind, onset: label.onset, (a, b), isMeasured: isMeasured)
            } else if isMeasured {
                labels.noteUnlabelled()
            }
            guard isMeasured else {
                warmedUp += 1
                return
            }
            let isFirst = tally.note((a, b), rules: (sides.a.engine.lastRule, sides.b.engine.lastRule), user: user, time: event.time)
            guard isFirst, a.verdict != b.verdict else { return }
            let cell = BacktestTally.cell(a.verdict, b.verdict)
            let (sideA, sideB) = (sides.a, sides.b)
            sample.offer(cell: cell, hash: names.userNames[Int(user)]) {
                (sideA.decisionText(on: record), sideB.decisionText(on: record))
            }
        }

        private mutating func isWarm(share: Double?) -> Bool {
            let start = first ?? event.time
            first = start
            return switch options.warmUp {
            case .share(let part): (share ?? 1) >= part
            case .days(let days): event.time >= start + Int64(days * 86_400_000)
            case nil: true
            }
        }
    }
}

/// The first differing decisions of some users in every cell of the matrix: of each cell those with the least hash, which
/// is as good as by lot and the same every time.
struct BacktestSample {
    struct Entry {
        var cell: Int
        var hash: UInt64
        var decisions: (a: [UInt8], b: [UInt8])
    }

    let most: Int
    private var cells: [Int: [Entry]] = [:]

    init(most: Int) { self.most = most }

    mutating func offer(cell: Int, hash: UInt64, _ decisions: () -> (a: [UInt8], b: [UInt8])) {
        var entries = cells[cell] ?? []
        let place = entries.firstIndex { hash < $0.hash } ?? entries.count
        guard place < most else { return }
        entries.insert(Entry(cell: cell, hash: hash, decisions: decisions()), at: place)
        if entries.count > most { entries.removeLast() }
        cells[cell] = entries
    }

    /// At most `most`, from every cell in turn.
    var chosen: [Entry] {
        var chosen: [Entry] = []
        let lists = cells.sorted { $0.key < $1.key }.map(\.value)
        for round in 0..<most {
            for list in lists where round < list.count && chosen.count < most { chosen.append(list[round]) }
        }
        return chosen.sorted { ($0.cell, $0.hash) < ($1.cell, $1.hash) }
    }
}
