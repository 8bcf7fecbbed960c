import Events
import Testing

@testable import Behavior

@Suite struct UserTableTests {
    let hash = KeyedHash(k0: 1, k1: 3)

    func withName<T>(_ name: String, _ body: (ByteView) -> T) -> T {
        var name = name
        return name.withUTF8 { body(ByteView(base: $0.baseAddress, count: $0.count)) }
    }

    func find(_ table: UserTable, _ name: String) -> UserRow? {
        withName(name) { table.find(hash: hash($0), tenant: .absent, user: $0) }
    }

    func insert(_ table: UserTable, _ name: String, at time: Int64 = 1_700_000_000_000) -> UserRow {
        withName(name) {
            table.sequence += 1
            let row = table.findOrInsert(
                hash: hash($0), tenant: .absent, user: $0, at: Timestamp(milliseconds: time))
            table.touch(row)
            return row
        }
    }

    func observation(_ index: Int) -> Observation {
        var seen = Observation(time: Timestamp(milliseconds: 1_700_000_000_000 + Int64(index) * 1000))
        seen.device = UInt32(index % 5 + 1)
        seen.network = 0x0100_0000 | UInt32(index % 9)
        seen.country = 0x4E4F
        seen.city = UInt32(index % 4 + 1)
        seen.session = UInt64(index % 3) << 1 | 1
        seen.hour = index % 24
        return seen
    }

    @Test(arguments: [11, 12, 13]) func behavesAsADictionary(seed: UInt64) {
        let table = UserTable(bounds: StateBounds(), inputs: 2)
        var random = SplitMix(seed)
        var model: [String: Int64] = [:]
        for step in 0..<20_000 {
            let name = "user-\(random.next() % 3000)"
            if random.next() % 4 == 0 {
                if let row = find(table, name) { table.remove(row) }
                model[name] = nil
            } else {
                insert(table, name).absorbed[1] = Int64(step)
                model[name] = Int64(step)
            }
        }
        #expect(table.count == model.count, "seed \(seed)")
        for index in 0..<3000 {
            let name = "user-\(index)"
            #expect(find(table, name)?.absorbed[1] == model[name], "seed \(seed), \(name)")
        }
    }

    @Test func aRowKeepsItsContentsWhileItGrows() {
        let table = UserTable(bounds: StateBounds(), inputs: 4)
        var row = insert(table, "alice")
        for index in 0..<60 {
            let seen = observation(index)
            row = table.learnContext(seen, of: row, weight: 1, counts: true)
            row = table.learnAction(UInt32(index % 20 + 1), after: 0, of: row, weight: 1)
            if table.session(seen.session, of: row) == nil { (row, _) = table.openSession(seen, of: row) }
            row = table.noteFailure(at: seen.time, of: row)
        }
        #expect(row.user.string == "alice")
        #expect(find(table, "alice")?.base == row.base)
        #expect((row.devices.count, row.networks.count, row.places.count, row.actions.count) == (5, 9, 4, 20))
        #expect(row.sessions.count == 3)
        #expect((0..<5).map { row.devices[$0].weight } == [12, 12, 12, 12, 12])
        #expect(row.header.pointee.contexts == 60)
        #expect(row.header.pointee.newDevices == 4, "the first of all is not new to anybody")
    }

    @Test func aTypicalUserFitsInTwoKibibytes() {
        let table = UserTable(bounds: StateBounds(), inputs: 4)
        var row = insert(table, "firstname.lastname@example.org")
        for index in 0..<300 {
            var seen = observation(index)
            (seen.device, seen.network, seen.city) = (UInt32(index % 2 + 1), UInt32(index % 6 + 1), UInt32(index % 2 + 1))
            seen.session = UInt64(index % 2) << 1 | 1
            row = table.learnContext(seen, of: row, weight: 1, counts: true)
            row = table.learnAction(UInt32(index % 12 + 1), after: 0, of: row, weight: 1)
            if table.session(seen.session, of: row) == nil { (row, _) = table.openSession(seen, of: row) }
        }
        #expect(row.byteCount <= 2048)
    }

    @Test func noRowGrowsBeyondItsBounds() {
        var bounds = StateBounds()
        bounds.bytesPerUser = UserTable.smallestRow(inputs: 1, identityBytes: 7) + 64
        let table = UserTable(bounds: bounds, inputs: 1)
        var row = insert(table, "hostile")
        var random = SplitMix(99)
        for _ in 0..<20_000 {
            var seen = observation(Int(random.next() % 1000))
            seen.device = UInt32(truncatingIfNeeded: random.next()) | 1
            seen.network = UInt32(truncatingIfNeeded: random.next()) | 1
            seen.city = UInt32(truncatingIfNeeded: random.next()) | 1
            seen.session = random.next() | 1
            row = table.learnContext(seen, of: row, weight: 1, counts: true)
            row = table.learnAction(UInt32(truncatingIfNeeded: random.next()) | 1, after: UInt32(truncatingIfNeeded: random.next()) | 1, of: row, weight: 1)
            (row, _) = table.openSession(seen, of: row)
            row = table.hold(seen, amount: 1, of: row, flags: .quarantined)
            row = table.open(
                ChallengeSlot(id: DecisionID(high: random.next(), low: 1), asking: seen, expires: seen.time, demand: 1),
                of: row)
        }
        #expect(row.byteCount <= bounds.bytesPerUser)
        #expect(row.devices.count <= bounds.devices)
        #expect(UserTable.largestRow(bounds: StateBounds(), inputs: 4, identityBytes: 512) <= StateBounds().bytesPerUser)
    }

    @Test func namesThatNeverProvedThemselvesCannotEvictAUser() {
        var bounds = StateBounds()
        (bounds.usersPerPartition, bounds.unprovenPerPartition) = (100, 1000)
        let table = UserTable(bounds: bounds, inputs: 1)
        for index in 0..<100 { table.prove(insert(table, "real-\(index)")) }
        for index in 0..<5_000 { _ = insert(table, "fake-\(index)") }
        #expect(table.unprovenCount <= 1000)
        #expect((0..<100).allSatisfy { find(table, "real-\($0)") != nil })
        table.prove(insert(table, "one-more"))
        #expect(table.count - table.unprovenCount <= 100)
        #expect(find(table, "real-0") == nil, "the coldest real user gave way")
        #expect(find(table, "one-more") != nil)
    }

    @Test func rowsComeBackAsTheyWereWritten() {
        let table = UserTable(bounds: StateBounds(), inputs: 2)
        for index in 0..<500 {
            var row = insert(table, "user-\(index)")
            if index % 3 == 0 { table.prove(row) }
            for step in 0..<index % 7 { row = table.learnContext(observation(step), of: row, weight: 1, counts: true) }
        }
        for index in stride(from: 0, to: 500, by: 5) { table.remove(find(table, "user-\(index)")!) }
        var written: [(UInt32, [UInt8])] = []
        var removed = 0
        table.forEachDirty { number, bytes in
            if let bytes { written.append((number, Array(bytes))) } else { removed += 1 }
        }
        #expect(removed == 100)
        #expect(written.map(\.0) == written.map(\.0).sorted())
        let copy = UserTable(bounds: StateBounds(), inputs: 2)
        for (number, bytes) in written {
            let fault = bytes.withUnsafeBytes { copy.restore(number: number, bytes: $0) }
            #expect(fault == nil)
        }
        #expect((copy.count, copy.unprovenCount, copy.dirtyCount) == (table.count, table.unprovenCount, 0))
        #expect(find(copy, "user-0") == nil)
        #expect(find(copy, "user-6")?.header.pointee.contexts == 6)
        // A freed number is used again.
        #expect(insert(copy, "newcomer").header.pointee.number < 500)
    }

    @Test func damagedRowsAreRefused() {
        let table = UserTable(bounds: StateBounds(), inputs: 1)
        var row = insert(table, "alice")
        row = table.learnContext(observation(1), of: row, weight: 1, counts: true)
        var bytes: [UInt8] = []
        table.forEachDirty { bytes = Array($1!) }
        var random = SplitMix(5)
        for _ in 0..<2000 {
            var damaged = bytes
            damaged[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
            let copy = UserTable(bounds: StateBounds(), inputs: 1)
            #expect(damaged.withUnsafeBytes { copy.restore(number: 0, bytes: $0) } != nil)
        }
        for count in [0, 7, 8, 64, bytes.count - 64, bytes.count + 64] {
            let cut = Array((bytes + bytes).prefix(count))
            let copy = UserTable(bounds: StateBounds(), inputs: 1)
            #expect(cut.withUnsafeBytes { copy.restore(number: 0, bytes: $0) } != nil)
        }
    }

    /// A checksum is no proof of sense: whoever can write the file can make it right.
    @Test func rowsWithARightChecksumAndWrongSectionsAreRefused() {
        let table = UserTable(bounds: StateBounds(), inputs: 2)
        var row = insert(table, "alice")
        for step in 0..<9 { row = table.learnContext(observation(step), of: row, weight: 1, counts: true) }
        var bytes: [UInt8] = []
        table.forEachDirty { bytes = Array($1!) }
        let sections = MemoryLayout<UserHeader>.offset(of: \.sections)!
        let level = MemoryLayout<UserHeader>.offset(of: \.level)!
        func fault(_ change: (inout [UInt8]) -> Void) -> StaticString? {
            var damaged = bytes
            change(&damaged)
            let sum = damaged.withUnsafeBytes { UserTable.checksum($0) }
            withUnsafeBytes(of: sum) { damaged.replaceSubrange(0..<8, with: $0) }
            return damaged.withUnsafeBytes { UserTable(bounds: StateBounds(), inputs: 2).restore(number: 0, bytes: $0) }
        }
        #expect(fault { _ in } == nil)
        for section in 0..<9 {
            #expect(fault { $0[sections + section * 4 + 2] = 255 } != nil, "more elements than room")
            #expect(fault { ($0[sections + section * 4], $0[sections + section * 4 + 1]) = (0, 0) } != nil, "over the header")
            #expect(fault { $0[sections + section * 4 + 1] = 255 } != nil, "beyond the row")
        }
        #expect(fault { $0[sections + 2] = 1 } != nil, "one input of two")
        #expect(fault { $0[level] = 9 } != nil, "no such level")
        #expect(fault { $0[level + 1] = 9 } != nil, "no such verdict")
    }

    /// A row from outside may have more room than it needs, in its sections' midst or behind them: what it takes of the memory
    /// is given back all the same.
    @Test(arguments: [(0, 64), (0, 8192), (24, 64), (4096, 8192)])
    func rowsWithRoomToSpareGiveBackWhatTheyTake(gap: Int, slack: Int) {
        let table = UserTable(bounds: StateBounds(), inputs: 2)
        var row = insert(table, "alice")
        row = table.learnContext(observation(0), of: row, weight: 1, counts: true)
        var bytes: [UInt8] = []
        table.forEachDirty { bytes = Array($1!) }
        let places = MemoryLayout<UserHeader>.offset(of: \.sections)! + 4 * Int(Section.networks.rawValue)
        let start = Int(row.header.pointee.sections[Int(Section.networks.rawValue)].offset) * 8
        bytes.insert(contentsOf: repeatElement(0xAA, count: gap), at: start)
        bytes += repeatElement(0xBB, count: slack - gap)
        bytes.withUnsafeMutableBytes { bytes in
            for section in 0..<Section.count - Int(Section.networks.rawValue) {
                let place = places + 4 * section
                let offset = bytes.loadUnaligned(fromByteOffset: place, as: UInt16.self)
                bytes.storeBytes(of: offset + UInt16(gap / 8), toByteOffset: place, as: UInt16.self)
            }
            let length = MemoryLayout<UserHeader>.offset(of: \.rowBytes)!
            bytes.storeBytes(of: UInt16(bytes.count), toByteOffset: length, as: UInt16.self)
            bytes.storeBytes(of: UserTable.checksum(UnsafeRawBufferPointer(bytes)), as: UInt64.self)
        }
        let copy = UserTable(bounds: StateBounds(), inputs: 2)
        #expect(bytes.withUnsafeBytes { copy.restore(number: 0, bytes: $0) } == nil)
        var restored = find(copy, "alice")!
        for index in 1..<60 { restored = copy.learnContext(observation(index), of: restored, weight: 1, counts: true) }
        #expect((restored.devices.count, restored.networks.count, restored.places.count) == (5, 9, 4))
        #expect((0..<5).map { restored.devices[$0].weight } == [12, 12, 12, 12, 12])
        #expect(restored.user.string == "alice")
        copy.remove(restored)
        #expect(copy.residentBytes == 0)
    }

    @Test func noMoreUsersLeaveMemoryThanMust() {
        let table = UserTable(bounds: StateBounds(), inputs: 1)
        for index in 0..<400 {
            var row = insert(table, "user-\(index)")
            for step in 0..<4 { row = table.learnContext(observation(step), of: row, weight: 1, counts: true) }
        }
        table.markPersisted(table.dirtyCount)
        let (before, row) = (table.residentBytes, table.residentBytes / 400)
        #expect(table.pageOut(toFit: before / 2) > 0)
        #expect((before / 20 * 9 - row...before / 20 * 9).contains(table.residentBytes))
    }

    @Test func weightsFadeByHalfEachHalfLifeAndThenAreForgotten() {
        let aging = Aging(halfLife: 30 * 86_400_000, fastHalfLife: 7 * 86_400_000)
        let table = UserTable(bounds: StateBounds(), inputs: 1)
        var row = insert(table, "alice")
        for _ in 0..<8 { row = table.learnContext(observation(0), of: row, weight: 1, counts: true) }
        func later(_ days: Int64) -> Timestamp { Timestamp(milliseconds: 1_700_000_000_000 + days * 86_400_000) }
        aging.age(row, to: later(30))
        #expect(abs(row.devices[0].weight - 4) < 0.01)
        #expect(abs(row.header.pointee.contexts - 4) < 0.01)
        aging.age(row, to: later(10))
        #expect(abs(row.devices[0].weight - 4) < 0.01, "a late event ages nothing")
        // In steps or at once: the same.
        for day in 31...60 { aging.age(row, to: later(Int64(day))) }
        #expect(abs(row.devices[0].weight - 2) < 0.01)
        aging.age(row, to: later(600))
        #expect((row.devices.count, row.networks.count, row.places.count) == (0, 0, 0))
    }
}

extension UserTable {
    /// What a checkpoint of everything would write.
    func forEachDirty(_ body: (UInt32, UnsafeRawBufferPointer?) -> Void) {
        for number in dirtyPlaces.map({ dirtyNumber(at: $0) }).sorted() {
            if let row = row(numbered: number) { withPersistedForm(of: row) { body(number, $0) } } else { body(number, nil) }
        }
    }
}
