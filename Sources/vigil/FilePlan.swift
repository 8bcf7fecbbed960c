import ArgumentParser
import Engine
import Events
import PipelineSpec
import Runtime

extension Pipeline {
    /// The plan for a file, which is one input: each line says its own type, or all lines are as on the one topic that is
    /// named. Records of a file have no keys.
    func filePlan(source: String?) throws(ExitCode) -> EnginePlan {
        var plan = plan
        var input = InputPlan(topic: "events")
        if let source {
            guard let found = plan.inputs.first(where: { $0.topic == source }) else {
                throw failure(
                    Exit.usage,
                    "--source \(source): the pipeline reads \(plan.inputs.map(\.topic).joined(separator: ", "))")
            }
            input = found
        } else if plan.inputs.count == 1 {
            input = plan.inputs[0]
        } else if let mapped = plan.inputs.first(where: { !$0.decode.mapping.isEmpty }) {
            throw failure(
                Exit.usage,
                "the pipeline maps the records of \(mapped.topic) from another form: say with --source whose records the file holds")
        } else if let bounds = plan.inputs.first?.decode.bounds {
            input.decode.bounds = bounds
        }
        input.decode.requiresKey = false
        plan.inputs = [input]
        return plan
    }
}
