/// A row's state as bytes to compare.
extension UserRow {
    /// Bytes that are equal exactly when the state is: without number, checksum, what only memory knows, padding, and
    /// room not used.
    /// - Complexity: O(row)
    public var canonical: [UInt8] {
        var bytes: [UInt8] = []
        func append<T>(_ value: T) {
            withUnsafeBytes(of: value) { bytes += $0.prefix(MemoryLayout<T>.size) }
        }
        let header = header.pointee
        append(header.layout)
        append(header.flags.subtracting(.transient).rawValue)
        append(header.tenantBytes)
        append(header.identityBytes)
        bytes += UnsafeBufferPointer(start: identityBase, count: Int(header.identityBytes))
        append(header.level.rawValue)
        append(header.verdict.rawValue)
        append(header.hash)
        append(header.touched)
        append(header.agedTo)
        append(header.firstSeen.milliseconds)
        append(header.lastSeen.milliseconds)
        for weight in [
            header.contexts, header.recentContexts, header.newFamilies, header.newDevices, header.newCountries,
            header.newProviders, header.newNeighbourhoods, header.newNetworks, header.newRegions, header.newPlaces, header.moves, header.actionTotal,
            header.recentActions, header.factored, header.strong, header.lastLatitude, header.lastLongitude,
        ] { append(weight) }
        append(header.lastPlaceTime.milliseconds)
        append(header.hours)
        append(header.weekdays)
        for moments in [
            header.amounts, header.recentAmounts, header.pace, header.roundTrips, header.breadths, header.exportCounts,
            header.surprises,
        ] {
            append(moments.weight)
            append(moments.mean)
            append(moments.squares)
        }
        append(header.amountSpread)
        append(header.drift)
        append(header.challenges)
        append(header.alarmedAt)
        append(header.enrolled.rawValue)
        append(header.lastMethod)
        append(header.ignoredMethods)
        append(header.nextJudged)
        append(header.countedIn)
        append(header.changes)
        append(header.breadth.index)
        append(header.breadth.distinct)
        append(header.breadth.count)
        append(header.breadth.isDoubtful)
        append(header.exports.index)
        append(header.exports.count)
        append(header.exports.isDoubtful)
        append(header.course)
        append(header.rate.newest)
        append(header.rate.counts)
        append(header.paceWindow.index)
        append(header.paceWindow.count)
        append(header.malformedAt.milliseconds)
        append(header.malformed)
        append(header.recentNext)
        append(header.recent)
        func appendSection<T>(_ slots: Slots<T>) {
            append(UInt8(slots.count))
            // The last bytes of a stride are nobody's.
            for index in 0..<slots.count {
                bytes += UnsafeRawBufferPointer(start: slots.base + index, count: MemoryLayout<T>.size)
            }
        }
        appendSection(absorbed)
        appendSection(devices)
        appendSection(networks)
        appendSection(places)
        appendSection(actions)
        appendSection(pairs)
        appendSection(sessions)
        appendSection(challenges)
        appendSection(holds)
        appendSection(failures)
        appendSection(asks)
        appendSection(judged)
        return bytes
    }
}
