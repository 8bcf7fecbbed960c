import Events
import Foundation
import Testing

@testable import Enrichment

@Suite struct NetworkListTests {
    @Test(arguments: [
        ("192.0.2.0/24", 0xFFFF_C000_0200, 0xFFFF_C000_02FF), ("192.0.2.77/24", 0xFFFF_C000_0200, 0xFFFF_C000_02FF),
        ("192.0.2.7", 0xFFFF_C000_0207, 0xFFFF_C000_0207), ("0.0.0.0/0", 0xFFFF_0000_0000, 0xFFFF_FFFF_FFFF),
        ("::/127", 0, 1), ("::ffff:192.0.2.7", 0xFFFF_C000_0207, 0xFFFF_C000_0207),
    ] as [(String, UInt128, UInt128)])
    func prefixesAreRead(_ text: String, _ first: UInt128, _ last: UInt128) throws {
        let prefix = try #require(NetworkPrefix(text[...]))
        #expect(prefix.first == first)
        #expect(prefix.last == last)
    }

    @Test func theWholeOfIPv6IsAPrefix() throws {
        let all = try #require(NetworkPrefix("::/0"))
        #expect(all.first == 0 && all.last == .max)
    }

    @Test(arguments: ["", "/", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2/24", "::/129", "a/8", "1.2.3.4/8/8", "::/+1"])
    func whatIsNoPrefixIsRefused(_ text: String) { #expect(NetworkPrefix(text[...]) == nil) }

    @Test func commentsBlanksAndLineEndsDontCount() throws {
        let file = try Scratch("# all\n\n 192.0.2.0/24 # one\r\n\t2001:db8::/32\n")
        #expect(try NetworkList.read(path: file.path).prefixes.count == 2)
    }

    @Test func aFaultNamesItsLine() throws {
        let file = try Scratch("192.0.2.0/24\nnonsense\n")
        #expect(throws: EnrichmentFault.Cause.damaged("line 2 is no network prefix such as 192.0.2.0/24 or 2001:db8::/32")) {
            try NetworkList.read(path: file.path)
        }
        #expect(throws: EnrichmentFault.Cause.missing) { try NetworkList.read(path: file.path + "-not") }
        let binary = try Scratch(bytes: [0xFF, 0xFE, 10])
        #expect(throws: EnrichmentFault.Cause.damaged("line 1 is not UTF-8")) { try NetworkList.read(path: binary.path) }
    }

    /// Against the definition: a network has the traits of every list with a prefix that holds it.
    @Test func lookupAgreesWithTheDefinition() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Seeded(state: seed)
        for _ in 0..<200 {
            var lists: [(mask: UInt64, prefixes: [NetworkPrefix])] = []
            for list in NetworkList.allCases {
                let prefixes = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                    // Few addresses, so that prefixes nest, touch and repeat.
                    let isV4 = Bool.random(using: &random)
                    let bits = isV4 ? Int.random(in: 24...32, using: &random) : Int.random(in: 120...128, using: &random)
                    let low = Int.random(in: 0...255, using: &random)
                    return NetworkPrefix(isV4 ? "10.0.0.\(low)/\(bits)" : "2001:db8::\(String(low, radix: 16))/\(bits)")!
                }
                lists.append((UInt64(list.traits.rawValue), prefixes))
            }
            let table = NetworkTable(lists)
            for low in UInt64(0)...255 {
                for address in [
                    IPAddress(family: .v4, high: 0, low: 0x0A00_0000 | low),
                    IPAddress(family: .v6, high: 0x2001_0DB8_0000_0000, low: low),
                ] {
                    var expected: NetworkTraits = []
                    for list in lists where list.prefixes.contains(where: { $0.first <= address.key && address.key <= $0.last }) {
                        expected.formUnion(NetworkTraits(rawValue: UInt16(list.mask)))
                    }
                    guard table.traits(of: address) == expected else {
                        Issue.record("seed \(seed): \(address)")
                        return
                    }
                }
            }
        }
    }
}
