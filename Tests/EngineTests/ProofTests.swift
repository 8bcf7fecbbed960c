import Events
import Policy
import Testing

@testable import Behavior

/// The parts that assurance is made of.
@Suite struct ProofTests {
    func at(_ second: Int64) -> Timestamp { Timestamp(milliseconds: 1_772_442_000_000 + second * 1000) }

    func seen(_ device: UInt32, asn: UInt32 = 1, network: UInt32 = 1) -> Observation {
        var seen = Observation(time: at(0))
        (seen.device, seen.asn, seen.network) = (device, asn, network)
        return seen
    }

    // MARK: - The table

    @Test func claimsAreWorthWhatTheTableSays() {
        var options = AssuranceOptions()
        options.contexts.append(.init("urn:example:loa2", .multiple))
        let table = CompiledAssurance(options)
        func level(_ acr: String?, _ names: [String]) -> AssuranceLevel {
            var text = acr ?? ""
            return text.withUTF8 { bytes in
                let view = acr == nil ? ByteView.absent : ByteView(base: bytes.baseAddress, count: bytes.count)
                return table.claimed(acr: view, amr: AssuranceOptions.Method(.single, names).amr)
            }
        }
        for (acr, amr, expected) in [
            (nil, [], .none), (nil, ["pwd"], .single), (nil, ["pwd", "pin"], .single), (nil, ["pwd", "otp"], .multiple),
            (nil, ["mfa"], .multiple), (nil, ["hwk"], .phishingResistant), (nil, ["pwd", "swk"], .phishingResistant),
            (nil, ["rba", "geo"], .none), ("aal1", ["hwk"], .single), ("aal3", [], .hardware), ("phr", ["pwd"], .phishingResistant),
            ("urn:example:loa2", [], .multiple), ("urn:example:loa3", ["pwd"], .single),
        ] as [(String?, [String], AssuranceLevel)] {
            #expect(level(acr, amr) == expected, "\(acr ?? "none") \(amr)")
        }
    }

    @Test func methodsGoByTheirNamesInBothLanguages() {
        let table = CompiledAssurance()
        func method(_ text: StaticString) -> ChallengeMethod? { table.method(named: ByteView(staticText: text)) }
        for name in ChallengeMethod.allCases {
            var text = name.rawValue
            #expect(text.withUTF8 { table.method(named: ByteView(base: $0.baseAddress, count: $0.count)) } == name)
            #expect(ChallengeMethod(index: name.index) == name)
        }
        #expect(method("otp") == .totp && method("hwk") == .hardware_key && method("pop") == .webauthn && method("fpt") == .biometric)
        #expect(method("sms") == nil && method("WebAuthn") == nil && table.method(named: .absent) == nil)
        #expect(table.weakest(of: [ChallengeMethod.totp, .hardware_key].bits) == .multiple && table.weakest(of: 0) == .none)
    }

    @Test func rulesAskForWhatTheirWeakestMethodProves() {
        var question = StepUpOptions()
        let table = AssuranceOptions()
        question.methods = [.hardware_key, .webauthn]
        #expect(question.need(table) == .phishingResistant)
        question.methods = [.webauthn, .totp]
        #expect(question.need(table) == .multiple && question.sufficient(table) == [.webauthn, .totp])
        question.assurance = .phishingResistant
        #expect(question.sufficient(table) == [.webauthn])
        #expect(table.values(satisfying: .multiple) == ["aal2", "phr", "phrh", "aal3"])
    }

    // MARK: - Proofs

    @Test func aProofIsGoodInItsContextForAWhile() {
        var proofs = SessionProofs()
        #expect(proofs.isEmpty)
        proofs.add(Proof(.challenge, level: 3, risk: .medium, at: at(0)), in: seen(1))
        #expect(proofs.isIn(context: seen(1, network: 9)), "another prefix of the same provider")
        #expect(!proofs.isIn(context: seen(2)) && !proofs.isIn(context: seen(0)) && !proofs.isIn(context: seen(1, asn: 2)))
        func holds(_ level: UInt8, _ risk: RiskLevel, at second: Int64, maxAge: Int? = nil) -> Bool {
            proofs.proof(of: ProofNeed(level: level, risk: risk, validForSeconds: 60, maxAgeSeconds: maxAge), at: at(second)) != nil
        }
        #expect(holds(3, .medium, at: 59) && holds(1, .low, at: 0) && holds(2, .low, at: 30, maxAge: 0))
        #expect(!holds(4, .low, at: 1) && !holds(3, .high, at: 1) && !holds(3, .medium, at: 60))
        proofs.add(Proof(.claim, level: 4, risk: .high, at: at(50)), in: seen(1))
        #expect(holds(4, .high, at: 50, maxAge: 0) && !holds(4, .high, at: 51, maxAge: 0) && holds(4, .high, at: 51))
        #expect(proofs.hasProven(4, after: at(49).secondsHeld) && !proofs.hasProven(4, after: at(50).secondsHeld))
        proofs.add(Proof(.challenge, level: 2, risk: .low, at: at(55)), in: seen(2))
        #expect(!proofs.isIn(context: seen(1)) && proofs.strongest == 2, "those of the old context are over")
    }

    /// Against all proofs ever given, remembered one by one: four places never say more, and say as much unless a fifth
    /// made the oldest give way.
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func fewPlacesAreAsGoodAsMany(seed: UInt64) {
        var random = SplitMix(seed)
        for round in 0..<300 {
            var proofs = SessionProofs()
            var all: [Proof] = []
            var time: Int64 = 0
            for _ in 0..<12 {
                time += Int64(random.next() % 40)
                let source: Proof.Source = random.next() % 3 == 0 ? .claim : .challenge
                let proof = Proof(
                    source, level: UInt8(random.next() % 4 + 1), risk: RiskLevel.allCases[Int(random.next() % 4)],
                    at: at(max(time - Int64(random.next() % 30), 0)))
                proofs.add(proof, in: seen(1))
                all.append(proof)
                let need = ProofNeed(
                    level: UInt8(random.next() % 5), risk: RiskLevel.allCases[Int(random.next() % 4)],
                    validForSeconds: UInt32(random.next() % 100), maxAgeSeconds: random.next() % 2 == 0 ? nil : Int(random.next() % 50))
                let found = proofs.proof(of: need, at: at(time)) != nil
                let expected = all.contains { $0.satisfies(need, at: at(time)) }
                #expect(!found || expected, "seed \(seed), round \(round)")
                if all.count <= SessionProofs.capacity { #expect(found == expected, "seed \(seed), round \(round)") }
            }
        }
    }

    // MARK: - The life of a question

    @Test(arguments: [11, 12, 13] as [UInt64]) func whatIsClosedStaysClosed(seed: UInt64) {
        var random = SplitMix(seed)
        var reached: Set<ChallengeState> = []
        let happenings: [ChallengeState.Happening] = [ChallengeResult.none, .passed, .failed, .denied, .abandoned, .timedOut].flatMap {
            [.answered($0, isLast: false), .answered($0, isLast: true)]
        } + [.expired, .superseded]
        for _ in 0..<2000 {
            var state = ChallengeState.issued
            for _ in 0..<Int(random.next() % 6) {
                let happening = happenings[Int(random.next() % UInt64(happenings.count))]
                let next = state.after(happening)
                if state != .issued { #expect(next == nil, "seed \(seed): \(state) \(happening)") }
                state = next ?? state
                reached.insert(state)
            }
        }
        #expect(reached == Set(ChallengeState.allCases), "seed \(seed)")
    }

    @Test func closedQuestionsAreRememberedAndPushNobodyOut() {
        var bounds = StateBounds()
        bounds.challenges = 2
        let table = UserTable(bounds: bounds, inputs: 1)
        var row = table.insert(hash: 1, tenant: .absent, user: ByteView(staticText: "u"), at: at(0))
        func challenge(_ number: UInt64, expires second: Int64) -> ChallengeSlot {
            let asking = with(seen(1)) { $0.time = at(Int64(number)) }
            return ChallengeSlot(id: DecisionID(high: number, low: 0), asking: asking, expires: at(second), demand: 1, need: 2)
        }
        func states() -> [UInt64: ChallengeState] {
            (0..<row.challenges.count).reduce(into: [:]) { $0[row.challenges[$1].id.high] = row.challenges[$1].state }
        }
        for number in 1...8 { row = table.open(challenge(UInt64(number), expires: 100 + Int64(number)), of: row) }
        #expect(states().values.filter { $0 == .issued }.count == 2)
        #expect(states() == [3: .superseded, 4: .superseded, 5: .superseded, 6: .superseded, 7: .issued, 8: .issued])
        #expect(table.closeExpired(of: row, at: at(107)) == 1)
        #expect(table.closeExpired(of: row, at: at(107)) == 0)
        #expect(states()[7] == .timedOut && states()[8] == .issued && states().count == 5)
        #expect(table.closeExpired(of: row, at: at(200)) == 1)
        #expect(states().values.allSatisfy { $0 != .issued } && states().count == 4)
    }

    // MARK: - Holds

    @Test func aForeignCourseTeachesWhereItWasAndNotWhatItDid() {
        for (flags, vouches, actions) in [([], false, 1), (.foreign, false, 0), (.foreign, true, 1)] as [(HoldFlags, Bool, Int)] {
            let table = UserTable(bounds: StateBounds(), inputs: 1)
            var row = table.insert(hash: 1, tenant: .absent, user: ByteView(staticText: "u"), at: at(0))
            var one = seen(7)
            (one.session, one.action) = (5, 99)
            row = table.hold(one, amount: nil, of: row, flags: flags)
            row = table.learnHold(at: 0, of: row, weight: 1, vouches: vouches)
            #expect((row.devices.count, row.actions.count) == (1, actions), "\(flags) \(vouches)")
        }
    }
}
