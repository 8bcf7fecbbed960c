import Events
import Foundation
import Glibc
import Policy

/// How conditions use a list, which decides what its entries may be.
struct ListUse: OptionSet, Hashable {
    var rawValue: UInt8
    static let texts = ListUse(rawValue: 1)
    static let networks = ListUse(rawValue: 2)
    static let providers = ListUse(rawValue: 4)
    static let countries = ListUse(rawValue: 8)
}

/// Turns the lists of a pipeline file into what the core searches, and reports what can't be used.
struct ListReading {
    /// Bytes of the longest file that is read.
    static let mostBytes = 256 << 20
    /// Entries of one file that are reported.
    private static let mostReported = 20

    /// The pipeline file.
    let file: String
    /// In files of lists.
    private(set) var diagnostics: [Diagnostic] = []
    /// Files that were named, whether they could be read or not.
    private(set) var paths: [String] = []

    init(file: String) { self.file = file }

    mutating func open(_ lists: [Named<ListDraft>], _ uses: [String: ListUse], _ reader: inout Reader) -> [String: EntryList] {
        var opened: [String: EntryList] = [:]
        for list in lists {
            let use = uses[list.key] ?? []
            let path = "lists." + list.key
            guard let file = list.value.file else {
                let (bytes, entries) = inline(list.value.entries, use, path, &reader)
                opened[list.key] = EntryList(bytes: bytes, entries: entries, isOfNetworks: use.contains(.networks))
                continue
            }
            guard !file.text.isEmpty else { continue }
            let resolved = resolve(file.text, relativeTo: self.file)
            paths.append(resolved)
            let shown = file.isShowable ? resolved : "a list's file"
            guard let bytes = read(resolved, shown: shown, at: path, &reader) else { continue }
            guard let (content, entries) = split(bytes, use, shown) else { continue }
            opened[list.key] = EntryList(bytes: content, entries: entries, isOfNetworks: use.contains(.networks))
        }
        return opened
    }

    private func inline(
        _ texts: [String], _ use: ListUse, _ path: String, _ reader: inout Reader
    ) -> ([UInt8], [Range<Int>]) {
        var bytes: [UInt8] = []
        var entries: [Range<Int>] = []
        for (index, text) in texts.enumerated() {
            if let fault = Self.fault(of: text, use) { reader.report(at: "\(path)[\(index)]", "list.entry", "`\(path)[\(index)]` is \(fault)") }
            let normal = Self.normal(text, use)
            entries.append(bytes.count..<bytes.count + normal.utf8.count)
            bytes += normal.utf8
        }
        return (bytes, entries)
    }

    private func read(_ file: String, shown: String, at path: String, _ reader: inout Reader) -> [UInt8]? {
        guard FileManager.default.fileExists(atPath: file) else {
            reader.report(at: path, "list.missing", "`\(path)`: there is no file \(shown)")
            return nil
        }
        guard let bytes = Self.bytes(of: file) else {
            reader.report(at: path, "list.unreadable", "`\(path)`: \(shown) can't be read")
            return nil
        }
        guard bytes.count <= Self.mostBytes else {
            reader.report(at: path, "list.unreadable", "`\(path)`: \(shown) has more than \(Self.mostBytes >> 20) MiB")
            return nil
        }
        return bytes
    }

    /// At most one byte more than a list may have, whatever the file is. Read and not mapped: one that is cut short meanwhile
    /// would end the process.
    private static func bytes(of path: String) -> [UInt8]? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 20)
        while bytes.count <= mostBytes {
            let count = fread(&piece, 1, min(piece.count, mostBytes + 1 - bytes.count), file)
            if count == 0 { break }
            bytes += piece[..<count]
        }
        return ferror(file) == 0 ? bytes : nil
    }

    /// The entries of a file's lines; nil where it holds what none may be.
    private mutating func split(_ bytes: [UInt8], _ use: ListUse, _ shown: String) -> (bytes: [UInt8], entries: [Range<Int>])? {
        var reported = 0
        func report(_ line: Int, _ column: Int, _ message: String) {
            reported += 1
            guard reported <= Self.mostReported else { return }
            diagnostics.append(Diagnostic(file: shown, line: line, column: column, code: "list.entry", message: message))
        }
        let isPlain = use.isSubset(of: .texts)
        var content: [UInt8] = []
        var entries: [Range<Int>] = []
        if isPlain { content = bytes } else { content.reserveCapacity(bytes.count) }
        var (start, line) = (0, 0)
        while start < bytes.count {
            line += 1
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            defer { start = end + 1 }
            let entry = Self.trimmed(bytes, start..<end)
            if entry.isEmpty { continue }
            let column = entry.lowerBound - start + 1
            guard entry.count <= EntryList.mostEntryBytes else {
                report(line, column, "the entry has more than \(EntryList.mostEntryBytes) bytes")
                continue
            }
            guard bytes[entry].allSatisfy({ $0 >= 32 && $0 < 127 }) || Self.isText(bytes[entry]) else {
                report(line, column, "the entry is not UTF-8 text")
                continue
            }
            if isPlain {
                entries.append(entry)
                continue
            }
            let text = String(decoding: bytes[entry], as: UTF8.self)
            if let fault = Self.fault(of: text, use) { report(line, column, "the entry is \(fault)") }
            let normal = Self.normal(text, use)
            entries.append(content.count..<content.count + normal.utf8.count)
            content += normal.utf8
        }
        if entries.count > EntryList.mostEntries { report(0, 0, "a list has at most \(EntryList.mostEntries) entries") }
        return reported == 0 ? (content, entries) : nil
    }

    /// A line without its comment and the blanks around it.
    private static func trimmed(_ bytes: [UInt8], _ line: Range<Int>) -> Range<Int> {
        func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 }
        var (start, end) = (line.lowerBound, line.upperBound)
        for index in line where bytes[index] == UInt8(ascii: "#") && (index == line.lowerBound || isBlank(bytes[index - 1])) {
            end = index
            break
        }
        while start < end, isBlank(bytes[start]) { start += 1 }
        while end > start, isBlank(bytes[end - 1]) { end -= 1 }
        return start..<end
    }

    private static func isText(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let text = String(validating: bytes, as: UTF8.self) else { return false }
        return text.utf8.allSatisfy { $0 >= 32 && $0 != 127 }
    }

    /// Why a list that is used so can't hold an entry.
    private static func fault(of entry: String, _ use: ListUse) -> String? {
        if use.contains(.networks), NetworkPrefix(entry[...]) == nil { return "no network such as `192.0.2.0/24`, which `ip` asks for" }
        if use.contains(.providers), ConditionFields.systemNumber(entry) == nil { return "no number such as `64496`, which `asn` asks for" }
        if use.contains(.countries), !ConditionFields.isCountry(entry) { return "no country such as `NO`, which `country` asks for" }
        return nil
    }

    private static func normal(_ entry: String, _ use: ListUse) -> String {
        use.contains(.providers) ? ConditionFields.systemNumber(entry) ?? entry : entry
    }
}

/// A path as seen from the folder of the file that names it.
func resolve(_ path: String, relativeTo file: String) -> String {
    path.hasPrefix("/") ? path : (file.lastIndex(of: "/").map { String(file[...$0]) } ?? "") + path
}
