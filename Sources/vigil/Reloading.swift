import Foundation
import Glibc
import Logging
import PipelineSpec
import Runtime

/// Keeps a running service to its pipeline file: what the file, or one that it names, has become is validated beside the
/// data path and swapped in; what can't be used is refused, and the pipeline before stays.
///
/// Files are looked at by inode, size and times, so renaming another file over one counts as writing it. A change counts
/// once it has stood for one look, or half a file would be read.
final class Reloading {
    /// What a file looks like from outside; zero where there is none.
    struct Stamp: Equatable {
        var inode: UInt64 = 0
        var bytes: Int64 = 0
        var seconds = 0
        var nanoseconds = 0
        /// When its content, name or permissions changed: what may be read only now is a change, and so is what kept its time.
        var changedSeconds = 0
        var changedNanoseconds = 0

        init(of path: String) {
            var info = stat()
            guard stat(path, &info) == 0 else { return }
            (inode, bytes) = (UInt64(info.st_ino), Int64(info.st_size))
            (seconds, nanoseconds) = (info.st_mtim.tv_sec, info.st_mtim.tv_nsec)
            (changedSeconds, changedNanoseconds) = (info.st_ctim.tv_sec, info.st_ctim.tv_nsec)
        }
    }

    /// Milliseconds between two looks at the files.
    static let lookMilliseconds = 500

    private let file: String
    private let request: ReloadRequest
    private let group: ShardGroup
    private let logger: Logger
    /// As the files said last, as far as it could be used.
    private var wanted: Pipeline
    private var stamps: [String: Stamp]
    /// As of the last look, where that was another.
    private var changed: [String: Stamp]?
    private var isRefused = false
    private var isUnderWay = false
    private var refusals = 0

    /// `running` is what `file` held when the files it was read from had these stamps.
    init(
        _ file: String, _ stamps: [String: Stamp], running: Pipeline, group: ShardGroup, request: ReloadRequest,
        logger: Logger
    ) {
        self.file = file
        self.group = group
        self.request = request
        self.logger = logger
        wanted = running
        self.stamps = stamps
    }

    static func stamps(of files: some Sequence<String>) -> [String: Stamp] {
        Dictionary(files.map { ($0, Stamp(of: $0)) }) { first, _ in first }
    }

    /// Reloads where that was asked for, or a file has changed. To be called every `lookMilliseconds`.
    func look() {
        if isUnderWay, Set(group.status().map(\.policy)) == [wanted.plan.version] {
            isUnderWay = false
            logger.notice("the changed pipeline is in force in all shards", metadata: policy)
        }
        let now = Self.stamps(of: stamps.keys)
        let isSettled = now != stamps && now == changed
        changed = now == stamps ? nil : now
        guard request.take() || isSettled else { return }
        changed = nil
        reload(now)
    }

    private func reload(_ seen: [String: Stamp]) {
        var files: [String] = []
        var loaded: Pipeline?
        do {
            loaded = try PipelineFile.load(
                path: file, environment: ProcessInfo.processInfo.environment, files: &files)
        } catch {
            Output.error(error.description)
        }
        // As they were before they were read: what is written meanwhile is a change. Where the file can't be used, those
        // that the one before named are still looked at.
        let old = loaded == nil ? Array(seen.keys) : []
        stamps = Self.stamps(of: files + old).merging(seen.filter { files.contains($0.key) || old.contains($0.key) }) { $1 }
        guard let loaded else { return refuse() }
        for warning in loaded.warnings { Output.error(warning.description) }
        let obstacles = loaded.obstacles(after: wanted)
        guard obstacles.isEmpty else {
            for obstacle in obstacles { Output.error(obstacle.description) }
            return refuse()
        }
        isRefused = false
        guard loaded.plan.version != wanted.plan.version else {
            logger.notice("the pipeline file was read again and means the same", metadata: policy)
            return
        }
        var next = loaded
        // A secret that the file doesn't give was derived at start.
        next.plan.secret = wanted.plan.secret
        guard next.plan.canFollow(wanted.plan) else {
            Output.error("\(file): error[reload.restart]: what is kept of users means something else under it: restart to change it")
            return refuse()
        }
        wanted = next
        isUnderWay = true
        logger.notice(
            "the pipeline file has changed; it is in force when what was decided before is written", metadata: policy)
        group.adopt(wanted.plan) { loaded.makeEnrichment() }
    }

    private func refuse() {
        isRefused = true
        refusals += 1
        logger.error("the changed pipeline file is refused; the one before stays in force", metadata: policy)
    }

    private var policy: Logger.Metadata { ["policy": "\(wanted.plan.version)"] }

    /// What the status line says of it. `shards` are those that answered.
    func describe(_ shards: [ShardStatus], in line: inout Logger.Metadata) {
        let versions = Set(shards.map(\.policy))
        line["policy"] = "\(versions.sorted().joined(separator: ","))"
        if isRefused {
            line["reload"] = "refused"
        } else if !versions.isSubset(of: [wanted.plan.version]) {
            line["reload"] = "pending"
        }
        let reloads = shards.map(\.counters.reloads).max() ?? 0
        if reloads > 0 { line["reloads"] = "\(reloads)" }
        if refusals > 0 { line["reloads_refused"] = "\(refusals)" }
    }
}
