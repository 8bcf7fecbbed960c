import Foundation
import Kafka
import Logging
import PipelineSpec
import Runtime
import StateStore

extension Pipeline {
    /// Its shards, reading from and writing to Kafka.
    func kafkaShards(
        directory: StateDirectory?, acceptsOffsets: Bool = false, stop: StopRequest, logger: Logger
    ) -> ShardGroup {
        let pipeline = self
        let name = transactionalName(directory)
        let probe = StepFault.fromEnvironment()
        // Each end has its own share of the bytes in flight.
        let queueBytes = max(1 << 20, delivery.queueBytes / max(1, shards))
        return ShardGroup(shards: shards, stop: stop) { number, mailbox, stop throws(LogFailure) in
            var options = ShardOptions(pipeline.delivery, pipeline.state)
            options.name = "shard-\(number)"
            options.memoryBytes /= max(1, pipeline.shards)
            options.acceptsOffsets = acceptsOffsets
            let isExact = pipeline.delivery.mode == .exactlyOnce
            let state = pipeline.state
            var world = ShardWorld(
                input: { () throws(LogFailure) in
                    try KafkaInputLog(
                        properties: pipeline.kafka, topics: pipeline.plan.inputs.map(\.topic), group: pipeline.group,
                        instance: pipeline.instance.map { "\($0)-\(number)" }, queueBytes: queueBytes / 2,
                        repartitioned: pipeline.repartitionTopics, logger: logger)
                },
                output: { () throws(LogFailure) in
                    try KafkaOutputLog(
                        properties: pipeline.kafka, decisionsTopic: pipeline.decisionsTopic,
                        deadLettersTopic: pipeline.deadLettersTopic, stateTopic: state.travels ? state.topic : nil,
                        cutsTopic: state.travels ? state.cutsTopic : nil,
                        networksTopic: state.travels ? state.networksTopic : nil,
                        transactionalID: isExact ? "\(name)-\(number)" : nil, queueBytes: queueBytes, logger: logger,
                        probe: probe)
                },
                enrichment: pipeline.makeEnrichment(), directory: directory, logger: logger, mailbox: mailbox, stop: stop,
                probe: probe)
            if state.travels {
                world.internals = { () throws(LogFailure) in
                    try KafkaInternalLog(
                        properties: pipeline.kafka, stateTopic: state.topic, cutsTopic: state.cutsTopic,
                        networksTopic: state.networksTopic, logger: logger)
                }
            }
            return try Shard(plan: pipeline.plan, options: options, world: world)
        }
    }

    /// What this process's transactional ids begin with. A restart under the same name shuts out what its earlier life
    /// left open, without waiting for a timeout.
    func transactionalName(_ directory: StateDirectory?) -> String {
        "\(group)-\(instance ?? directory?.identity ?? UUID().uuidString.lowercased())"
    }

    /// Topics that the repartitioner writes.
    var repartitionTopics: Set<String> { Set(repartitions.map { plan.inputs[$0.input].topic }) }

    /// The embedded broker isolates no transactions, stores no offsets in them, and drops the oldest records of a topic:
    /// at least once, with state in the directory alone.
    mutating func settleForEmbeddedBroker() {
        delivery.mode = .atLeastOnce
        state.travels = false
    }

    /// An embedded broker with the topics it needs, which it is then pointed at.
    mutating func startEmbeddedBroker(port: UInt16 = 0, logger: Logger) throws(LogFailure) -> EmbeddedBroker {
        settleForEmbeddedBroker()
        let broker = try EmbeddedBroker(port: port, logger: logger)
        for need in topicNeeds { try broker.createTopic(need.name, partitions: need.partitions) }
        use(embeddedBrokerAt: broker.address)
        return broker
    }
}
