import Events
import Foundation
import Testing

@testable import Engine

/// Command sequences in the form of Schonlau and others 2001, small: everybody's first blocks are clean, of those after them
/// some are typed by somebody else.
@Suite struct MasqueradeTests {
    static let vocabulary = 120
    static let block = 60

    /// A person's commands: what everybody does bent to a taste of one's own, and habits of what follows what, which change
    /// the order and hardly the shares.
    struct Person {
        var random: SplitMix
        var cumulative: [Double]
        var habit: [Int]
        var place = 0.0

        init(seed: UInt64) {
            var random = SplitMix(seed)
            var sum = 0.0
            cumulative = (0..<MasqueradeTests.vocabulary).map { rank in
                // Between half and twice everybody's share, which is Zipf's.
                let taste = exp2(2 * Double(random.next() % 1000) / 1000 - 1)
                sum += taste / Double(rank + 2)
                return sum
            }
            var order = Array(0..<32)
            for index in stride(from: 31, to: 0, by: -1) { order.swapAt(index, Int(random.next() % UInt64(index + 1))) }
            habit = order
            self.random = random
        }

        mutating func uniform() -> Double { Double(random.next() >> 11) / Double(1 << 53) }

        mutating func next() -> Int {
            place = uniform() < 0.5 ? (Double(habit[min(31, Int(place * 32))]) + uniform()) / 32 : uniform()
            let wanted = place * cumulative.last!
            return min(cumulative.firstIndex { $0 > wanted } ?? 0, MasqueradeTests.vocabulary - 1)
        }
    }

    struct Block {
        var isForeign: Bool
        var last = 0.0
        var mean = 0.0
        var most = -Double.infinity
        var unigram = 0.0
    }

    /// Everybody's blocks day by day through one engine with the default model.
    func run(seed: UInt64, users: Int, clean: Int, judged: Int, isOneSession: Bool) -> [Block] {
        var plan = EnginePlan()
        plan.secret = Array("a secret for tests".utf8)
        plan.emit = .all
        var decode = DecodeOptions()
        decode.requiresKey = false
        plan.inputs = [InputPlan(topic: "commands", decode: decode)]
        let engine = Engine(plan: plan)
        var people = (0..<users).map { Person(seed: seed &* 1000 &+ UInt64($0)) }
        var strangers = (0..<5).map { Person(seed: seed &* 1000 &+ 500 &+ UInt64($0)) }
        var random = SplitMix(seed)
        var counts = [[Double]](repeating: [Double](repeating: 0, count: Self.vocabulary), count: users)
        var blocks: [Block] = []
        var effects = Effects()
        var offset: Int64 = 0
        for day in 0..<clean + judged {
            for user in 0..<users {
                let isForeign = day >= clean && random.next() % 5 == 0
                let stranger = Int(random.next() % UInt64(strangers.count))
                var block = Block(isForeign: isForeign)
                for step in 0..<Self.block {
                    let command = isForeign ? strangers[stranger].next() : people[user].next()
                    if day < clean {
                        counts[user][command] += 1
                    } else {
                        let all = counts.indices.filter { $0 != user }.reduce(0) { $0 + counts[$1][command] }
                        let total = Double(clean * Self.block)
                        let others = (all + 1) / (total * Double(users - 1) + Double(Self.vocabulary))
                        block.unigram += log(others / ((counts[user][command] + 5 * others) / (total + 5)))
                    }
                    let time = 1_772_442_000_000 + Int64(day) * 86_400_000 + Int64(step) * 9_000 + Int64(user)
                    let session = isOneSession ? "s" : "s-\(day)"
                    var line = """
                        {"id":"\(offset)","type":"action","time":\(time),"user":"u\(user)","session":"\(session)",\
                        "action":"c\(command)"}
                        """
                    effects.removeAll()
                    let score = line.withUTF8 { bytes in
                        let record = Record(
                            input: 0, partition: 0, offset: offset, timestamp: nil, key: .absent,
                            value: ByteView(base: bytes.baseAddress, count: bytes.count))
                        engine.step(record, into: &effects)
                        return engine.judgement(on: record)?.logit ?? .nan
                    }
                    offset += 1
                    block.last = score
                    block.mean += score / Double(Self.block)
                    block.most = max(block.most, score)
                }
                if day >= clean { blocks.append(block) }
            }
        }
        return blocks
    }

    /// The chance that a foreign block scores above one of the user's own (Mann and Whitney).
    func auc(_ blocks: [Block], _ score: (Block) -> Double) -> Double {
        let (foreign, own) = (blocks.filter(\.isForeign).map(score), blocks.filter { !$0.isForeign }.map(score))
        var sum = 0.0
        for a in foreign { for b in own { sum += a > b ? 1 : a == b ? 0.5 : 0 } }
        return sum / Double(foreign.count * own.count)
    }

    @Test func aheadOfTheUnigramRatio() {
        let blocks = run(seed: 11, users: 10, clean: 24, judged: 16, isOneSession: false)
        let unigram = auc(blocks, \.unigram)
        let (last, mean, most) = (auc(blocks, \.last), auc(blocks, \.mean), auc(blocks, \.most))
        let shown = "seed 11: unigram \(unigram), last \(last), mean \(mean), most \(most)"
        #expect(unigram > 0.6 && unigram < 0.97, "\(shown)")
        #expect(last > unigram + 0.02, "\(shown)")
        #expect(mean > unigram, "\(shown)")
        #expect(most > 0.75, "\(shown)")
    }

    /// In a session that never ends a block rises from where the one before it left off, and falls back.
    @Test func inOneLongSession() {
        let blocks = run(seed: 12, users: 8, clean: 24, judged: 16, isOneSession: true)
        let (unigram, last) = (auc(blocks, \.unigram), auc(blocks, \.last))
        #expect(last > unigram - 0.03, "seed 12: unigram \(unigram), last \(last)")
    }
}
