import Events
import Runtime
import Testing
import VigilTesting

/// Inputs of a task are merged by event time, however unevenly they are read.
///
///     logins   ●     ●     ●     ●        each 2 s, all of them in the log from the start
///     actions     ●     ●     ●     ●
///     decided  ●  ●  ●  ●  ●  ●  ●  ●     never all logins first, which would make every action late
@Suite struct MergeTests {
    static let start = 1_763_892_000_000

    func event(_ number: Int, input: Int) -> String {
        let time = Self.start + number * 1_000
        let rest = input == 0 ? #""type":"login","outcome":"success""# : #""type":"action","action":"view""#
        return #"{"id":"e\#(number)","time":\#(time),"user":"anna","session":"s",\#(rest)}"#
    }

    /// Which events were decided, in order.
    func numbers(_ outputs: [SimulatedOutput]) -> [Int] {
        outputs.compactMap { output in
            output.text.range(of: #""event":"e"#).flatMap { Int(output.text[$0.upperBound...].prefix { $0.isNumber }) }
        }
    }

    @Test(arguments: [1, 3, 64]) func aTopicBehindTheOtherIsNotLate(batch: Int) throws {
        let driver = TestDriver(plan: Fixture.plan(inputs: 2), seed: UInt64(batch))
        driver.options.batchRecords = batch
        for number in 0..<400 {
            driver.log.append(input: number % 2, key: "anna", value: event(number, input: number % 2))
        }
        let outputs = try driver.run()
        #expect(outputs.count == 400)
        #expect(numbers(outputs) == Array(0..<400), "decided in the order of event time")
        #expect(outputs.allSatisfy { $0.text.contains(#""late":false"#) })
    }

    /// However often one input is waited for, each wait has its own time: a long backlog must not use it up.
    @Test func eachWaitIsANewOne() throws {
        let driver = TestDriver(plan: Fixture.plan(inputs: 2), seed: 9)
        driver.options.batchRecords = 2
        // Less than the backlog takes in all, more than any one wait.
        driver.options.idleMilliseconds = 60
        for number in 0..<1_000 {
            driver.log.append(input: number % 2, key: "anna", value: event(number, input: number % 2))
        }
        let outputs = try driver.run()
        #expect(driver.log.clock.milliseconds > 120)
        #expect(numbers(outputs) == Array(0..<1_000))
    }

    /// An input that has nothing to offer holds nobody up.
    @Test func anEmptyTopicIsNotWaitedFor() throws {
        let driver = TestDriver(plan: Fixture.plan(inputs: 2))
        driver.options.idleMilliseconds = 60_000
        for number in 0..<20 { driver.log.append(input: 1, key: "anna", value: event(number, input: 1)) }
        #expect(try driver.run().count == 20)
        #expect(driver.log.clock.milliseconds < 60_000)
    }

    /// A record that can't be decoded has no time: it goes first, and doesn't reorder its input.
    @Test func whatCannotBeDecodedGoesFirst() throws {
        let driver = TestDriver(plan: Fixture.plan(inputs: 2))
        driver.log.append(input: 0, key: "anna", value: event(0, input: 0))
        driver.log.append(input: 0, key: "anna", value: "not json")
        driver.log.append(input: 1, key: "anna", value: event(5, input: 1))
        driver.log.append(input: 0, key: "anna", value: event(10, input: 0))
        let outputs = try driver.run()
        #expect(outputs.map(\.input) == [0, 0, 1, 0])
    }
}
