import Engine
import Events
import Policy

/// How the parts of a test fit together, and with the rest of the file.
extension Checks {
    /// - Parameter policy: what the rules of the file and of its shadow policies have become.
    static func tests(_ draft: inout Draft, _ policy: PolicyReading, _ reader: inout Reader) {
        var lines: [String: Int] = [:]
        for index in draft.pipeline.tests.indices {
            let path = "tests[\(index)]"
            var test = draft.pipeline.tests[index]
            if let line = lines[test.name], !test.name.isEmpty {
                reader.report(
                    at: path + ".name", "test.duplicate",
                    "a test of this name is already on line \(line); names of tests are unique")
            }
            lines[test.name] = lines[test.name] ?? reader.places[path + ".name"]?.line
            for number in test.given.indices {
                let history = test.given[number]
                if history.days != .all, history.every % (7 * 86_400_000) == 0 {
                    reader.report(
                        at: "\(path).given[\(number)].days", "test.step",
                        "every time is on the same day of the week, which `days` may leave out for good: leave out `days`, or let `every` be `1d`")
                }
                for position in test.given[number].steps.indices {
                    let place = "\(path).given[\(number)].steps[\(position)]"
                    happening(&test.given[number].steps[position], of: test, place, draft, &reader)
                }
            }
            var known: [String] = []
            for position in test.steps.indices {
                let place = "\(path).steps[\(position)]"
                happening(&test.steps[position], of: test, place, draft, &reader)
                let step = test.steps[position]
                references(of: step, known, place, &reader)
                if let expect = step.expect { expectation(expect, place + ".expect", draft, policy, &reader) }
                guard let id = step.id else { continue }
                if known.contains(id) {
                    reader.report(at: place + ".id", "test.duplicate", "an earlier step of the test has this id")
                }
                known.append(id)
            }
            draft.pipeline.tests[index] = test
        }
    }

    private static func happening(
        _ step: inout TestStep, of test: PipelineTest, _ path: String, _ draft: Draft, _ reader: inout Reader
    ) {
        if step.isBroken { return }
        guard step.kinds == 1 else {
            let verbs = TestStep.Kind.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
            reader.report(at: path, "test.step", "`\(path)` is \(step.kinds == 0 ? "none" : "several") of \(verbs); a step is one")
            return
        }
        switch step.kind {
        case .login, .action, .event:
            if test.user(of: step) == nil {
                reader.report(at: path, "test.step", "`\(path)` names no `user`, and neither does the test's `as`")
            }
        case .record:
            if !step.with.isEmpty {
                reader.report(at: path + ".with", "test.step", "`with` adds nothing to a record: write it into the record itself")
            }
            source(of: &step, path, draft, &reader)
        case .answer, .feedback: break
        }
    }

    private static func source(of step: inout TestStep, _ path: String, _ draft: Draft, _ reader: inout Reader) {
        let mapped = draft.sources.indices.filter { !draft.sources[$0].value.map.isEmpty }
        let names = mapped.map { draft.sources[$0].key }
        if let name = step.source {
            guard let found = mapped.first(where: { draft.sources[$0].key == name }) else {
                reader.report(
                    reader.places[path + ".source"] ?? step.place, "test.unknown",
                    "`sources` has no `\(printable(name))` that maps records; where nothing is mapped, write the event",
                    suggestion: nearest(to: name, among: names))
                return
            }
            step.input = found
        } else if mapped.count == 1 {
            step.input = mapped[0]
        } else {
            let choice = mapped.isEmpty ? "no source maps any" : "`source` is one of " + names.joined(separator: ", ")
            reader.report(at: path, "test.step", "`\(path)` doesn't say whose record it is: \(choice)")
        }
    }

    private static func references(of step: TestStep, _ known: [String], _ path: String, _ reader: inout Reader) {
        for (kind, to) in [(TestStep.Kind.answer, step.answer.to), (.feedback, step.feedback.to)] {
            guard step.kind == kind, let to, !known.contains(to) else { continue }
            reader.report(
                reader.places["\(path).\(kind.rawValue).to"] ?? step.place, "test.unknown",
                "no earlier step of the test has the id `\(printable(to))`", suggestion: nearest(to: to, among: known))
        }
    }

    private static func expectation(
        _ expect: TestExpectation, _ path: String, _ draft: Draft, _ policy: PolicyReading, _ reader: inout Reader
    ) {
        interval(expect.score, path: path + ".score", &reader)
        let rules = policy.rules
        func check(_ name: String, at place: String, among known: [String], _ what: String) {
            guard !known.contains(name) else { return }
            let position = reader.places[place] ?? reader.places[path] ?? expect.place
            reader.report(
                position, "test.unknown", "no \(what) is called `\(printable(name))`", suggestion: nearest(to: name, among: known))
        }
        if let rule = expect.rule, !rule.isEmpty {
            check(rule, at: path + ".rule", among: rules.filter { $0.mode == .enforce }.map(\.name) + EnginePlan.reasons, "enforced rule")
        }
        let reporting = rules.filter { $0.mode == .report }.map(\.name)
        for (index, objection) in (expect.shadow ?? []).enumerated() {
            let places = ["\(path).shadow[\(index)]", "\(path).shadow.\(objection.name)"]
            let place = places.first { reader.places[$0] != nil } ?? path + ".shadow"
            guard let name = objection.policy else {
                check(objection.rule, at: place, among: reporting, "report-only rule")
                continue
            }
            check(name, at: place, among: draft.policy.shadows.map(\.name), "shadow policy")
            // One whose file can't be read has been reported.
            guard let shadow = policy.shadows.first(where: { $0.name == name }) else { continue }
            check(objection.rule, at: place, among: shadow.rules.map(\.name) + ["otherwise"], "rule of `\(printable(name))`")
        }
    }
}
