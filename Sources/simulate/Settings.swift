import Runtime
import VigilTesting

/// What makes a run of a seed what it is.
struct Settings: Sendable {
    var events = SimulationOptions().events
    var isExact = true
    var spared: Set<Misfortune> = []
    var sparesPaging = false
    var only: Set<Int>?
    var mutant: Mutant?

    var options: SimulationOptions {
        var options = SimulationOptions()
        options.events = events
        options.isExact = isExact
        options.spared = spared
        options.sparesPaging = sparesPaging
        options.only = only
        return options
    }

    /// The words of the command line that say the same.
    var flags: [String] {
        var flags: [String] = []
        if events != SimulationOptions().events { flags += ["--events", String(events)] }
        if !isExact { flags.append("--at-least-once") }
        let names = Misfortune.allCases.filter { spared.contains($0) }.map(\.rawValue) + (sparesPaging ? ["paging"] : [])
        if !names.isEmpty { flags += ["--spare", names.joined(separator: ",")] }
        if let only { flags += ["--only", only.isEmpty ? "none" : only.sorted().map(String.init).joined(separator: ",")] }
        if let mutant { flags += ["--mutant", mutant.rawValue] }
        return flags
    }

    /// The command that shows a seed again.
    func command(_ seed: UInt64) -> String { (["simulate", "--seed", String(seed)] + flags).joined(separator: " ") }
}
