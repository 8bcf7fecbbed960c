#!/usr/bin/env python3
"""The plain flat likelihood ratio: the sum over address, provider, country, user agent, browser, system and kind of device
of log p(value | not the user) - log p(value | the user), Dirichlet smoothed with beta = 5 towards everybody's. History is
what came before the login, of its owner's successful logins alone. Writes {"id", "score"} lines.

    vigil generate --half logins | flat.py > flat.ndjson
"""
import math
from collections import Counter, defaultdict

import logins

FEATURES = ["ip", "asn", "country", "agent", "browser", "os", "device"]


def scores(stream, beta):
    everybody = {feature: Counter() for feature in FEATURES}
    own = defaultdict(lambda: {feature: Counter() for feature in FEATURES})
    sizes, total = Counter(), 0
    for login in stream:
        if login.succeeds:
            size = sizes[login.user]
            history = own[login.user] if size else None
            score = 0.0
            for feature in FEATURES:
                value = getattr(login, feature)
                counts = everybody[feature]
                mine = history[feature][value] if history else 0
                others = (counts[value] - mine + 1) / (total - size + len(counts) + 1)
                share = (counts[value] + 1) / (total + len(counts) + 1)
                score += math.log(others / ((mine + beta * share) / (size + beta)))
            yield login.id, score
        if login.is_own:
            history = own[login.user]
            for feature in FEATURES:
                value = getattr(login, feature)
                everybody[feature][value] += 1
                history[feature][value] += 1
            sizes[login.user] += 1
            total += 1


if __name__ == "__main__":
    given = logins.options(__doc__, ("--beta", {"type": float, "default": 5.0, "help": "strength of the smoothing"}))
    logins.write(given.output, scores(logins.read(given.input), given.beta))
