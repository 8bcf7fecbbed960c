import Kafka
import Logging
import PipelineSpec
import Runtime
import StateStore

extension Pipeline {
    /// Its shards, reading from and writing to Kafka.
    func kafkaShards(directory: StateDirectory?, stop: StopRequest, logger: Logger) -> ShardGroup {
        let pipeline = self
        // Each end has its own share of the bytes in flight.
        let queueBytes = max(1 << 20, delivery.queueBytes / max(1, shards))
        return ShardGroup(shards: shards, stop: stop) { number, mailbox, stop throws(LogFailure) in
            var options = ShardOptions(pipeline.delivery, pipeline.state)
            options.name = "shard-\(number)"
            let world = ShardWorld(
                input: { () throws(LogFailure) in
                    try KafkaInputLog(
                        properties: pipeline.kafka, topics: pipeline.plan.inputs.map(\.topic), group: pipeline.group,
                        instance: pipeline.instance.map { "\($0)-\(number)" }, queueBytes: queueBytes / 2,
                        logger: logger)
                },
                output: { () throws(LogFailure) in
                    try KafkaOutputLog(
                        properties: pipeline.kafka, decisionsTopic: pipeline.decisionsTopic,
                        deadLettersTopic: pipeline.deadLettersTopic, queueBytes: queueBytes, logger: logger)
                },
                directory: directory, logger: logger, mailbox: mailbox, stop: stop)
            return try Shard(plan: pipeline.plan, options: options, world: world)
        }
    }

    /// An embedded broker with the topics it needs, which it is then pointed at.
    mutating func startEmbeddedBroker(port: UInt16 = 0, logger: Logger) throws(LogFailure) -> EmbeddedBroker {
        let broker = try EmbeddedBroker(port: port, logger: logger)
        for need in topicNeeds { try broker.createTopic(need.name, partitions: need.partitions) }
        use(embeddedBrokerAt: broker.address)
        return broker
    }
}
