import Runtime
import Testing
import VigilTesting

/// The simulated cluster passes the script that a real Kafka passes (Tests/KafkaTests/ConformanceTests.swift).
@Suite struct ConformanceTests {
    final class Bench: ConformanceBench {
        let cluster: SimulatedCluster
        let reading: SimulatedProcess
        var lives = 0

        init(seed: UInt64) {
            var options = ClusterOptions()
            options.partitions = 2
            options.markerDelay = 50
            cluster = SimulatedCluster(options: options, seed: seed)
            reading = cluster.process("reader")
        }

        var partitions: Int32 { cluster.options.partitions }
        var milliseconds: Int64 { cluster.clock.milliseconds }
        var transactionLimit: Int64 { cluster.options.transactionTimeout + cluster.options.timeoutCheck }
        func pass(milliseconds: Int) {
            cluster.clock.advance(milliseconds: milliseconds)
            cluster.settle()
        }
        func feed(partition: Int32, _ values: [String], commits: Bool?) throws {
            if let commits {
                cluster.appendTransaction(partition: partition, values.map { ("k", $0) }, commits: commits)
            } else {
                for value in values { cluster.append(partition: partition, key: "k", value: value) }
            }
        }
        func process() -> SimulatedProcess {
            lives += 1
            return cluster.process("process-\(lives)")
        }
        func input(member: String) throws -> any InputLog { process().input(member: member) }
        func output(transactionalID: String, probe: ShardProbe?) throws -> any OutputLog {
            let process = process()
            process.onStep = probe
            return process.output(transactionalID: transactionalID)
        }
        func internalLog() throws -> any InternalLog { reading.internalLog() }
        func compact(_ topic: InternalTopic, partition: Int32) throws -> Bool {
            cluster.compact(topic == .state ? .state : .cuts, partition: partition)
            return true
        }
    }

    @Test(arguments: Conformance.checks.map(\.number))
    func theSimulatedClusterPasses(number: Int) throws {
        let check = Conformance.checks[number - 1]
        for seed in 1...UInt64(20) {
            do {
                #expect(try check.run(on: Bench(seed: seed)))
            } catch {
                Issue.record("\(number), \(check.name): seed \(seed): \(error)")
            }
        }
    }
}
