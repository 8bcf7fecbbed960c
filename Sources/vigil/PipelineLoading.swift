import ArgumentParser
import Engine
import Events
import Foundation
import Kafka
import PipelineSpec

/// Reads a pipeline file; every problem and every warning goes to standard error.
func loadPipeline(_ path: String) throws(ExitCode) -> Pipeline {
    var files: [String] = []
    return try loadPipeline(path, files: &files)
}

/// The same; `files` are those it was read from.
func loadPipeline(_ path: String, files: inout [String]) throws(ExitCode) -> Pipeline {
    do {
        let pipeline = try PipelineFile.load(path: path, environment: ProcessInfo.processInfo.environment, files: &files)
        for warning in pipeline.warnings { Output.error(warning.description) }
        return pipeline
    } catch {
        Output.error(error.description)
        throw Exit.configuration
    }
}

extension Pipeline {
    /// Gives a pipeline without a secret one that anybody can derive from its name, and says so: good enough where
    /// nobody is to be kept out.
    mutating func settleForDerivedSecret(quietly: Bool = false) {
        guard plan.secret.isEmpty else { return }
        plan.secret = Array("vigil derived secret of \(plan.name)".utf8).withUnsafeBytes { Digest.sha256(ByteView($0)) }
        guard !quietly else { return }
        Output.error(
            "warning: no secret is set, so one is derived from the pipeline's name: good for trying out, but anybody can "
                + "answer its challenges. Set VIGIL_SECRET, e.g. to the output of `openssl rand -hex 32`")
    }

    /// Every topic it reads and writes, inputs first.
    var topicNeeds: [TopicAdmin.Need] {
        var needs: [TopicAdmin.Need] = []
        func add(_ need: TopicAdmin.Need) {
            if !needs.contains(where: { $0.name == need.name }) { needs.append(need) }
        }
        for (index, input) in plan.inputs.enumerated() {
            if let repartition = repartitions.first(where: { $0.input == index }) {
                add(.source(repartition.source, partitions: partitions, replicationFactor: replicationFactor))
                add(.repartition(input.topic, partitions: partitions, replicationFactor: replicationFactor))
            } else {
                add(.input(input.topic, partitions: partitions, replicationFactor: replicationFactor))
            }
        }
        for name in [decisionsTopic, deadLettersTopic] {
            add(.output(name, partitions: partitions, replicationFactor: replicationFactor))
        }
        if state.travels {
            add(.state(
                state.topic, partitions: partitions, replicationFactor: replicationFactor,
                deleteRetentionMilliseconds: Int64(state.tombstoneMilliseconds)))
            add(.cuts(state.cutsTopic, partitions: partitions, replicationFactor: replicationFactor))
            add(.networks(state.networksTopic, partitions: partitions, replicationFactor: replicationFactor))
        }
        return needs
    }

    /// Points it at an embedded broker. TLS, SASL and the like are for the cluster it was written for.
    mutating func use(embeddedBrokerAt address: String) { kafka = ["bootstrap.servers": address] }

    /// Its brokers, for messages.
    var brokers: String { kafka["bootstrap.servers"] ?? kafka["metadata.broker.list"] ?? "" }
}

/// `name`, looked for below the working directory, then beside and above the program, as in a checkout.
func findInCheckout(_ name: String) -> String? {
    let files = FileManager.default
    if files.fileExists(atPath: name) { return name }
    let program = (try? files.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    var directory = URL(fileURLWithPath: program).deletingLastPathComponent()
    while directory.path != "/" {
        let candidate = directory.appendingPathComponent(name).path
        if files.fileExists(atPath: candidate) { return candidate }
        directory.deleteLastPathComponent()
    }
    return nil
}
