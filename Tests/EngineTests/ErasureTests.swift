import Behavior
import Events
import Foundation
import Testing

@testable import Engine

@Suite struct ErasureTests {
    /// Two inputs, bounds that nobody meets.
    static var plan: EnginePlan {
        var plan = PropertyTests.plan(1)
        (plan.bounds.usersPerPartition, plan.bounds.unprovenPerPartition) = (1000, 1000)
        plan.inputs[1].decode.type = .feedback
        plan.emit = .interventions
        return plan
    }

    /// A record of input 0 or 1 at the next offset of it.
    struct Log {
        var records: [(input: UInt16, offset: Int64, bytes: [UInt8])] = []
        var next: [Int64] = [0, 0]

        mutating func add(_ input: Int, _ user: String, _ type: String) {
            let fields = type == "login" ? #","outcome":"success","device":{"id":"d"}"# : ""
            let text = #"{"id":"e\#(records.count)","type":"\#(type)","user":"\#(user)","tenant":"t","time":\#(1_772_442_000_000 + records.count * 1000)\#(fields)}"#
            records.append((UInt16(input), next[input], Array(text.utf8)))
            next[input] += 1
        }
    }

    static func step(_ engine: Engine, _ log: Log, _ index: Int, into effects: inout Effects, recovering: Bool = false) {
        let (input, offset, bytes) = log.records[index]
        bytes.withUnsafeBufferPointer {
            let record = Record(
                input: input, partition: 7, offset: offset, timestamp: nil, key: .absent,
                value: ByteView(base: $0.baseAddress, count: $0.count))
            _ = engine.step(record, into: &effects, recovering: recovering)
        }
    }

    func log(_ steps: [(Int, String, String)]) -> Log {
        var log = Log()
        for (input, user, type) in steps { log.add(input, user, type) }
        return log
    }

    @Test func thePersonIsForgottenAndToldSo() throws {
        let engine = Engine(plan: Self.plan)
        var effects = Effects()
        let log = log([(0, "alice", "login"), (0, "bob", "login"), (1, "alice", "erasure"), (1, "alice", "erasure"), (1, "carol", "erasure")])
        for index in log.records.indices { Self.step(engine, log, index, into: &effects) }
        #expect(engine.absorbed(tenant: "t", user: "alice", input: 0) == nil)
        #expect(engine.absorbed(tenant: "t", user: "bob", input: 0) == 1)
        let receipts = effects.outputs.filter { $0.kind == .receipt }
        #expect(receipts.count == 3)
        let told = receipts.map { effects.view($0.value!).string }
        #expect(told[0].contains(#""type":"erasure","time":"2026-03-02T09:00:02.000Z","tenant":"t","user":"alice","erased":true"#))
        #expect(told[1].contains(#""erased":false"#) && told[2].contains(#""user":"carol","erased":false"#))
        #expect(engine.counters.erasures == 3)
        // The number of the one who was removed is written as removed.
        var removed = 0
        engine.forEachDirty { _, row in removed += row == nil ? 1 : 0 }
        #expect(removed == 1)
    }

    @Test func nobodyBecomesKnownByFeedback() {
        let engine = Engine(plan: Self.plan)
        var effects = Effects()
        var log = Log()
        log.records.append((1, 0, Array(#"{"id":"1","type":"feedback","user":"a","time":1772442000000,"feedback":{"decision":"d","label":"legitimate","by":"user"}}"#.utf8)))
        Self.step(engine, log, 0, into: &effects)
        #expect(effects.outputs.isEmpty && engine.userCount == 0 && engine.counters.feedbackUnknown == 1)
    }

    /// Whatever order the inputs are redone in, and whichever rows were persisted when.
    @Test(arguments: Array(301...330) as [UInt64]) func redoDoesNotBringThePersonBack(seed: UInt64) throws {
        var random = SplitMix(seed)
        var log = Log()
        for index in 0..<60 {
            let user = ["alice", "bob", "carol"][Int(random.next() % 3)]
            if index == 30 || random.next() % 20 == 0 { log.add(1, "alice", "erasure") } else { log.add(0, user, "login") }
        }
        log.add(1, "alice", "erasure")
        let engine = Engine(plan: Self.plan)
        var effects = Effects()
        var rows: [UInt32: [UInt8]] = [:]
        var redo: RedoPoint?
        var positions: [Int64] = [0, 0]
        engine.mark(CutMark(positions: positions, cutsOffset: 0, milliseconds: 0))
        for index in log.records.indices {
            Self.step(engine, log, index, into: &effects)
            positions[Int(log.records[index].input)] += 1
            guard random.next() % 6 == 0 || index == log.records.count - 1 else { continue }
            let now = CutMark(positions: positions, cutsOffset: 0, milliseconds: Int64(index))
            let isLast = index == log.records.count - 1
            let slice = engine.slice(
                at: now, dirtyBefore: isLast ? Int64(index / 3) : Int64(index) - Int64(random.next() % 30),
                maxBytes: Int(random.next() % 4000))
            engine.forEach(in: slice) { number, row in rows[number] = row.map { Array($0) } }
            redo = slice.redo
            engine.mark(now)
            engine.complete(slice)
        }
        let point = try #require(redo)
        let again = Engine(plan: Self.plan)
        try again.restore(redo: try point.encoded().withUnsafeBytes { try RedoPoint(decoding: $0) })
        for (number, row) in rows { try row.withUnsafeBytes { try again.restore(user: number, row: $0) } }
        // Each input in its own order, the two interleaved otherwise than they were.
        var left = [0, 1].map { input in
            log.records.indices.filter { Int(log.records[$0].input) == input && log.records[$0].offset >= point.positions[input] }
        }
        while !(left[0].isEmpty && left[1].isEmpty) {
            let input = left[0].isEmpty ? 1 : left[1].isEmpty ? 0 : Int(random.next() % 2)
            Self.step(again, log, left[input].removeFirst(), into: &effects, recovering: true)
        }
        var names: Set<String> = []
        again.forEachUser { _, user, _ in names.insert(user) }
        #expect(names == ["bob", "carol"], "seed \(seed)")
        again.forEachDirty { _, _ in }
        // And who comes after is new.
        log.add(0, "alice", "login")
        Self.step(again, log, log.records.count - 1, into: &effects)
        #expect(again.absorbed(tenant: "t", user: "alice", input: 0) == log.next[0] - 1)
    }

    @Test func markersAreDroppedOnceRedoCantMeetThem() {
        let engine = Engine(plan: Self.plan)
        var effects = Effects()
        engine.mark(CutMark(positions: [0, 0], cutsOffset: 0, milliseconds: 0))
        let log = log([(0, "bob", "login"), (0, "alice", "login"), (1, "alice", "erasure")])
        for index in log.records.indices { Self.step(engine, log, index, into: &effects) }
        let now = CutMark(positions: [2, 1], cutsOffset: 0, milliseconds: 1)
        let some = engine.slice(at: now, dirtyBefore: .max, maxBytes: 0)
        #expect(some.numbers.count == 1 && some.redo.erased.count == 1)
        engine.mark(now)
        engine.complete(some)
        let rest = engine.slice(at: now, dirtyBefore: .max, maxBytes: .max)
        #expect(rest.redo.erased.isEmpty)
        engine.complete(rest)
        #expect(engine.erased.isEmpty)
    }

    @Test func markersAreBounded() {
        let engine = Engine(plan: Self.plan)
        var effects = Effects()
        var log = Log()
        for index in 0..<Engine.mostErased + 5 { log.add(1, "u\(index)", "erasure") }
        for index in log.records.indices {
            effects.removeAll()
            Self.step(engine, log, index, into: &effects)
        }
        #expect(engine.erased.count == Engine.mostErased)
        #expect(engine.counters.droppedMarkers == 5)
        #expect(engine.markers(after: 0).first?.sequence == 6, "the oldest went")
    }
}
