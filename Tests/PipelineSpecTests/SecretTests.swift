import Testing

@testable import PipelineSpec

/// No message ever repeats a secret, wherever it stands and however wrong it is.
@Suite struct SecretTests {
    static let secret = "hunter2-correct-horse"

    /// `@` stands for the secret as written in the file, `$` for a variable that holds it.
    static let files = [
        "name: a\nsecret: @\n", "name: a\nsecret: [@]\n", "name: a\nsecret: {x: @}\n", "name: $\nsecret: @\nshards: $\n",
        "name: a\nsecret: &s @\nshards: *s\nemit: *s\nwindows: {rate: *s}\n", "name: a\nshards: $\nemit: $\notherwise: x$\n",
        "name: a\nkafka: {sasl.password: [@]}\n", "name: a\nkafka: {sasl.password: &p @, group.id: *p}\nshards: *p\n",
        "name: a\nkafka: {ssl.key.password: @, sasl.jaas.config: {a: @}}\n", "name: a\nkafka: {bad key: @}\n", "name: a\nkafka: @\n",
        "name: a\nkafka:\n  sasl.password: @\n wrong: indent\n", "name: a\nsecret: \"@\nemit: all\n", "name: a\nsecret: '@\n",
        "name: a\nsecrte: @\n", "name: a\nsecret: !x @\n", "name: a\nsecret: @\nsecret: @\n", "name: a\nsecret: @: @\n",
        "name: a\nsources: {$: {}}\n", "name: a\nsources: {x: {topic: \"$ $\", type: \"$\", repartition: \"$\"}}\n",
        "name: a\nsources: {x: {map: {id: \"$ $\", time: \"a..$\", user: \"$\", outcome: {path: o, values: {a: \"$\"}, default: \"$\"}}}}\n",
        "name: a\nsources: {x: {topic: \"$\"}, y: {topic: \"$\"}}\n",
        "name: a\npolicies: [{name: \"$\", then: \"$\"}, {name: \"$\", then: allow, when: {level: \"$\", signals: \"$\", amount: {at_least: \"$\"}}}]\n",
        "name: a\npolicies: [{name: \"$\", then: allow}, {name: b, then: allow}]\n", "name: a\nmodel: {base: \"$\", levels: \"$\"}\n",
        "name: a\ndelivery: {mode: \"$\", queue: \"$\"}\nbounds: {record: \"$\"}\ninstance: \"$ \"\n",
        "name: a\nkafka: {sasl.password @}\n", "name: a\nkafka: {sasl.password:@, sasl.password=@}\n", "{name: a, secret @}\n",
        "name: a\nsecret:@\n", "name: a\nsources: {x @}\n", "name: a\n\"secret: @\": 1\n\"secret: @\": 1\n",
        "name: a\nlists: {l: \"$\", m: [\"$\"]}\ngroups: {g: \"$\"}\ntags: {t: [\"$\"]}\nconditions: {c: {is: \"$\", ip: [\"$\"]}}\n",
        "name: a\npolicies: [{name: r, then: allow, when: {group: [\"$\"], tag: \"$\", is: {all: \"$\"}, user: \"$\"}, unless: {is: \"$\"}}]\n",
        "name: a\noverrides: [{group: \"$\", tenant: \"$\", rules: {r: {then: \"$\"}}}]\nshadow: [{name: \"$\", file: \"$\"}]\n",
        "name: a\npolicies: [{name: r, then: allow, when: {country: \"$\", asn: \"$\", time_of_day: {from: \"$\", zone: \"$\"}}}]\n",
        "name: a\nsecret: \"@${UNSET}\"\nkafka: {sasl.password: \"@${\"}\n",
    ]

    @Test(arguments: files) func neverRepeated(file: String) {
        let text = file.replacing("@", with: Self.secret).replacing("$", with: "${HELD}")
            .replacing("${HELD}{", with: "${")
        let found = diagnostics(text, environment: ["HELD": Self.secret])
        for diagnostic in found {
            #expect(!diagnostic.description.contains("hunter2"), "\(diagnostic)")
        }
    }

    @Test func numbersFromTheEnvironmentAreNotRepeatedEither() {
        let text = """
            name: a
            windows: { rate: "${D}", rate_hop: "7s" }
            model: { levels: { medium: "${N}", high: 1, critical: "${N}" }, confidence: { partial: "${N}", established: 1 }, base: "${N}" }
            policies: [{ name: r, then: deny, when: { score: { at_least: "${N}", at_most: 1 }, auth_age: { at_least: "${D}", at_most: 1s } } }]
            shards: "${N}77777"
            """
        let found = diagnostics(text, environment: ["N": "77", "D": "77m"])
        #expect(found.count >= 7)
        for diagnostic in found { #expect(!diagnostic.message.contains("77"), "\(diagnostic)") }
    }

    @Test func nothingIsSuggestedForWhatTheEnvironmentSays() {
        let found = diagnostics("name: a\nemit: ${E}\n", environment: ["E": "al"])
        #expect(found.map(\.description) == ["p.yaml:2:7: error[value.choice]: `emit` is one of `interventions`, `changes`, `all`; found something else"])
    }
}
