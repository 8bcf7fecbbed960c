import ArgumentParser
import Engine
import Events
import Foundation
import PipelineSpec
import StateStore

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "A user's baseline, readable, from a state directory.",
        discussion: """
            Reads checkpoints and changes nothing, beside a running service too. Devices and places are stored as \
            fingerprints; the names of actions are shown where the pipeline's rules name them. Exits 66 when the \
            directory holds no state and 1 when it does not know the user.
            """)

    @Argument(help: "The user.")
    var user: String

    @Option(help: ArgumentHelp("State directory.", valueName: "dir"))
    var state: String

    @Option(help: ArgumentHelp("The pipeline whose state it is.", valueName: "file"))
    var pipeline = "pipelines/continuous-authorization.yaml"

    @Option(help: "The user's tenant.")
    var tenant = ""

    @Option(help: "text or json.")
    var format = OutputFormat.text

    func run() throws {
        var pipeline = try loadPipeline(pipeline)
        pipeline.settleForDerivedSecret(quietly: true)
        let partitions = StateDirectory.partitions(in: state)
        guard !partitions.isEmpty else { throw failure(Exit.noInput, "\(state): no state is kept here") }
        for partition in partitions {
            let file = StateDirectory.file(in: state, partition: partition)
            do {
                let engine = try restore(file, pipeline)
                let actions = pipeline.plan.rules.flatMap(\.conditions.actions).filter { !$0.contains { "*?".contains($0) } }
                if let profile = engine.profile(tenant: tenant, user: user, actionNames: actions) {
                    show(profile, partition: partition)
                    return
                }
            } catch let error as StoreError {
                throw failure(error.kind == .foreign ? Exit.configuration : Exit.io, "\(error)")
            }
        }
        throw failure(Exit.findings, "no user of that name\(tenant.isEmpty ? "; is there a --tenant?" : " in that tenant")")
    }

    private func restore(_ file: String, _ pipeline: Pipeline) throws -> Engine {
        let identity = try StateStore.identity(of: file)
        var plan = pipeline.plan
        plan.inputs = identity.topics.map { InputPlan(topic: $0) }
        let engine = Engine(plan: plan)
        guard identity.pipeline == plan.name, identity.state == engine.stateIdentity else {
            throw StoreError(
                .foreign, file: file,
                "it is the state of pipeline \(identity.pipeline), or was written with another secret: name the pipeline "
                    + "with --pipeline and set VIGIL_SECRET as it was")
        }
        try StateStore.read(file: file, into: engine)
        return engine
    }

    private func show(_ profile: Profile, partition: Int32) {
        switch format {
        case .json: Output.json(ProfileRecord(profile, partition: partition))
        case .text: for line in profileLines(profile) { Output.line(line) }
        }
    }
}
