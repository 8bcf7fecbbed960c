import Engine
import Events
import Testing
@testable import VigilTesting

/// The simulation's traffic must make happen what the simulation is about.
@Suite struct StoryTests {
    @Test func muchHappensInAStory() throws {
        var verdicts: Set<Verdict> = []
        var passed: UInt64 = 0, letters: UInt64 = 0, evicted: UInt64 = 0, late: UInt64 = 0, duplicates: UInt64 = 0
        var opened: UInt64 = 0, relaxed: UInt64 = 0, refused: UInt64 = 0, heeded: UInt64 = 0
        for seed in 1...UInt64(5) {
            var story = Story(seed: seed, inputs: 3)
            let engine = Engine(plan: Story.plan(inputs: 3))
            var effects = Effects()
            var heard = 0
            for offset in 0..<400 {
                let line = story.next()
                var key = line.key ?? "", value = line.value ?? ""
                _ = key.withUTF8 { key in
                    value.withUTF8 { value in
                        engine.step(
                            Record(
                                input: UInt16(line.input), partition: 0, offset: Int64(offset), timestamp: line.timestamp,
                                key: line.key == nil ? .absent : ByteView(UnsafeRawBufferPointer(key)),
                                value: line.value == nil ? .absent : ByteView(UnsafeRawBufferPointer(value))),
                            into: &effects)
                    }
                }
                while heard < effects.outputs.count {
                    let output = effects.outputs[heard]
                    heard += 1
                    guard output.kind == .decision, let value = output.value else { continue }
                    verdicts.insert(output.verdict)
                    story.hear(decision: Array(effects.view(value).bytes))
                }
            }
            let counters = engine.counters
            passed += counters.challenges[.passed]
            letters += counters.deadLetters
            evicted += counters.evicted
            late += counters.late
            duplicates += counters.duplicates
            opened += counters.breakerOpened
            relaxed += counters.relaxed
            refused += counters.challengesRefused
            heeded += min(counters.feedbackLegitimate, counters.feedbackCompromised)
        }
        #expect(verdicts == Set(Verdict.allCases))
        #expect(passed > 20)
        #expect(letters > 50)
        #expect(evicted > 50)
        #expect(late > 20)
        #expect(duplicates > 20)
        #expect(opened > 0 && relaxed > 0, "\(opened), \(relaxed)")
        #expect(refused > 3, "\(refused)")
        #expect(heeded > 3, "\(heeded)")
    }

    @Test func equalSeedsTellEqualStories() {
        func tell(_ seed: UInt64) -> [Story.Line] {
            var story = Story(seed: seed, inputs: 2)
            return (0..<100).map { _ in story.next() }
        }
        #expect(tell(1) == tell(1))
        #expect(tell(1) != tell(2))
    }
}
