import Runtime
import Testing

@Suite struct LifecycleTests {
    @Test func everyChangeFromEveryState() {
        let changes: [(String, Lifecycle.Change)] = [
            ("assigned", .assigned), ("redone", .redone), ("outage", .outage),
            ("acknowledged", .acknowledged(redoing: false)), ("acknowledged, redoing", .acknowledged(redoing: true)),
            ("released", .released), ("stopped", .stopped),
        ]
        var table = ""
        for state in Lifecycle.allCases {
            for (name, change) in changes where state.after(change) != state {
                table += "\(state) --\(name)--> \(state.after(change))\n"
            }
        }
        #expect(
            table == """
                joining --assigned--> recovering
                joining --stopped--> stopped
                recovering --redone--> running
                recovering --outage--> away
                recovering --released--> joining
                recovering --stopped--> stopped
                running --assigned--> recovering
                running --outage--> away
                running --released--> joining
                running --stopped--> stopped
                away --assigned--> recovering
                away --acknowledged--> running
                away --acknowledged, redoing--> recovering
                away --released--> joining
                away --stopped--> stopped

                """)
    }
}
