import Foundation
import Testing

@testable import PipelineSpec

/// The diagnostics of `text`, each as `line:col code`.
func problems(_ text: String, environment: [String: String] = [:]) -> [String] {
    diagnostics(text, environment: environment).map { "\($0.line):\($0.column) \($0.code)" }
}

/// Errors, or else warnings.
func diagnostics(_ text: String, environment: [String: String] = [:]) -> [Diagnostic] {
    do {
        return try PipelineFile.parse(text: text, file: "p.yaml", environment: environment).warnings
    } catch {
        return error.all
    }
}

func messages(_ text: String, environment: [String: String] = [:]) -> [String] {
    diagnostics(text, environment: environment).map(\.description)
}

func parse(_ text: String, environment: [String: String] = [:]) throws -> Pipeline {
    try PipelineFile.parse(text: text, file: "p.yaml", environment: environment)
}

let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

func contents(_ path: String) throws -> String {
    try String(contentsOf: repository.appendingPathComponent(path), encoding: .utf8)
}

let shipped = ["continuous-authorization", "banking", "admin-console"]
