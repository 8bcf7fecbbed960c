/// The view's persisted form, and the way back to a mark.
extension SharedView {
    /// A place to which `undo` and `image` can go back.
    public func mark() -> Int { store.mark() }

    /// Everything as it was at that mark, which stays one.
    /// - Complexity: O(what changed since)
    public func undo(to place: Int) {
        store.undo(to: place)
        wordsWereReplaced()
    }

    /// What is kept beside the words is of others.
    private func wordsWereReplaced() {
        shares.forget()
        keepTime()
        forgetStrata()
    }

    /// Marks before that one are forgotten.
    public func drop(before place: Int) { store.drop(before: place) }

    /// Bytes kept for marks.
    public var journalBytes: Int { store.journalBytes }

    /// Bytes of the view itself.
    public var byteCount: Int { store.count * 8 }

    /// Forgets every mark but these, ascending, and returns their new places.
    public func thin(keeping places: [Int]) -> [Int] { store.thin(keeping: places) }

    static let imageWords = 5

    /// The view as it was at a mark, or as it is: what cuts up time, sizes of tables, and the words, packed.
    /// - Complexity: O(size of the tables)
    public func image(at place: Int? = nil) -> [UInt8] {
        let head = [
            scale.paneMilliseconds, scale.networkPanes, scale.valuePanes, Int64(layout.networks.sets), Int64(layout.values.sets),
        ]
        return head.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } } + WordPacking.pack(store.copy(at: place))
    }

    /// Becomes what an image holds; false where it holds none. Tables of another size are moved into this view's; where time
    /// is cut up otherwise its windows mean nothing here, and the view begins anew.
    public func restore(_ image: UnsafeRawBufferPointer) -> Bool {
        guard image.count >= Self.imageWords * 8 else { return false }
        func word(_ at: Int) -> Int64 { Int64(littleEndian: image.loadUnaligned(fromByteOffset: at * 8, as: Int64.self)) }
        let most: Int64 = 1 << 21
        guard (1...most).contains(word(3)), (1...most).contains(word(4)) else { return false }
        let found = Layout(networks: Int(word(3)) * Layout.ways, values: Int(word(4)) * Layout.ways)
        let packed = UnsafeRawBufferPointer(rebasing: image[(Self.imageWords * 8)...])
        let count = (found.count + JournaledWords.blockWords - 1) / JournaledWords.blockWords * JournaledWords.blockWords
        guard let words = WordPacking.unpack(packed, count: count), isSound(words, found) else { return false }
        defer { wordsWereReplaced() }
        store.replace([UInt64](repeating: 0, count: store.count))
        guard Scale(paneMilliseconds: word(0), networkPanes: word(1), valuePanes: word(2)) == scale else { return true }
        if found.networks.sets == layout.networks.sets && found.values.sets == layout.values.sets {
            store.replace(words)
        } else {
            store.replace(Array(words[..<Layout.tables]))
            move(found.networks, of: words, to: layout.networks)
            move(found.values, of: words, to: layout.values)
        }
        return true
    }

    /// Nothing that is computed from the words may trap.
    private func isSound(_ words: [UInt64], _ layout: Layout) -> Bool {
        let most: UInt64 = 1 << 42
        guard words[Layout.clock] < most, words[Layout.everybodyGeneration] < most, words[Layout.actionGeneration] < most,
            words[Layout.firstDay] < 1 << 32, (0..<0x1p40).contains(Double(bitPattern: words[Layout.everybodyCount]))
        else { return false }
        for slot in 0..<layout.networks.slots where words[layout.networks.body(slot)] >= most { return false }
        for slot in 0..<layout.values.slots where words[layout.values.body(slot) + 2] >= 1 << 32 { return false }
        return true
    }

    private func move(_ table: Layout.Table, of words: [UInt64], to own: Layout.Table) {
        for slot in 0..<table.slots where words[table.keys + slot] != 0 {
            let key = words[table.keys + slot]
            let set = set(of: key, in: own)
            // In a smaller table who comes first stays.
            guard let free = (set..<set + Layout.ways).first(where: { self.words[own.keys + $0] == 0 }) else { continue }
            self.words[own.keys + free] = key
            for word in 0..<own.bodyWords { self.words[own.body(free) + word] = words[table.body(slot) + word] }
        }
    }
}
