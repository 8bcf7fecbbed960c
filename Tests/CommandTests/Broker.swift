import Foundation

let kcat = find("kcat")
/// A broker with transactions, `host:port`; nil where there is none to test with.
let realKafka = ProcessInfo.processInfo.environment["VIGIL_TEST_KAFKA"]

/// Topics of some broker, seen by kcat.
struct Topics {
    var broker: String

    /// Produces one record a line; `key<TAB>value` where the records have keys.
    func produce(_ records: [String], to topic: String, keyed: Bool = true) throws {
        let key = keyed ? ["-X", "partitioner=murmur2_random", "-K", "\t"] : []
        let result = try Started(
            kcat ?? "", ["-P", "-b", broker, "-t", topic] + key, input: records.joined(separator: "\n") + "\n").wait()
        guard result.status == 0 else { throw Overdue(description: "producing to \(topic): \(result.error)") }
    }

    /// Everything committed that a topic holds now, a line each.
    func lines(of topic: String, format: String = "%s\n") throws -> [String] {
        let result = try Started(
            kcat ?? "",
            ["-C", "-q", "-b", broker, "-t", topic, "-o", "beginning", "-e", "-X", "isolation.level=read_committed", "-f", format]
        ).wait()
        return result.output.split(separator: "\n").map(String.init)
    }

    /// Waits until a topic holds so many, and returns them.
    func wait(for count: Int, in topic: String, format: String = "%s\n", seconds: Double = 60) throws -> [String] {
        var found: [String] = []
        try until(seconds, "\(count) records in \(topic), which has \(found.count)") {
            found = try lines(of: topic, format: format)
            return found.count >= count
        }
        return found
    }
}

/// A login of somebody.
func login(_ user: String, _ number: Int, tenant: String? = nil) -> String {
    let tenant = tenant.map { #""tenant":"\#($0)","# } ?? ""
    return #"{"id":"\#(user)-\#(number)","type":"login","time":"2026-11-\#(10 + number)T09:00:00Z",\#(tenant)"user":"\#(user)","#
        + #""session":"s-\#(number)","outcome":"success","device":{"id":"laptop"}}"#
}
