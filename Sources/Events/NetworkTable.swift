/// What any number of lists say of networks, a bit or several for each list: cut into stretches of addresses of which the
/// same is said. Nothing changes once it is made.
public struct NetworkTable: ~Copyable, @unchecked Sendable {
    /// Where each stretch begins, ascending, the first at 0; it ends where the next begins.
    private let starts: UnsafeMutablePointer<UInt128>
    private let masks: UnsafeMutablePointer<UInt64>
    /// How many stretches there are.
    public let count: Int

    /// An address has the bits of every list with a prefix that holds it.
    /// - Complexity: O(*n* log *n*) in the prefixes
    public init(_ lists: [(mask: UInt64, prefixes: [NetworkPrefix])]) {
        var edges: [(at: UInt128, list: Int, change: Int)] = []
        for (list, entry) in lists.enumerated() {
            for prefix in entry.prefixes {
                edges.append((prefix.first, list, 1))
                if prefix.last < .max { edges.append((prefix.last + 1, list, -1)) }
            }
        }
        edges.sort { $0.at < $1.at }
        var stretches: [(start: UInt128, mask: UInt64)] = [(0, 0)]
        var depth = [Int](repeating: 0, count: lists.count)
        var index = 0
        while index < edges.count {
            let at = edges[index].at
            while index < edges.count, edges[index].at == at {
                depth[edges[index].list] += edges[index].change
                index += 1
            }
            var mask: UInt64 = 0
            for list in lists.indices where depth[list] > 0 { mask |= lists[list].mask }
            if stretches[stretches.count - 1].start == at {
                stretches[stretches.count - 1].mask = mask
            } else if stretches[stretches.count - 1].mask != mask {
                stretches.append((at, mask))
            }
        }
        count = stretches.count
        starts = .allocate(capacity: count)
        masks = .allocate(capacity: count)
        for (index, stretch) in stretches.enumerated() {
            (starts + index).initialize(to: stretch.start)
            (masks + index).initialize(to: stretch.mask)
        }
    }

    deinit {
        starts.deallocate()
        masks.deallocate()
    }

    /// What the lists say of an address.
    /// - Complexity: O(log *n*) in the stretches
    public func mask(of address: IPAddress) -> UInt64 {
        let key = address.key
        var (low, high) = (0, count)
        while high - low > 1 {
            let middle = (low + high) >> 1
            if starts[middle] <= key { low = middle } else { high = middle }
        }
        return masks[low]
    }
}
