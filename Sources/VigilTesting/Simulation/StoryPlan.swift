import Behavior
import Engine
import Events
import Policy

extension Story {
    /// A pipeline in which much happens with few people: small bounds, so that rows fill and users are evicted, and rules
    /// that ask, deny and terminate often.
    public static func plan(inputs: Int) -> EnginePlan {
        var plan = EnginePlan()
        plan.name = "story"
        plan.version = "sha256:story"
        plan.secret = Array("a secret of the simulation, 32 b".utf8)
        plan.emit = .all
        plan.inputs = (0..<inputs).map { InputPlan(topic: ["logins", "actions", "challenges"][$0]) }
        plan.bounds.usersPerPartition = 6
        plan.bounds.unprovenPerPartition = 4
        plan.bounds.devices = 2
        plan.bounds.networks = 3
        plan.bounds.places = 2
        plan.bounds.actions = 3
        plan.bounds.sessions = 2
        plan.bounds.challenges = 2
        (plan.bounds.sharedNetworks, plan.bounds.sharedValues) = (16, 16)

        var large = Rule(name: "large-transfer", verdict: .stepUp)
        large.conditions.actions = ["transfer.*"]
        large.conditions.amount = Interval(atLeast: 1_200)
        var critical = Rule(name: "critical", verdict: .terminateSession)
        critical.conditions.levels = [.critical]
        var high = Rule(name: "high", verdict: .deny)
        high.conditions.levels = [.high]
        high.conditions.types = [.action]
        var medium = Rule(name: "medium", verdict: .stepUp)
        medium.conditions.score = Interval(atLeast: 8)
        var watched = Rule(name: "watched", verdict: .deny)
        watched.conditions.actions = ["profile.*"]
        watched.mode = .report
        var mistake = Rule(name: "mistake", verdict: .stepUp)
        mistake.conditions.actions = ["view.item"]
        mistake.conditions.confidence = [.established]
        plan.rules = [critical, high, watched, large, medium, mistake]
        // Few people, soon established: the breaker opens and budgets are spent.
        (plan.model.partialSamples, plan.model.establishedSamples) = (1, 2)
        (plan.breaker.share, plan.breaker.leastUsers, plan.breaker.relax) = (0.2, 1, ["medium", "mistake"])
        plan.breaker.duration = 3_600_000
        plan.challenges.perHour = 3
        return plan
    }

    /// Pipelines that may take each other's place while it runs: the one above, and two that judge otherwise, keep other
    /// times and ask other questions.
    public static func plans(inputs: Int) -> [EnginePlan] {
        let plan = plan(inputs: inputs)
        var strict = plan
        strict.version = "sha256:strict"
        strict.fallback = .deny
        (strict.model.mediumScore, strict.model.highScore, strict.model.criticalScore) = (4, 20, 60)
        strict.windows.sessionGap /= 3
        strict.windows.allowedLateness /= 2
        strict.rules.removeLast(2)
        strict.rules[0].verdict = .deny
        var lax = plan
        lax.version = "sha256:lax"
        lax.model.base -= 20
        lax.windows.halfLife /= 60
        lax.windows.allowedSkew *= 4
        lax.rules = lax.rules.reversed()
        for rule in lax.rules.indices { lax.rules[rule].stepUp.methods = [.totp] }
        return [plan, strict, lax]
    }
}
