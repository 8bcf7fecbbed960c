import Events
import Foundation
import Yams

/// What a user agent's text says, with its names' bytes in room the caller gave.
struct AgentFacts: Equatable {
    var familyBytes: UInt8 = 0
    var systemBytes: UInt8 = 0
    var major: UInt16 = 0
    var device = DeviceClass.unknown

    /// Room for the name of the browser or app, and behind it for that of the operating system. Longer names are cut.
    static let familyRoom = 56
    static let systemRoom = 56
}

/// Rules that take user agents apart, in the form of uap-core's `regexes.yaml`: lists of regular expressions for browsers,
/// operating systems and devices, of which the first that matches decides (ua-parser Specification 0.2). Immutable; used by
/// all shards at once, each with a match of its own.
final class AgentRules: Sendable {
    /// Where a name comes from.
    private enum Name {
        case group(Int)
        /// Text with `$1` to `$9` for what groups matched.
        case template([UInt8])
    }

    private struct Rule {
        var name: Name
        /// What counts as the major version.
        var version: Name
    }

    private struct List: Sendable {
        let expressions: RegexList
        let rules: [Rule]
    }

    private let browsers: List
    private let systems: List
    private let devices: List
    /// `sha256:…` of the rules, and how they are matched.
    let identity: String

    static let mostBytes = 16 << 20

    /// Throws what keeps the file from being used.
    convenience init(path: String) throws(EnrichmentFault.Cause) {
        try self.init(yaml: readFile(path, atMost: Self.mostBytes))
    }

    /// Throws why the text is no set of rules.
    init(yaml bytes: [UInt8]) throws(EnrichmentFault.Cause) {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .damaged("it is not UTF-8 text") }
        let root: Yams.Node?
        do {
            root = try Yams.compose(yaml: text, .basic, .default, .utf8)
        } catch {
            throw .damaged("it is not YAML")
        }
        browsers = try Self.list(
            root, "user_agent_parsers", name: "family_replacement", version: "v1_replacement")
        systems = try Self.list(root, "os_parsers", name: "os_replacement", version: "os_v1_replacement")
        devices = try Self.list(root, "device_parsers", name: "device_replacement", version: nil)
        let digest = bytes.withUnsafeBufferPointer { Digest.sha256(ByteView(base: $0.baseAddress, count: $0.count)) }
        let isTranslated = [browsers, systems, devices].allSatisfy { $0.expressions.isTranslated }
        identity = "sha256:\(Digest.hex(digest))\(isTranslated ? "" : " interpreted")"
    }

    private static func list(
        _ root: Yams.Node?, _ key: String, name: String, version: String?
    ) throws(EnrichmentFault.Cause) -> List {
        guard case .sequence(let items)? = root?.mapping?[key] else {
            throw .damaged("it holds no rules for user agents: there is no list `\(key)`")
        }
        var patterns: [(text: String, ignoresCase: Bool)] = []
        var rules: [Rule] = []
        for item in items {
            func text(_ key: String) -> String? { item.mapping?[key]?.scalar?.string }
            guard let pattern = text("regex") else {
                throw .damaged("line \(item.mark?.line ?? 0): a rule of `\(key)` has no `regex`")
            }
            patterns.append((pattern, text("regex_flag") == "i"))
            func source(_ key: String?, group: Int) -> Name {
                key.flatMap(text).map { .template(Array($0.utf8)) } ?? .group(group)
            }
            rules.append(Rule(name: source(name, group: 1), version: source(version, group: 2)))
        }
        do {
            return List(expressions: try RegexList(patterns), rules: rules)
        } catch {
            throw .damaged("line \(items[error.index].mark?.line ?? 0): not a regular expression: \(error.reason)")
        }
    }

    /// Takes an agent apart. `names` has room for `AgentFacts.familyRoom + systemRoom` bytes, and gets both names.
    ///
    /// `isFiltered`: expressions whose words the agent lacks are passed over, which changes nothing but the time it takes.
    /// - Complexity: O(rules + *n* × the rules whose words the agent has), some tens of microseconds
    func read(
        _ agent: ByteView, _ match: inout RegexMatch, names: UnsafeMutablePointer<UInt8>, isFiltered: Bool = true
    ) -> AgentFacts {
        var facts = AgentFacts()
        match.grams.take(agent)
        if let rule = browsers.expressions.first(in: agent, &match, isFiltered: isFiltered) {
            let rule = browsers.rules[rule]
            facts.familyBytes = UInt8(Self.write(rule.name, agent, match, to: names, room: AgentFacts.familyRoom))
            facts.major = Self.number(rule.version, agent, match)
        }
        let system = names + AgentFacts.familyRoom
        if let rule = systems.expressions.first(in: agent, &match, isFiltered: isFiltered) {
            facts.systemBytes = UInt8(
                Self.write(systems.rules[rule].name, agent, match, to: system, room: AgentFacts.systemRoom))
        }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.deviceRoom) { room in
            facts.device = DeviceClass(
                agent: agent, family: ByteView(base: UnsafePointer(names), count: Int(facts.familyBytes)),
                system: ByteView(base: UnsafePointer(system), count: Int(facts.systemBytes)),
                device: device(of: agent, &match, into: room.baseAddress.unsafelyUnwrapped, isFiltered: isFiltered))
        }
        return facts
    }

    static let deviceRoom = 64

    /// The device's name, in `out`, which has room for `deviceRoom` bytes; `match` has taken the agent's grams.
    func device(
        of agent: ByteView, _ match: inout RegexMatch, into out: UnsafeMutablePointer<UInt8>, isFiltered: Bool = true
    ) -> ByteView {
        guard let rule = devices.expressions.first(in: agent, &match, isFiltered: isFiltered) else { return .absent }
        let count = Self.write(devices.rules[rule].name, agent, match, to: out, room: Self.deviceRoom)
        return ByteView(base: UnsafePointer(out), count: count)
    }

    /// Writes a name without blanks at its ends, cut before the character that doesn't fit. Returns its length in bytes; 0
    /// for what is no text.
    private static func write(
        _ name: Name, _ agent: ByteView, _ match: borrowing RegexMatch, to out: UnsafeMutablePointer<UInt8>, room: Int
    ) -> Int {
        var count = 0
        var isFull = false
        func put(_ byte: UInt8) {
            if count == 0, byte == 0x20 { return }
            if count < room { out[count] = byte; count += 1 } else { isFull = true }
        }
        switch name {
        case .group(let number):
            for byte in match.group(number, of: agent).bytes { put(byte) }
        case .template(let template):
            var index = 0
            while index < template.count {
                if template[index] == UInt8(ascii: "$"), index + 1 < template.count, (49...57).contains(template[index + 1]) {
                    for byte in match.group(Int(template[index + 1] - 48), of: agent).bytes { put(byte) }
                    index += 2
                } else {
                    put(template[index])
                    index += 1
                }
            }
        }
        if isFull {
            while count > 0, out[count - 1] & 0xC0 == 0x80 { count -= 1 }
            if count > 0, out[count - 1] >= 0xC0 { count -= 1 }
        }
        while count > 0, out[count - 1] == 0x20 { count -= 1 }
        // A group of bytes may end within a character.
        return ByteView(base: UnsafePointer(out), count: count).isText ? count : 0
    }

    /// The number a version begins with; 0 where it begins with none, 65,535 where it is larger.
    private static func number(_ name: Name, _ agent: ByteView, _ match: borrowing RegexMatch) -> UInt16 {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16) { digits in
            let count = write(name, agent, match, to: digits.baseAddress.unsafelyUnwrapped, room: 16)
            var number = 0
            for digit in digits[..<count] {
                guard (48...57).contains(digit) else { break }
                number = min(number * 10 + Int(digit - 48), Int(UInt16.max))
            }
            return UInt16(number)
        }
    }
}
