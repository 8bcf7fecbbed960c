import Events
import Glibc

/// A flat run of words that can be taken back to any of its marks. Blocks of eight words are kept as they were before
/// their first change after a mark, so a mark costs nothing and what is kept is bounded by what changed.
final class JournaledWords {
    static let blockWords = 8

    let count: Int
    /// To be read only; `touch` comes before a change.
    let words: UnsafeMutablePointer<UInt64>
    private let memory: UnsafeMutableRawPointer
    /// By block, the epoch in which it was kept last.
    private let stamps: UnsafeMutablePointer<UInt32>
    /// Counts marks; 0 as long as there is none and nothing is kept.
    private var epoch: UInt32 = 0
    private var blocks: [UInt32] = []
    /// Eight for each of `blocks`.
    private var before: [UInt64] = []
    /// How many entries were dropped from the journal's front: places in it are counted from its beginning.
    private var dropped = 0

    /// All zero.
    init(count: Int) {
        let blocks = (count + Self.blockWords - 1) / Self.blockWords
        self.count = blocks * Self.blockWords
        // Pages that nothing is written to cost nothing. Each block is a line of the cache.
        memory = calloc(self.count + Self.blockWords, 8)!
        words = memory.alignedUp(toMultipleOf: Self.blockWords * 8).bindMemory(to: UInt64.self, capacity: max(self.count, 1))
        stamps = .allocate(capacity: max(blocks, 1))
        stamps.initialize(repeating: 0, count: max(blocks, 1))
    }

    deinit {
        free(memory)
        stamps.deallocate()
    }

    /// Keeps the block of that word before it changes.
    @inline(__always)
    func touch(_ word: Int) {
        let block = Int(UInt(bitPattern: word) / UInt(Self.blockWords))
        if stamps[block] != epoch { keep(block) }
    }

    /// Says that `touch` will be told of that word soon.
    @inline(__always)
    func expect(_ word: Int) { prefetch(stamps + Int(UInt(bitPattern: word) / UInt(Self.blockWords)), bytes: 4) }

    /// Keeps the blocks of so many words from there on.
    func touch(_ word: Int, count: Int) {
        var next = word
        while next < word + count {
            touch(next)
            next = (next / Self.blockWords + 1) * Self.blockWords
        }
    }

    @inline(never)
    private func keep(_ block: Int) {
        stamps[block] = epoch
        blocks.append(UInt32(block))
        before.append(contentsOf: UnsafeBufferPointer(start: words + block * Self.blockWords, count: Self.blockWords))
    }

    /// The place of this moment in the journal.
    func mark() -> Int {
        epoch += 1
        return dropped + blocks.count
    }

    /// Bytes kept.
    var journalBytes: Int { blocks.count * (Self.blockWords * 8 + 4) }

    /// Everything as it was at that mark, which stays one.
    /// - Complexity: O(blocks changed since)
    func undo(to place: Int) {
        for entry in stride(from: blocks.count - 1, through: max(place - dropped, 0), by: -1) { putBack(entry, into: words) }
        blocks.removeLast(max(0, dropped + blocks.count - place))
        before.removeLast(max(0, before.count - blocks.count * Self.blockWords))
        epoch += 1
    }

    private func putBack(_ entry: Int, into words: UnsafeMutablePointer<UInt64>) {
        let start = Int(blocks[entry]) * Self.blockWords
        for word in 0..<Self.blockWords { words[start + word] = before[entry * Self.blockWords + word] }
    }

    /// A copy of the words as they were at that mark.
    /// - Complexity: O(words)
    func copy(at place: Int?) -> [UInt64] {
        [UInt64](unsafeUninitializedCapacity: count) { copy, initialized in
            copy.baseAddress!.update(from: words, count: count)
            if let place {
                for entry in stride(from: blocks.count - 1, through: max(place - dropped, 0), by: -1) {
                    putBack(entry, into: copy.baseAddress!)
                }
            }
            initialized = count
        }
    }

    /// Forgets what only marks before that one need.
    func drop(before place: Int) {
        let gone = min(max(place - dropped, 0), blocks.count)
        guard gone > 0 else { return }
        blocks.removeFirst(gone)
        before.removeFirst(gone * Self.blockWords)
        dropped += gone
    }

    /// Forgets marks: of those places that stay, ascending, each is given its new place. Of a block only the oldest form
    /// between two of them is kept.
    /// - Complexity: O(journal)
    func thin(keeping places: [Int]) -> [Int] {
        var (kept, old): ([UInt32], [UInt64]) = ([], [])
        var moved: [Int] = []
        for (index, place) in places.enumerated() {
            moved.append(dropped + kept.count)
            let end = index + 1 < places.count ? places[index + 1] - dropped : blocks.count
            var seen: Set<UInt32> = []
            for entry in (place - dropped)..<end where seen.insert(blocks[entry]).inserted {
                kept.append(blocks[entry])
                old.append(contentsOf: before[entry * Self.blockWords..<(entry + 1) * Self.blockWords])
            }
        }
        (blocks, before) = (kept, old)
        return moved
    }

    /// Takes over other words; nothing is kept of what was, and where nobody marks, nothing of what comes either.
    func replace(_ others: [UInt64]) {
        for word in 0..<min(count, others.count) { words[word] = others[word] }
        (blocks, before, dropped) = ([], [], 0)
        if epoch > 0 { epoch += 1 }
    }
}
