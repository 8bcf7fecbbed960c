import Testing

@testable import PipelineSpec

@Suite struct DiagnosticTests {
    @Test func fiveMistakesHaveFivePositionsInFileOrder() {
        let text = """
            name: five
            emitt: all
            windows:
              session_gap: 30 minutes
            model:
              levels: { medium: 30, high: 20 }
            policies:
              - name: a
                when: { level: hihg }
                then: step_up
              - name: a
                then: allow
            """
        #expect(messages(text) == [
            "p.yaml:2:1: error[key.unknown]: a pipeline has no key `emitt` (did you mean `emit`?)",
            "p.yaml:4:16: error[value.type]: `windows.session_gap` is a duration, 1m…30d; found `30 minutes`",
            "p.yaml:6:31: error[model.levels]: `model.levels.high` must be above `medium`",
            "p.yaml:9:20: error[value.choice]: `policies[0].when.level` is one of `low`, `medium`, `high`, `critical`; found `hihg` (did you mean `high`?)",
            "p.yaml:11:11: error[rule.duplicate]: a rule of this name is already on line 8; names of rules are unique",
        ])
    }

    /// One file for each code, and where it is found.
    static let cases: [(text: String, expected: [String])] = [
        ("", ["0:0 file.empty"]),
        ("# only a comment\n", ["0:0 file.empty"]),
        ("---\n", ["0:0 file.empty"]),
        ("- a\n- b\n", ["1:1 file.not_a_pipeline"]),
        ("just text", ["1:1 file.not_a_pipeline"]),
        ("name: [a\nb: c", ["2:2 yaml.syntax"]),
        ("name: a\n\tb: c\n", ["2:1 yaml.syntax"]),
        ("name: a\nemit: *none\n", ["2:7 yaml.syntax"]),
        ("name: a\nname: b\nemit: al\nemit: all\n", ["2:1 yaml.duplicate_key", "3:7 value.choice", "4:1 yaml.duplicate_key"]),
        ("name: a\n\"emit\": all\nwindows: {rate: 1m, rate: 1m}\n\"emit\": all\n", ["3:21 yaml.duplicate_key", "4:1 yaml.duplicate_key"]),
        ("name: a\n? [b]\n: c\n", ["2:3 yaml.key"]),
        ("name: a\n[b, c]: c\n", ["2:1 yaml.key"]),
        ("name: !vault a\n", ["1:7 yaml.tag"]),
        ("name: ${NOBODY}\n", ["1:7 env.unset"]),
        ("name: ${2x}\n", ["1:7 env.syntax"]),
        ("name: ${X\n", ["1:7 env.syntax"]),
        ("emit: all\n", ["1:1 key.missing"]),
        ("name: a\npolicies: [{name: r}]\n", ["2:12 key.missing"]),
        ("name: a\nshards: many\n", ["2:9 value.type"]),
        ("name: a\nshards:\n", ["2:8 value.type"]),
        ("name: a\nwindows: [1]\n", ["2:10 value.type"]),
        ("name: a\nshards: 0\n", ["2:9 value.range"]),
        ("name: a\nbounds: {record: 1GiB}\n", ["2:18 value.range"]),
        ("name: a\nmodel: {base: 12}\n", ["2:15 value.range"]),
        ("name: a\notherwise: step_up\n", ["2:12 value.choice"]),
        ("name: a\nsources: {logins: {map: {id: a..b, time: t, user: u, outcome: o}}}\n", ["2:30 value.syntax"]),
        ("name: a\nsources: {logins: {map: {usr: a, id: i, time: t, user: u, outcome: o}}}\n", ["2:26 key.unknown"]),
        ("name: a\nsources: {logins: {map: {id: {values: {a: b}}, time: t, user: u, outcome: o}}}\n", ["2:30 key.missing"]),
        ("name: a\nsources: {a b: {}}\n", ["2:11 value.syntax"]),
        ("name: a\nsources: {}\n", ["2:10 sources.none"]),
        ("name: a\nemit: *x\ny: {[b]: c, \"${A}:1\": *x}\n", ["3:7 yaml.key"]),
        ("name: a\nsources: {a: , b: , c: , d: , e: , f: , g: , h: , i: }\n", ["2:51 list.too_long"]),
        ("name: a\nsources: {x: {map: {id: i, time: t}}}\n", ["2:20 source.unmapped", "2:20 source.unmapped"]),
        ("name: a\nsources: {actions: {map: {id: i, time: t, user: u}}}\n", ["2:26 source.unmapped"]),
        ("name: a\nsources: {x: {type: any, map: {id: i, time: t, user: u, type: {path: t, values: {a: logn}}}}}\n", ["2:85 value.choice"]),
        ("name: a\nsources: {x: {topic: t}, y: {topic: t}}\n", ["2:37 topic.shared"]),
        ("name: a\nsinks: {dead_letters: {topic: actions}}\n", ["2:31 topic.shared"]),
        ("name: a\nsources: {x: {topic: decisions}}\n", ["2:22 topic.shared"]),
        ("name: a\nwindows: {rate: 1m, rate_hop: 7s}\n", ["2:31 windows.hop"]),
        ("name: a\nwindows: {rate: 1h}\n", ["2:17 windows.hop"]),
        ("name: a\nbounds: {user: 512B}\n", ["2:16 bounds.user"]),
        ("name: a\nbounds: {id: 1KiB, user: 2KiB}\n", ["2:26 bounds.user"]),
        ("name: a\nbounds: {actions: 256}\n", ["2:19 value.range"]),
        ("name: a\nmodel: {signals: {login.failures: {at_least: 17}}}\n", ["2:46 value.range"]),
        ("name: a\nmodel: {levels: {critical: 60}}\n", ["2:28 model.levels"]),
        ("name: a\nmodel: {confidence: {partial: 20}}\n", ["2:31 model.confidence"]),
        ("name: a\npolicies: [{name: r, then: deny, step_up: {}}]\n", ["2:43 rule.step_up"]),
        ("name: a\npolicies: [{name: r, then: step_up, step_up: {methods: []}}]\n", ["2:56 rule.step_up"]),
        ("name: a\npolicies: [{name: r, then: step_up, step_up: {assurance: phr, methods: [totp]}}]\n", ["2:72 rule.step_up"]),
        ("name: a\npolicies: [{name: r, then: step_up, step_up: {assurance: phr, methods: [webauthn, totp]}}]\n", ["2:72 rule.step_up"]),
        ("name: a\nassurance: {methods: {webauthn: {level: aal2}, hardware_key: {level: aal2}}}\n", ["2:12 assurance.unreachable"]),
        ("name: a\npolicies: [{name: r, then: deny, when: {amount: {at_least: 5, at_most: 4}}}]\n", ["2:72 rule.interval"]),
        ("name: a\npolicies: [{name: r, then: allow}, {name: s, then: deny}]\n", ["2:36 rule.unreachable"]),
        ("name: a\npolicies: [{name: r, then: allow, when: {level: low}}, {name: s, then: deny, when: {level: low}}]\n", ["2:56 rule.shadowed"]),
        ("name: a\npolicies: [{name: r, then: deny, when: {level: low, score: {at_least: 90}}}]\n", ["2:48 rule.never"]),
        ("name: a\npolicies: [{name: r, then: deny, when: {type: action, outcome: failure}}]\n", ["2:64 rule.type"]),
        ("name: a\npolicies: [{name: r, then: deny, when: {signals: time.unusual}}]\nmodel: {signals: {time.unusual: {enabled: false}}}\n", ["2:50 rule.signal_off"]),
        ("name: a\npolicies: [{name: r, then: deny, when: {group: [admin]}}]\ngroups: {admins: [root]}\n", ["2:49 name.unknown", "3:10 name.unused"]),
        ("name: a\nconditions: {x: {is: y}, y: {is: x}}\n", ["2:17 name.circle", "2:29 name.circle"]),
        ("name: a\noverrides: [{rules: {}}]\n", ["2:13 override.scope"]),
        ("name: a\nshadow: [{name: s}]\n", ["2:10 shadow.source"]),
        ("name: a\nlists: {l: absent.txt, m: .}\npolicies: [{name: r, then: deny, when: {user: [\"@l\", \"@m\"]}}]\n", ["2:12 list.missing", "2:27 list.unreadable"]),
        ("name: a\npolicies: [{name: r, then: deny, when: {confidence: learning}}]\n", ["2:28 rule.newcomers"]),
        ("name: a\nbreaker: {relax: [r]}\n", ["2:19 breaker.relax"]),
        ("name: a\npolicies: [{name: r, then: deny}]\nbreaker: {relax: [r]}\n", ["3:19 breaker.relax"]),
        ("name: a\npolicies: [{name: r, then: step_up, mode: report}]\nbreaker: {relax: [r]}\n", ["3:19 breaker.relax"]),
        ("name: a\npolicies: [{name: r, then: step_up, when: {action: \"*.c?eate\"}}]\nbreaker: {relax: [r]}\n", ["3:19 breaker.relax"]),
        ("name: a\npolicies: [{name: r, then: step_up, when: {action: \"page.*\"}}]\nbreaker: {relax: [r]}\n", []),
        ("name: a\nsecret: short\n", ["2:9 secret.short"]),
        ("name: a\nkafka: {group.id: g, enable.auto.commit: true}\n", ["2:9 kafka.owned", "2:22 kafka.owned"]),
        ("name: a\nenrichment: {geo: absent.mmdb, lists: {vpn: absent.txt}}\n", ["2:19 enrichment.missing", "2:45 enrichment.missing"]),
        ("name: a\nenrichment: {agents: .}\n", ["2:22 enrichment.unusable"]),
        ("name: a\ndelivery: exactly_twice\n", ["2:11 value.choice"]),
        ("name: a\nstate: {topic: decisions}\n", ["2:16 topic.shared"]),
        ("name: a\ntests: [{name: t}, {name: t}]\n", ["2:27 test.duplicate"]),
        ("name: a\ntests: [{name: t, steps: [{login: success}]}]\n", ["2:27 test.step"]),
        ("name: a\ntests: [{name: t, as: {user: u}, steps: [{login: success, expect: {rule: r}}]}]\n", ["2:74 test.unknown"]),
    ]

    @Test(arguments: [
        ("transfer.*", "transfer.create", true), ("transfer.*", "transfer.*", true), ("transfer.*", "transfer.?*", true), ("*", "a?*", true),
        ("*.c?eate", "token.create", true), ("a?c", "abc", true), ("", "", true), ("*", "", true), ("a*b", "a*x*b", true),
        ("transfer.create", "transfer.*", false), ("page.*", "*.export", false), ("*.export", "page.*", false), ("a?c", "a*c", false),
        ("", "*", false), ("?", "", false), ("a*b", "a*", false),
    ])
    func patternsCoverOneAnother(outer: String, inner: String, covers: Bool) {
        #expect(Checks.covers(outer, inner) == covers)
    }

    @Test(arguments: cases.indices) func everyCodeIsFoundWhereItIs(index: Int) {
        let (text, expected) = Self.cases[index]
        #expect(problems(text) == expected, "\(text)\n\(messages(text).joined(separator: "\n"))")
    }

    @Test func everyCodeIsInTheReferenceAndHasACase() {
        let elsewhere = [
            "file.missing", "file.unreadable", "file.too_large", "file.encoding", "yaml.depth", "yaml.aliases", "rule.duplicate",
            "enrichment.none", "list.entry", "name.size",
        ]
        let shown = Set(Self.cases.flatMap { $0.expected.map { String($0.split(separator: " ")[1]) } })
        #expect(shown.union(elsewhere) == Set(PipelineReference.codes.map(\.code)))
    }

    @Test(arguments: [
        ("source: {}", "sources"), ("polices: []", "policies"), ("kafak: {}", "kafka"), ("delivrey: {}", "delivery"),
        ("windows: {session_gpa: 30m}", "session_gap"), ("model: {signals: {device.nwe: {}}}", "device.new"),
        ("policies: [{name: r, then: alow}]", "allow"), ("policies: [{nmae: r, then: allow}]", "name"),
        ("policies: [{name: r, then: allow, when: {signals: travel.imposible}}]", "travel.impossible"),
        ("sources: {x: {map: {devce.id: a, id: i, time: t, user: u, type: t}}}", "device.id"),
    ])
    func typosAreRecognised(line: String, meant: String) {
        let found = diagnostics("name: a\n" + line)
        #expect(found.first?.suggestion == meant, "\(found)")
        #expect(found.count == 1, "\(found)")
    }

    @Test func nothingIsSuggestedForSomethingElse() {
        let found = messages("name: a\nzebra: 1\n")
        #expect(found == ["p.yaml:2:1: error[key.unknown]: a pipeline has no key `zebra`; its keys are "
            + PipelineFields.root.fields.map(\.shape.name).joined(separator: ", ")])
    }

    @Test func distanceCountsASwapAsOne() {
        #expect(editDistance(Array("emit".utf8), Array("eimt".utf8)) == 1)
        #expect(editDistance(Array("".utf8), Array("abc".utf8)) == 3)
        #expect(editDistance(Array("kitten".utf8), Array("sitting".utf8)) == 3)
    }

    @Test func messagesNameTheRemedy() {
        #expect(messages("name: a\nkafka: {group.id: g}\n") == [
            "p.yaml:2:9: error[kafka.owned]: `kafka.group.id` is Vigil's to set: use the key `group`"
        ])
        #expect(messages("name: ${WHO}\n") == [
            "p.yaml:1:7: error[env.unset]: the environment variable `WHO` is not set; set it or write `${WHO:default}`"
        ])
        let rules = (0..<257).map { "  - {name: r\($0), then: deny, when: {action: a\($0)}}\n" }.joined()
        #expect(messages("name: a\npolicies:\n" + rules) == [
            "p.yaml:259:5: error[list.too_long]: `policies` has 257 entries, at most 256 are allowed: which rules only reported is held in 256 bits"
        ])
    }

    @Test func missingAndUnreadableFiles() {
        func code(_ path: String) -> [String] {
            do {
                _ = try PipelineFile.load(path: path, environment: [:])
                return []
            } catch {
                return error.all.map(\.description)
            }
        }
        #expect(code("/nowhere/p.yaml") == ["/nowhere/p.yaml: error[file.missing]: there is no such file"])
        #expect(code("/") == ["/: error[file.unreadable]: the file can't be read: Is a directory"])
        #expect(code("/dev/zero") == ["/dev/zero: error[file.too_large]: a pipeline file has at most 1 MiB, this one has more"])
        #expect(code("/dev/null") == ["/dev/null: error[file.empty]: the file is empty; the least pipeline is `name: my-pipeline`"])
    }
}
