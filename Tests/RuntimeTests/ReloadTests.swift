import Engine
import Events
import Runtime
import StateStore
import Testing
@testable import VigilTesting

/// Plans that change under a shard at work.
@Suite struct ReloadTests {
    let plans = Story.plans(inputs: 1)

    /// Tells the shard of another plan and turns until it is in force.
    func change(_ deployment: Deployment, to plan: EnginePlan) throws {
        deployment.settings.plan = plan
        let shard = try #require(deployment.shard)
        shard.adopt(plan, enrichment: EventEnrichment())
        #expect(shard.status().policy != plan.version)
        for _ in 0..<100 where shard.status().policy != plan.version {
            if let problem = deployment.turn() { throw LogFailure.stop(problem) }
        }
        #expect(shard.status().policy == plan.version)
    }

    @Test func aDeathAfterTheSwapRedoesNothingOfBefore() throws {
        let deployment = Deployment(seed: 61)
        deployment.plans = plans
        // Nobody would be written by themselves.
        deployment.settings.options.checkpointMilliseconds = 1_000_000
        for plan in [plans[1], plans[2], plans[0]] {
            deployment.feed(60)
            try deployment.run()
            try change(deployment, to: plan)
            deployment.feed(40)
            try deployment.run()
            deployment.kill()
            try deployment.run()
            #expect(try #require(deployment.shard).counters.crossed == 0)
        }
        #expect(deployment.heard.count("decided by another version") == 0)
        deployment.checkDecisions()
    }

    @Test func aDeathBeforeTheSwapIsSaid() throws {
        let deployment = Deployment(seed: 62, partitions: 1)
        deployment.settings.options.checkpointMilliseconds = 1_000_000
        deployment.feed(50)
        try deployment.run()
        deployment.kill()
        deployment.settings.plan = plans[1]
        try deployment.run()
        #expect(try #require(deployment.shard).counters.crossed > 0)
        let said = deployment.heard.all.first { $0.contains("decided by another version") }
        #expect(said?.contains("(sha256:story \(Engine.version))") == true, "\(deployment.heard.all)")
        #expect(said?.contains("(sha256:strict \(Engine.version))") == true)
    }

    /// What was decided under a plan that is not there is never decided again under another.
    @Test func aReplayWithoutAllPlansRefuses() throws {
        let deployment = Deployment(seed: 64, partitions: 1)
        deployment.feed(40)
        try deployment.run()
        try change(deployment, to: plans[2])
        deployment.feed(40)
        try deployment.run()
        for known in plans.prefix(2) {
            var oracle = Oracle(cluster: deployment.cluster, plans: [known])
            oracle.checkExactlyOnce()
            let missing = known.version == "sha256:story" ? "sha256:lax" : "sha256:story"
            #expect(oracle.problems.contains {
                $0.contains("decided under version \(missing) ") && $0.contains("this is \(known.version) ")
            }, "\(oracle.problems)")
        }
        deployment.plans = plans
        deployment.checkDecisions()
    }

    @Test func whoHasNothingSwapsAtOnce() throws {
        let deployment = Deployment(seed: 63)
        try deployment.start()
        let shard = try #require(deployment.shard)
        shard.adopt(plans[1], enrichment: EventEnrichment())
        deployment.settings.plan = plans[1]
        #expect(deployment.turn() == nil)
        #expect(shard.status().policy == plans[1].version)
        deployment.feed(80)
        try deployment.run()
        deployment.checkDecisions()
    }

    /// Where the file is the only copy and takes nothing, deciding goes on under the plan before.
    @Test func aFullDiskPutsItOff() throws {
        let directory = TemporaryDirectory()
        let heard = Heard()
        let driver = TestDriver(plan: plans[0], stateDirectory: directory.path)
        driver.logger = heard.logger
        driver.options.checkpointMilliseconds = 50
        var story = Story(seed: 5, inputs: 1)
        func feed(_ count: Int) {
            for _ in 0..<count {
                let line = story.next()
                driver.log.append(key: line.key ?? "nobody", value: line.value ?? "null", timestamp: line.timestamp)
            }
        }
        func policy() throws -> String { try driver.start().status().policy }
        feed(30)
        try driver.run()
        try driver.start().limitStores(pages: 1)
        feed(30)
        try driver.run()
        try driver.start().adopt(plans[1], enrichment: EventEnrichment())
        for _ in 0..<20 { _ = try driver.start().turn() }
        #expect(try policy() == plans[0].version)
        #expect(heard.count("the changed pipeline waits") == 1)
        feed(10)
        try driver.run()
        #expect(try policy() == plans[0].version)
        try driver.start().limitStores(pages: 0)
        for _ in 0..<200 where try policy() == plans[0].version { _ = try driver.start().turn() }
        #expect(try policy() == plans[1].version)
        feed(10)
        try driver.run()
        driver.crash()
        try driver.run()
        #expect(heard.count("decided by another version") == 1, "the driver starts again under the first plan")
    }
}
