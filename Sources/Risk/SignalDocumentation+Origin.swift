extension Signal {
    var originDocumentation: SignalDocumentation {
        switch self {
        case .networkNew:
            SignalDocumentation(
                sees: "A network prefix (IPv4 /24, IPv6 /48) of a known provider that the user has not used.",
                formula: "10·ln(0.95 ÷ P(new prefix)), P as for devices; a known one takes away at most 10 by 10·ln(0.01 ÷ its share of the provider), and 40 more for the very address",
                source: Source.turing, falsePositives: "A provider that renumbers or hands out addresses widely: the user's own rate of new prefixes makes up for it.")
        case .networkProvider:
            SignalDocumentation(
                sees: "A provider (AS) within a known country that the user has not used.",
                formula: "10·ln(0.7 ÷ P(new provider)); a known one takes away at most 1",
                source: Source.turing, falsePositives: "A new contract, a café, the first day at an office.")
        case .networkRare:
            SignalDocumentation(
                sees: "A provider new to the user from which hardly any user has logged in successfully.",
                formula: "2.5·ln(share ÷ the provider's share of all users who logged in successfully), from 200 users on",
                source: "Rarity over everybody: Wiefling et al. 2022, global term of the Freeman score", falsePositives: "A small provider in the country; a company's own AS.")
        case .networkAnonymous:
            SignalDocumentation(
                sees: "A network known as VPN, proxy or hosting, by database or list, that the user does not use.",
                formula: "8 for hosting, 12 for an anonymiser", source: "Lists the operator configures",
                falsePositives: "The first day with a VPN; company egress through a data centre (list it as corporate).")
        case .networkChangedInSession:
            SignalDocumentation(
                sees: "A session that goes on from another provider's network than it was trusted on.",
                formula: "10·ln(0.9 ÷ P(move within a session)); ×0.3 to a network the user knows",
                source: Source.freeman, falsePositives: "A phone leaving the house; a VPN switched on.")
        case .deviceShared:
            SignalDocumentation(
                sees: "One device trying many accounts within the window of networks, by a user who has not used it before.",
                formula: "8 + 6·ln(users ÷ threshold)", source: "Distinct counts: Flajolet et al., AofA 2007", falsePositives: "A kiosk, on a person's first visit.")
        case .networkSpray:
            SignalDocumentation(
                sees: "Many users failing from this network within the window.", formula: "12 + 5·ln(users failing ÷ threshold), where most tries fail",
                source: "Password spraying, MITRE ATT&CK T1110.003; distinct counts: Flajolet et al., AofA 2007",
                falsePositives: "A broken single sign-on behind one office address.")
        case .networkStuffing:
            SignalDocumentation(
                sees: "Many accounts tried from this network within the window, most of them in vain.",
                formula: "12 + 5·ln(accounts ÷ threshold), where most tries fail",
                source: "Credential stuffing, MITRE ATT&CK T1110.004; distinct counts: Flajolet et al., AofA 2007",
                falsePositives: "A carrier's shared address while something is wrong with its customers' app.")
        case .networkReputation:
            SignalDocumentation(
                sees: "A network on the operator's list of hostile ones.", formula: "25", source: "The list the operator configures",
                falsePositives: "Whoever gets a listed address after its former holder.")
        case .placeCountry:
            SignalDocumentation(
                sees: "A country the user has not been in.",
                formula: "10·ln(0.9 ÷ P(new country)); a known one takes away at most 1",
                source: Source.turing, falsePositives: "A trip abroad, once.")
        case .placeNew:
            SignalDocumentation(
                sees: "A city in a known country, further than 50 km from any the user has been in.",
                formula: "10·ln(0.85 ÷ P(new place)); known: 10·ln(0.2 ÷ its share of the country)",
                source: Source.turing, falsePositives: "A trip; a provider whose addresses move between cities.")
        case .placeMismatch:
            SignalDocumentation(
                sees: "A country the user knows but is seldom in, other than the one the account is at home in.",
                formula: "4·ln(0.2 ÷ the country's share of the user's logins)", source: Source.freeman, falsePositives: "The second trip to the same country.")
        case .travelImpossible:
            SignalDocumentation(
                sees: "Two places further apart than anybody travels in the time between.", formula: "27 from both limits on",
                source: "Great-circle distance (haversine, Sinnott 1984) over time", falsePositives: "A VPN switched on; a database that places an address wrongly.")
        case .travelImprobable:
            SignalDocumentation(
                sees: "Two places as far apart as only an aeroplane travels in the time between.", formula: "4 + 6·ln(speed ÷ limit)",
                source: "Great-circle distance (haversine, Sinnott 1984) over time", falsePositives: "A flight.")
        default: preconditionFailure("not a signal of this group")
        }
    }
}
