import Engine
import Events

/// A plan and what enriches events under it.
public struct LoadedPlan {
    public var plan: EnginePlan
    public var enrichment: EventEnrichment

    public init(_ plan: EnginePlan, enrichment: EventEnrichment = EventEnrichment()) {
        self.plan = plan
        self.enrichment = enrichment
    }
}

/// A plan, and what reads records for the engines under it.
struct PlanInUse {
    var plan: EnginePlan
    var decoders: Decoders
}
