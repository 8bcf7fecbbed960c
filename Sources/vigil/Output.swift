import Foundation
import Glibc

/// Standard output and error without a buffer that a kill would lose.
enum Output {
    /// A line on standard output.
    static func line(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    /// A line on standard error.
    static func error(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// False when nobody can read it any more.
    @discardableResult
    static func write(_ text: String, to descriptor: Int32) -> Bool {
        var text = text
        return text.withUTF8 { write(UnsafeRawBufferPointer($0), to: descriptor) }
    }

    /// False when it can't all be written; `errno` says why.
    @discardableResult
    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
        var rest = bytes
        while let base = rest.baseAddress, !rest.isEmpty {
            let count = Glibc.write(descriptor, base, rest.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return false }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        return true
    }

    /// One JSON value on standard output, keys in order.
    static func json(_ value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { return }
        line(String(decoding: data, as: UTF8.self))
    }
}

/// What the terminal behind a descriptor can do.
struct Terminal {
    var isInteractive: Bool
    var hasColour: Bool

    init(_ descriptor: Int32) {
        let environment = ProcessInfo.processInfo.environment
        isInteractive = isatty(descriptor) == 1 && environment["TERM"] != "dumb"
        // https://no-color.org: present and not empty.
        hasColour = isInteractive && (environment["NO_COLOR"] ?? "").isEmpty
    }

    static var output: Terminal { Terminal(STDOUT_FILENO) }
    static var error: Terminal { Terminal(STDERR_FILENO) }

    enum Colour: Int { case red = 31, green, yellow, blue, magenta, cyan, grey = 90 }

    func paint(_ text: String, _ colour: Colour?, bold: Bool = false) -> String {
        guard hasColour, colour != nil || bold else { return text }
        let codes = (bold ? ["1"] : []) + (colour.map { ["\($0.rawValue)"] } ?? [])
        return "\u{1B}[\(codes.joined(separator: ";"))m\(text)\u{1B}[0m"
    }

    /// Rows and columns of the terminal behind standard output; 24 and 80 where it doesn't say.
    static var size: (rows: Int, columns: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0 else { return (24, 80) }
        return (Int(size.ws_row), Int(size.ws_col))
    }
}

/// Text from a stream as one harmless line: nothing in it can move a cursor.
func printable(_ text: String, atMost length: Int = 120) -> String {
    let clean = text.unicodeScalars.map { scalar -> Character in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: "\u{FFFD}"
        default: Character(scalar)
        }
    }
    return clean.count <= length ? String(clean) : String(clean.prefix(length - 1)) + "…"
}

/// A whole number with thin groups of three: 1 234 567.
func grouped(_ number: some BinaryInteger) -> String {
    let digits = String(number)
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return text
}

/// A number with a fixed count of decimals.
func fixed(_ value: Double, _ decimals: Int) -> String { String(format: "%.\(decimals)f", value) }
