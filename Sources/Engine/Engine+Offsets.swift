import Behavior

/// For when an operator moves the offsets.
extension Engine {
    /// Forgets having absorbed what will be read again: per input, from these offsets on. Every user in memory must then be
    /// written again.
    /// - Complexity: O(users)
    public func capAbsorbed(at positions: [Int64]) {
        table.forEach { row in
            for input in positions.indices where row.absorbed[input] >= positions[input] {
                row.absorbed[input] = positions[input] - 1
            }
        }
        markAllDirty()
    }
}
