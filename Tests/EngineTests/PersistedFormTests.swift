import Events
import Testing

@testable import Behavior
@testable import Engine

/// What is read back may be anything.
@Suite struct PersistedFormTests {
    var point: RedoPoint {
        RedoPoint(
            positions: [5, .max], cutsOffset: 9, shared: [1, 2, 3],
            erased: [ErasedUser(hash: 7, absorbed: [1, -1], sequence: 3)], version: "sha256:0 é")
    }

    @Test func redoPointsComeBack() throws {
        let bytes = point.encoded()
        #expect(try bytes.withUnsafeBytes { try RedoPoint(decoding: $0) } == point)
        let empty = RedoPoint(positions: [], cutsOffset: -1, shared: [], erased: [], version: "")
        #expect(try empty.encoded().withUnsafeBytes { try RedoPoint(decoding: $0) } == empty)
    }

    @Test func damagedRedoPointsAreRefused() {
        let bytes = point.encoded()
        func isRefused(_ bytes: [UInt8]) -> Bool {
            (try? bytes.withUnsafeBytes { try RedoPoint(decoding: $0) }) == nil
        }
        for count in 0..<bytes.count { #expect(isRefused(Array(bytes.prefix(count)))) }
        #expect(isRefused(bytes + [0]))
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(isRefused(damaged), "bit \(bit)")
        }
        // A right checksum is no proof of sense.
        var random = SplitMix(17)
        for _ in 0..<20_000 {
            var damaged = bytes
            for _ in 0..<random.next() % 3 + 1 {
                damaged[8 + Int(random.next() % UInt64(bytes.count - 8))] = UInt8(truncatingIfNeeded: random.next())
            }
            let sum = damaged.withUnsafeBytes {
                RedoPoint.checksum(ByteView(UnsafeRawBufferPointer(rebasing: $0[8...])))
            }
            withUnsafeBytes(of: sum.littleEndian) { damaged.replaceSubrange(0..<8, with: $0) }
            guard let read = try? damaged.withUnsafeBytes({ try RedoPoint(decoding: $0) }) else { continue }
            let engine = Engine(plan: PropertyTests.plan(1))
            try? engine.restore(redo: read)
        }
    }

    @Test func aRedoPointOfAnotherPipelineIsRefused() {
        let engine = Engine(plan: PropertyTests.plan(1))
        var other = point
        other.positions = [1]
        #expect(throws: StateError.self) { try engine.restore(redo: other) }
        other = point
        #expect(throws: StateError.self) { try engine.restore(redo: other) }
        other.shared = engine.sharedImage()
        other.erased[0].absorbed = []
        #expect(throws: StateError.self) { try engine.restore(redo: other) }
    }

    @Test func aPageMustBeTheVeryRow() throws {
        let lines = PropertyTests.stream(5, count: 400)
        var plan = PropertyTests.plan(5)
        (plan.bounds.usersPerPartition, plan.bounds.unprovenPerPartition) = (100, 100)
        let engine = Engine(plan: plan)
        _ = PropertyTests.run(engine, Array(lines.prefix(200)))
        var old: [UInt32: [UInt8]] = [:]
        engine.forEachDirty { old[$0] = $1.map { Array($0) } }
        _ = PropertyTests.run(engine, Array(lines.dropFirst(200)), from: 200)
        var rows: [UInt32: [UInt8]] = [:]
        engine.forEachDirty { rows[$0] = $1.map { Array($0) } }
        engine.markClean()
        let users = engine.userCount
        #expect(engine.pageOut(toFit: 0) == users && engine.residentBytes == 0 && engine.userCount == users)
        for (number, row) in rows {
            var damaged = row
            damaged[row.count / 2] ^= 4
            for wrong in [old[number] ?? [], damaged, [], rows[(number + 1) % UInt32(rows.count)] ?? []] where wrong != row {
                #expect(throws: StateError.self) { try wrong.withUnsafeBytes { try engine.restore(page: number, row: $0) } }
            }
            try row.withUnsafeBytes { try engine.restore(page: number, row: $0) }
            #expect(throws: StateError.self) { try row.withUnsafeBytes { try engine.restore(page: number, row: $0) } }
        }
        #expect(engine.pagedCount == 0 && engine.userCount == users)
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func theColdestAreSelected(seed: UInt64) {
        var random = SplitMix(seed)
        for _ in 0..<200 {
            let size = Int(random.next() % 400)
            var all = (0..<size).map {
                Candidate(touched: UInt64($0) * 3, number: UInt32($0), weight: UInt32(random.next() % 50 + 1))
            }
            for index in all.indices { all.swapAt(index, Int(random.next() % UInt64(size))) }
            let need = Int(random.next() % 9000)
            let sorted = all.sorted { $0.touched < $1.touched }
            var (count, weight) = (0, 0)
            while count < size && weight < need {
                weight += Int(sorted[count].weight)
                count += 1
            }
            let selected = Candidate.selectColdest(&all, weighing: need)
            #expect(selected == count, "seed \(seed)")
            #expect(all.prefix(count).map(\.touched).sorted() == sorted.prefix(count).map(\.touched), "seed \(seed)")
        }
    }

    @Test(arguments: [4, 5] as [UInt64]) func pagedUsersAreADictionary(seed: UInt64) {
        var random = SplitMix(seed)
        var users = PagedUsers()
        var model: [UInt64: UInt32] = [:]
        for step in 0..<30_000 {
            // Few low bits, so that runs are long.
            let hash = random.next() % 4000 << 32 | random.next() % 40
            if model[hash] != nil {
                users.remove(hash)
                model[hash] = nil
            } else {
                users.insert(PagedUser(hash: hash, touched: 1, number: UInt32(step), isProven: false))
                model[hash] = UInt32(step)
            }
        }
        #expect(users.count == model.count)
        var count = 0
        users.forEach {
            count += 1
            #expect(model[$0.hash] == $0.number, "seed \(seed)")
        }
        #expect(count == model.count)
        for (hash, number) in model { #expect(users.find(hash)?.number == number, "seed \(seed)") }
    }

    @Test func ofTwoUsersWithOneHashOneStays() {
        let table = UserTable(bounds: StateBounds(), inputs: 1)
        func name(_ text: StaticString) -> ByteView { ByteView(staticText: text) }
        for user in [name("a"), name("b")] {
            table.begin(input: 0, offset: 0)
            table.touch(table.findOrInsert(hash: 1, tenant: .absent, user: user, at: Timestamp(milliseconds: 1)))
        }
        table.markPersisted(2)
        #expect(table.pageOut(toFit: 0) == 1)
        #expect(table.count == 2 && table.pagedCount == 1)
        #expect(table.find(hash: 1, tenant: .absent, user: name("b")) != nil)
        #expect(table.page(of: 1) == 0)
    }
}
