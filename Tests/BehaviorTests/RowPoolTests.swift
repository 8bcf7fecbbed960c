import Testing
import VigilTesting

@testable import Behavior

@Suite struct RowPoolTests {
    @Test func eachSizeIsAtMostAQuarterMoreThanAsked() {
        var last = (index: 0, bytes: 0)
        for count in 1..<65_536 {
            let size = RowPool.size(for: count)
            #expect(size.bytes >= count && size.bytes - count < max(64, count / 4 + 1) && size.bytes % 64 == 0, "\(count)")
            #expect(size == last || (size.index == last.index + 1 && size.bytes > last.bytes), "\(count)")
            last = size
        }
    }

    @Test(arguments: 1...4) func rowsKeepTheirBytesAndMemoryIsUsedAgain(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var pool = RowPool()
        var rows: [(base: UnsafeMutableRawPointer, count: Int, fill: UInt8)] = []
        for step in 0..<20_000 {
            if rows.count < 100 || (rows.count < 400 && random.next() % 2 == 0) {
                let count = 1 + Int(random.next() % (step % 50 == 0 ? 65_472 : 3000))
                let row = (base: pool.allocate(count), count: count, fill: UInt8(truncatingIfNeeded: step))
                row.base.initializeMemory(as: UInt8.self, repeating: row.fill, count: count)
                rows.append(row)
            } else {
                let row = rows.remove(at: Int(random.next() % UInt64(rows.count)))
                let bytes = UnsafeRawBufferPointer(start: row.base, count: row.count)
                #expect(bytes.allSatisfy { $0 == row.fill }, "another row was written over this, step \(step)")
                pool.deallocate(row.base, row.count)
            }
            let used = rows.reduce(0) { $0 + RowPool.size(for: $1.count).bytes }
            #expect(pool.usedBytes == used)
        }
        let (row, used) = (rows[0], pool.usedBytes)
        pool.deallocate(row.base, row.count)
        #expect(pool.allocate(row.count) == row.base && pool.usedBytes == used, "what was given back last is used first")
    }
}
