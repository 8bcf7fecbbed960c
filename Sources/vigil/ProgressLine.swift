import Glibc
import Runtime

/// One line on standard error that shows how far a long reading has come; nothing where that is no terminal.
struct ProgressLine {
    private let terminal = Terminal.error
    private let begin = SystemClock().milliseconds

    var isShown: Bool { terminal.isInteractive }

    /// - Parameter share: of the whole, 0…1; nil where that isn't known.
    func draw(lines: Int, share: Double?) {
        guard isShown else { return }
        let seconds = max(Double(SystemClock().milliseconds - begin) / 1000, 0.001)
        var line = "\(grouped(lines)) lines, \(grouped(Int(Double(lines) / seconds)))/s"
        if let share {
            let filled = Int(min(max(share, 0), 1) * 30)
            let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
            line = "\(terminal.paint(bar, .green)) \(fixed(share * 100, 0)) %  \(line)"
        }
        Output.write("\r\u{1B}[K" + line, to: STDERR_FILENO)
    }

    /// Takes the line away.
    func clear() {
        if isShown { Output.write("\r\u{1B}[K", to: STDERR_FILENO) }
    }
}
