import Foundation
import Glibc
import Synchronization

/// The directory of a process's state files, one SQLite file for each partition, held under a lock so that two
/// processes can't write to it.
public final class StateDirectory: Sendable {
    public let path: String
    /// A name for whoever works in this directory, the same after a restart: made at random when the directory is.
    public let identity: String
    private let lockDescriptor: Int32
    private let claimed = Mutex<Set<Int32>>([])

    /// Makes the directory where it is missing and locks it. Throws `StoreError` of kind `.busy` when another process
    /// has it.
    public init(path: String) throws(StoreError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true,
                // Rows hold names.
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw StoreError(.failed, file: path, "can't make the state directory: \(String(cString: strerror(errno)))")
        }
        let lock = path + "/lock"
        let descriptor = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StoreError(.failed, file: lock, "can't open the lock file: \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            Glibc.close(descriptor)
            throw code == EWOULDBLOCK
                ? StoreError(.busy, file: path, "another process is using this state directory; stop it or name another")
                : StoreError(.failed, file: lock, "can't lock: \(String(cString: strerror(code)))")
        }
        self.path = path
        lockDescriptor = descriptor
        identity = try Self.identity(in: path + "/identity")
    }

    private static func identity(in file: String) throws(StoreError) -> String {
        if let kept = try? String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines),
            kept.utf8.count == 12, kept.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        { return kept }
        let made = String(UUID().uuidString.lowercased().filter { $0 != "-" }.prefix(12))
        do {
            try made.write(toFile: file, atomically: true, encoding: .utf8)
        } catch {
            throw StoreError(.failed, file: file, "can't be written: \(String(cString: strerror(errno)))")
        }
        return made
    }

    deinit { Glibc.close(lockDescriptor) }

    /// The file of one partition.
    public func file(partition: Int32) -> String { Self.file(in: path, partition: partition) }

    /// The file of one partition in a directory that is not opened (for reading only).
    public static func file(in path: String, partition: Int32) -> String { "\(path)/partition-\(partition).sqlite" }

    /// Partitions that have a file in the directory, ascending.
    public static func partitions(in path: String) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.compactMap { name in
            guard name.hasPrefix("partition-"), name.hasSuffix(".sqlite") else { return nil }
            return Int32(name.dropFirst("partition-".count).dropLast(".sqlite".count))
        }.sorted()
    }

    /// Takes a partition's file for one shard; false while another shard of this process still has it.
    public func claim(partition: Int32) -> Bool { claimed.withLock { $0.insert(partition).inserted } }

    /// Gives a partition's file back.
    public func release(partition: Int32) { claimed.withLock { _ = $0.remove(partition) } }

    /// Renames a partition's file, with what SQLite keeps beside it, out of the way and returns its new name.
    public func setAside(partition: Int32) throws(StoreError) -> String {
        let file = file(partition: partition)
        var number = 1
        while access("\(file).set-aside-\(number)", F_OK) == 0 { number += 1 }
        let target = "\(file).set-aside-\(number)"
        for suffix in ["-wal", "-shm", ""] where access(file + suffix, F_OK) == 0 {
            guard rename(file + suffix, target + suffix) == 0 else {
                throw StoreError(.failed, file: file + suffix, "can't set it aside: \(String(cString: strerror(errno)))")
            }
        }
        return target
    }
}
