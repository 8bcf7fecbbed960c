#!/usr/bin/env python3
"""Freeman's score: how much likelier this address and browser are for anybody than for this user.

After Freeman, Jain, Duermuth, Biggio, Giacinto, "Who Are You? A Statistical Approach to Measuring User Authenticity",
NDSS 2016, as Wiefling, Joergensen, Thunem, Lo Iacono, "Pump Up Password Security!", ACM TOPS 2022, refine it:

    S = p(ip)/p(ip|user) * p(agent)/p(agent|user) * p(user|attack)/p(user)

where the probability of an address is a mixture over address, provider and country, that of an agent one over agent,
browser, system and kind of device, with the weights they fitted; p(user|attack) is the same for all, p(user) the user's
share of logins. A value not seen yet has the probability of one more observation. History is what came before the login,
of its owner's successful logins alone. Writes {"id", "score"} lines, ln S.

    vigil generate --half logins | freeman.py > freeman.ndjson
"""
import math
from collections import Counter, defaultdict

import logins

FEATURES = [
    [(0.6, "ip"), (0.3, "asn"), (0.1, "country")],
    [(0.5386, "agent"), (0.268, "browser"), (0.1599, "os"), (0.0335, "device")],
]
LEVELS = [level for feature in FEATURES for _, level in feature]


def scores(stream):
    everybody = {level: Counter() for level in LEVELS}
    own = defaultdict(lambda: {level: Counter() for level in LEVELS})
    sizes, total = Counter(), 0
    for login in stream:
        if login.succeeds:
            history, size = own[login.user] if sizes[login.user] else None, sizes[login.user]
            score = math.log((total + 1) / (size + 1) / (len(sizes) + 1))
            for feature in FEATURES:
                anybody = user = 0.0
                for weight, level in feature:
                    value = getattr(login, level)
                    counts = everybody[level]
                    share = (counts[value] + 1) / (total + len(counts) + 1)
                    anybody += weight * share
                    user += weight * ((history[level][value] if history else 0) + share) / (size + 1)
                score += math.log(anybody / user)
            yield login.id, score
        if login.is_own:
            history = own[login.user]
            for level in LEVELS:
                value = getattr(login, level)
                everybody[level][value] += 1
                history[level][value] += 1
            sizes[login.user] += 1
            total += 1


if __name__ == "__main__":
    given = logins.options(__doc__)
    logins.write(given.output, scores(logins.read(given.input)))
