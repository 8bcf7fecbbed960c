import Events

/// Traits of networks from any number of lists, cut into stretches of addresses that have the same ones.
/// Nothing changes once it is made.
struct NetworkTable: ~Copyable, @unchecked Sendable {
    /// Where each stretch begins, ascending, the first at 0; it ends where the next begins.
    private let starts: UnsafeMutablePointer<UInt128>
    private let traits: UnsafeMutablePointer<NetworkTraits>
    /// How many stretches there are.
    let count: Int

    /// A network has the traits of every list with a prefix that holds it.
    /// - Complexity: O(*n* log *n*) in the prefixes
    init(_ lists: [(traits: NetworkTraits, prefixes: [NetworkPrefix])]) {
        var edges: [(at: UInt128, list: Int, change: Int)] = []
        for (list, entry) in lists.enumerated() {
            for prefix in entry.prefixes {
                edges.append((prefix.first, list, 1))
                if prefix.last < .max { edges.append((prefix.last + 1, list, -1)) }
            }
        }
        edges.sort { $0.at < $1.at }
        var stretches: [(start: UInt128, traits: NetworkTraits)] = [(0, [])]
        var depth = [Int](repeating: 0, count: lists.count)
        var index = 0
        while index < edges.count {
            let at = edges[index].at
            while index < edges.count, edges[index].at == at {
                depth[edges[index].list] += edges[index].change
                index += 1
            }
            var traits: NetworkTraits = []
            for list in lists.indices where depth[list] > 0 { traits.formUnion(lists[list].traits) }
            if stretches[stretches.count - 1].start == at {
                stretches[stretches.count - 1].traits = traits
            } else if stretches[stretches.count - 1].traits != traits {
                stretches.append((at, traits))
            }
        }
        count = stretches.count
        starts = .allocate(capacity: count)
        traits = .allocate(capacity: count)
        for (index, stretch) in stretches.enumerated() {
            (starts + index).initialize(to: stretch.start)
            (traits + index).initialize(to: stretch.traits)
        }
    }

    deinit {
        starts.deallocate()
        traits.deallocate()
    }

    /// What the lists say of an address.
    /// - Complexity: O(log *n*) in the stretches
    func traits(of address: IPAddress) -> NetworkTraits {
        let key = address.key
        var (low, high) = (0, count)
        while high - low > 1 {
            let middle = (low + high) >> 1
            if starts[middle] <= key { low = middle } else { high = middle }
        }
        return traits[low]
    }
}
