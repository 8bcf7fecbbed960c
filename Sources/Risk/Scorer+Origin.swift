import Behavior
import Events

/// Whether the user comes from where they use to come from.
extension Scorer {
    func originSignals(
        _ event: UnsafePointer<Event>, _ seen: Observation, _ known: Familiarity, _ row: UserRow, _ contexts: Double, _ session: Int,
        _ shared: SharedView, _ out: inout Assessment
    ) {
        let header = row.header
        if contexts > 0 {
            if seen.country != 0 { countrySignals(seen, known, row, contexts, &out) }
            if seen.network != 0 { networkSignals(seen, known, row, contexts, shared, &out) }
        }
        if session >= 0 && seen.network != 0 && has(.networkChangedInSession) {
            let slot = row.sessions.base + session
            if seen.isElsewhere(than: slot.pointee.network, asn: slot.pointee.asn) {
                let own = (Double(header.pointee.moves) + Self.smoothing * 0.15) / (contexts + Self.smoothing)
                let points = 10 * ln(0.9 / min(own, 0.9)) * (known.network ? 0.3 : 1)
                set(&out, .networkChangedInSession, points, observed: Double(seen.asn), expected: Double(slot.pointee.asn),
                    detail: Double(header.pointee.moves), samples: header.pointee.contexts)
            }
        }
        // Where an anonymiser, a carrier or a company comes out says nothing of where the person is.
        if seen.hasCoordinates && !header.pointee.lastLatitude.isNaN && seen.traits.isDisjoint(with: .hidesPlace) { travelSignals(event, seen, row, &out) }
    }

    private func countrySignals(
        _ seen: Observation, _ known: Familiarity, _ row: UserRow, _ contexts: Double, _ out: inout Assessment
    ) {
        let header = row.header
        let places = row.places
        var inCountry: Float = 0
        var inPlace: Float = 0
        var home = -1
        for index in 0..<places.count {
            let slot = places.base + index
            if home < 0 || slot.pointee.weight > places.base[home].weight { home = index }
            guard slot.pointee.country == seen.country else { continue }
            inCountry += slot.pointee.weight
            if seen.isNear(slot) { inPlace += slot.pointee.weight }
        }
        if has(.placeCountry) {
            // Whoever attacks a person picks that person's country: being in it proves next to nothing.
            let points = inCountry < Self.knownWeight
                ? newness(inCountry) * novelty(header.pointee.newCountries, contexts, prior: model.placePrior, attacker: 0.9)
                : familiarity(inCountry, of: contexts, elsewhere: 0.3, most: 1)
            set(&out, .placeCountry, points, observed: Double(inCountry), expected: Double(places.count),
                samples: header.pointee.contexts)
        }
        if has(.placeNew) && known.country && (seen.city != 0 || seen.region != 0) {
            var points = 0.0
            if !known.region {
                points = 1.4 * novelty(header.pointee.newRegions, contexts, prior: model.placePrior, attacker: 0.85)
            }
            if inPlace < Self.knownWeight {
                points = max(points, newness(inPlace)
                    * novelty(header.pointee.newPlaces, contexts, prior: model.placePrior, attacker: 0.85))
            } else if known.region {
                points = familiarity(inPlace, of: max(Double(inCountry), 1), elsewhere: 0.2, most: 8)
            }
            set(&out, .placeNew, points, observed: Double(inPlace), expected: Double(places.count), detail: 1,
                samples: header.pointee.contexts)
        }
        // Known, but not where the account is at home.
        if has(.placeMismatch) && home >= 0 && known.country && places.base[home].country != seen.country && contexts >= 5 {
            let share = Double(inCountry) / contexts
            if share < 0.2 {
                set(&out, .placeMismatch, 4 * ln(0.2 / max(share, 0.01)), observed: Double(seen.country),
                    expected: Double(places.base[home].country), samples: header.pointee.contexts)
            }
        }
    }

    private func networkSignals(
        _ seen: Observation, _ known: Familiarity, _ row: UserRow, _ contexts: Double, _ shared: SharedView,
        _ out: inout Assessment
    ) {
        let header = row.header
        let networks = row.networks
        var ofProvider: Float = 0
        var ofPrefix: Float = 0
        var isSameAddress = false
        for index in 0..<networks.count {
            let slot = networks.base + index
            if slot.pointee.asn == seen.asn && seen.asn != 0 { ofProvider += slot.pointee.weight }
            if slot.pointee.key == seen.network {
                ofPrefix = slot.pointee.weight
                isSameAddress = slot.pointee.address == seen.address
            }
        }
        if seen.asn != 0 && known.country && has(.networkProvider) {
            let points = ofProvider < Self.knownWeight
                ? newness(ofProvider) * novelty(header.pointee.newProviders, contexts, prior: model.networkPrior, attacker: 0.7)
                : familiarity(ofProvider, of: contexts, elsewhere: 0.1, most: 1)
            set(&out, .networkProvider, points, observed: Double(seen.asn), expected: Double(networks.count),
                samples: header.pointee.contexts)
        }
        if seen.asn != 0 && has(.networkRare) && shared.users >= 200 && newness(ofProvider) > 0 {
            // People who go somewhere new mostly go where many are; attackers rent where few are.
            let share = (shared.users(of: .provider, seen.asn) + 0.5) / shared.users
            if share < model.providerRareShare {
                set(&out, .networkRare, 2.5 * ln(model.providerRareShare / share), observed: share * 100,
                    expected: model.providerRareShare * 100, samples: Float(min(shared.users, 1e9)))
            }
        }
        if has(.networkAnonymous) && newness(ofProvider) > 0 && !seen.traits.isDisjoint(with: [.anonymiser, .hosting]) {
            set(&out, .networkAnonymous, (seen.traits.contains(.anonymiser) ? 12 : 8) * newness(ofProvider),
                observed: Double(seen.asn), samples: header.pointee.contexts)
        }
        if has(.networkNew) && known.provider {
            var points = 0.0
            if ofPrefix < Self.knownWeight {
                points = newness(ofPrefix) * novelty(header.pointee.newNetworks, contexts, prior: model.networkPrior, attacker: 0.95)
                if !known.neighbourhood {
                    points += 0.4 * novelty(header.pointee.newNeighbourhoods, contexts, prior: model.networkPrior, attacker: 0.9)
                }
            } else {
                // Hardly anybody else ever comes by chance from the very address of this user; from its prefix, whoever is
                // after this person.
                let nearby = familiarity(ofPrefix, of: max(Double(ofProvider), 1), elsewhere: 0.01, most: 10)
                points = isSameAddress ? nearby - 40 : 0
            }
            set(&out, .networkNew, points, observed: Double(seen.asn), expected: Double(networks.count),
                detail: seen.asn != 0 ? 1 : 0, samples: header.pointee.contexts)
        }
    }

    private func travelSignals(_ event: UnsafePointer<Event>, _ seen: Observation, _ row: UserRow, _ out: inout Assessment) {
        let header = row.header
        let (latitude, longitude) = (header.pointee.lastLatitude, header.pointee.lastLongitude)
        guard latitude != seen.latitude || longitude != seen.longitude else { return }
        let distance = Observation.kilometres((latitude, longitude), (seen.latitude, seen.longitude))
        guard distance >= model.travelKilometres else { return }
        // A late event lies before the last place: the distance in time counts, not its direction.
        let hours = Double(max(abs(seen.time - header.pointee.lastPlaceTime), 1000)) / 3_600_000
        let speed = distance / hours
        if speed >= model.travelKilometresPerHour {
            if has(.travelImpossible) {
                set(&out, .travelImpossible, 27, observed: distance, expected: model.travelKilometresPerHour,
                    detail: hours * 60, samples: header.pointee.contexts)
            }
        } else if speed >= model.improbableKilometresPerHour && has(.travelImprobable) {
            set(&out, .travelImprobable, 4 + 6 * ln(speed / model.improbableKilometresPerHour), observed: distance,
                expected: model.improbableKilometresPerHour, detail: hours * 60, samples: header.pointee.contexts)
        }
    }
}
