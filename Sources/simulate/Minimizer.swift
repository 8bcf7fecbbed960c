import Runtime
import VigilTesting

/// Finds out how little must go wrong for a seed to fail.
struct Minimizer {
    let settings: Settings

    struct Least {
        var settings: Settings
        /// What went wrong, by name.
        var needs: String
        var problem: String
    }

    /// Takes chances for misfortune away, by halves and then one at a time, for as long as the seed still fails, and with a
    /// mutant doesn't fail without it.
    func run(_ seed: UInt64) -> Least {
        var least = settings
        let all = Worker(settings: settings)
        let first = all.run(seed)
        var kept = Array(settings.only?.sorted() ?? Array(1..<max(2, first.chances + 1)))
        var size = max(1, kept.count / 2)
        while !kept.isEmpty {
            var removed = false
            var start = 0
            while start < kept.count {
                var tried = least
                let rest = Array(kept[..<start] + kept[min(kept.count, start + size)...])
                tried.only = Set(rest)
                if fails(seed, tried) {
                    (kept, least, removed) = (rest, tried, true)
                } else {
                    start += size
                }
            }
            if size == 1 && !removed { break }
            size = max(1, size / 2)
        }
        var paged = least
        paged.sparesPaging = true
        if fails(seed, paged) { least = paged }
        let report = Worker(settings: least).run(seed)
        let names = Misfortune.allCases.compactMap { misfortune in
            report.faults[misfortune].map { $0 > 1 ? "\($0) × \(misfortune.rawValue)" : misfortune.rawValue }
        } + (least.sparesPaging ? [] : ["paging"])
        return Least(
            settings: least, needs: names.isEmpty ? "no misfortune" : names.joined(separator: ", "),
            problem: report.problems.first ?? "nothing")
    }

    private func fails(_ seed: UInt64, _ settings: Settings) -> Bool {
        guard !Worker(settings: settings).run(seed).problems.isEmpty else { return false }
        guard settings.mutant != nil else { return true }
        var without = settings
        without.mutant = nil
        return Worker(settings: without).run(seed).problems.isEmpty
    }
}
