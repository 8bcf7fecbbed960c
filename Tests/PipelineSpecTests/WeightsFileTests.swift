import Foundation
import Risk
import Testing

@testable import PipelineSpec

@Suite struct WeightsFileTests {
    /// A folder with a pipeline and a file of weights beside it.
    private func load(_ model: String, weights: String?) throws(Diagnostics) -> Pipeline {
        let folder = NSTemporaryDirectory() + "/vigil-weights-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        if let weights { try? weights.write(toFile: folder + "/w.yaml", atomically: false, encoding: .utf8) }
        try? "name: p\nmodel: \(model)\n".write(toFile: folder + "/p.yaml", atomically: false, encoding: .utf8)
        return try PipelineFile.load(path: folder + "/p.yaml", environment: [:])
    }

    private func found(_ model: String, weights: String?) -> [Diagnostic] {
        do {
            _ = try load(model, weights: weights)
            return []
        } catch {
            return error.all
        }
    }

    private func option(_ pipeline: Pipeline, _ signal: Signal) -> SignalOptions {
        pipeline.plan.model.signals[Int(signal.rawValue)]
    }

    @Test func theFileComesBeforeWhatThePipelineSays() throws {
        let weights = "base: -60\nsignals: { device.new: 2, place.new: 0.5 }\n"
        let plain = try load("{ weights: w.yaml }", weights: weights)
        #expect(plain.plan.model.base == -60)
        #expect(option(plain, .deviceNew).weight == 2)
        #expect(option(plain, .placeNew).weight == 0.5)
        #expect(option(plain, .timeUnusual) == ModelOptions().signals[Int(Signal.timeUnusual.rawValue)])
        let own = try load("{ base: -50, signals: { device.new: { weight: 3 } }, weights: w.yaml }", weights: weights)
        #expect(own.plan.model.base == -50)
        #expect(option(own, .deviceNew).weight == 3)
        #expect(option(own, .placeNew).weight == 0.5)
        #expect(try load("{ weights: null }", weights: nil).plan.model == ModelOptions())
    }

    /// A slope is a factor on weights and caps alike, so that points still add up.
    @Test func calibrationScalesWeightsAndCaps() throws {
        let pipeline = try load(
            "{ weights: w.yaml }", weights: "base: -40\nsignals: { device.new: 2 }\ncalibration: { slope: 0.5, offset: 1 }\n")
        let standard = ModelOptions()
        let model = pipeline.plan.model
        #expect(model.base == -10)
        #expect(option(pipeline, .deviceNew).weight == 1)
        #expect(option(pipeline, .deviceNew).cap == standard.signals[Int(Signal.deviceNew.rawValue)].cap / 2)
        #expect(model.groupCaps == standard.groupCaps.map { $0 / 2 })
        #expect(model.reassuranceCap == standard.reassuranceCap / 2)
    }

    @Test func theVersionCoversWhatTheFileHolds() throws {
        let first = try load("{ weights: w.yaml }", weights: "signals: { device.new: 2 }\n")
        let commented = try load("{ weights: w.yaml }", weights: "# fitted\nsignals: { device.new: 2.0 }\n")
        let second = try load("{ weights: w.yaml }", weights: "signals: { device.new: 2.1 }\n")
        #expect(first.plan.version == commented.plan.version)
        #expect(first.plan.version != second.plan.version)
    }

    @Test func problemsAreNamedWhereTheyAre() {
        let missing = found("{ weights: w.yaml }", weights: nil)
        #expect(missing.map(\.code) == ["file.missing"])
        #expect(missing.first?.line == 2 && missing.first?.column == 19)
        #expect(missing.first?.file.hasSuffix("p.yaml") == true)
        let wrong = found("{ weights: w.yaml }", weights: "base: 3\nsignals: { device.mew: 1, place.new: -1 }\n")
        #expect(wrong.map(\.code).sorted() == ["key.unknown", "value.range", "value.range"])
        #expect(wrong.allSatisfy { $0.file.hasSuffix("w.yaml") })
        #expect(wrong.contains { $0.suggestion == "device.new" })
        #expect(found("{ weights: [a] }", weights: nil).map(\.code) == ["value.type"])
    }
}
