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
        case .text: for line in text(profile) { Output.line(line) }
        }
    }

    private func text(_ profile: Profile) -> [String] {
        let name = profile.tenant.isEmpty ? profile.user : "\(profile.tenant)/\(profile.user)"
        var lines = [
            printable(name),
            "  baseline     \(profile.confidence.name), \(fixed(profile.contexts, 1)) learned sessions and logins (decayed)",
            "  last level   \(profile.level.name)",
            "  seen         \(text(profile.firstSeen)) to \(text(profile.lastSeen))",
            "  now          \(profile.sessions) sessions remembered, \(profile.openChallenges) open challenges, \(profile.held) observations held back",
        ]
        for (title, habits) in [
            ("devices", profile.devices), ("networks", profile.networks), ("places", profile.places),
            ("actions", profile.actions),
        ] where !habits.isEmpty {
            let total = max(habits.reduce(0) { $0 + $1.weight }, .leastNonzeroMagnitude)
            lines.append("  \(title)")
            let rows = habits.map { habit in
                [
                    "    " + printable(habit.name), fixed(100 * habit.weight / total, 0) + " %", fixed(habit.weight, 1),
                    habit.lastSeen.map { "last " + text($0) } ?? "",
                ]
            }
            lines += aligned(rows)
        }
        if !profile.hours.isEmpty {
            let most = max(profile.hours.max() ?? 0, .leastNonzeroMagnitude)
            let bars = Array("▁▂▃▄▅▆▇█")
            lines.append("  hours (UTC)  " + String(profile.hours.map { bars[min(7, Int($0 / most * 7.99))] }) + "  0 to 23")
        }
        if let amount = profile.typicalAmount {
            lines.append("  amounts      typically \(fixed(amount, 2)), \(fixed(profile.amounts, 1)) seen (decayed)")
        }
        let absorbed = profile.absorbed.filter { $0.offset >= 0 }.map { "\($0.topic) \($0.offset)" }
        lines.append("  absorbed     up to offset: \(absorbed.isEmpty ? "none" : absorbed.joined(separator: ", "))")
        lines.append("  state        \(profile.stateBytes) bytes")
        return lines
    }

    private func text(_ time: Timestamp) -> String {
        time < .earliest
            ? "never" : Date(timeIntervalSince1970: Double(time.milliseconds) / 1000).formatted(.iso8601)
    }
}

/// A profile as JSON; times are epoch milliseconds.
private struct ProfileRecord: Encodable {
    struct Habit: Encodable {
        var name: String
        var weight: Double
        var lastSeen: Int64?
        init(_ habit: Profile.Habit) {
            name = habit.name
            weight = habit.weight
            lastSeen = habit.lastSeen?.milliseconds
        }
    }
    var tenant: String
    var user: String
    var partition: Int32
    var confidence: String
    var level: String
    var contexts: Double
    var firstSeen: Int64
    var lastSeen: Int64
    var devices: [Habit]
    var networks: [Habit]
    var places: [Habit]
    var actions: [Habit]
    var hours: [Double]
    var sessions: Int
    var openChallenges: Int
    var held: Int
    var typicalAmount: Double?
    var amounts: Double
    var stateBytes: Int
    var absorbed: [String: Int64]

    init(_ profile: Profile, partition: Int32) {
        tenant = profile.tenant
        user = profile.user
        self.partition = partition
        confidence = profile.confidence.name.description
        level = profile.level.name.description
        contexts = profile.contexts
        firstSeen = profile.firstSeen.milliseconds
        lastSeen = profile.lastSeen.milliseconds
        devices = profile.devices.map(Habit.init)
        networks = profile.networks.map(Habit.init)
        places = profile.places.map(Habit.init)
        actions = profile.actions.map(Habit.init)
        hours = profile.hours
        sessions = profile.sessions
        openChallenges = profile.openChallenges
        held = profile.held
        typicalAmount = profile.typicalAmount
        amounts = profile.amounts
        stateBytes = profile.stateBytes
        absorbed = Dictionary(profile.absorbed.map { ($0.topic, $0.offset) }, uniquingKeysWith: { $1 })
    }
}
