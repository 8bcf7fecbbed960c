#!/usr/bin/env python3
"""An isolation forest over what is new to the user and what is rare in the population, for each successful login.

Liu, Ting, Zhou, "Isolation Forest", ICDM 2008, as scikit-learn has it, fitted on the owners' logins of the first part of
the stream. History is what came before the login, of its owner's successful logins alone; failures of everybody count.
Writes {"id", "score"} lines.

    vigil generate --half logins | isolation_forest.py > isolation_forest.ndjson
"""
import math
from collections import Counter, defaultdict

import numpy
from sklearn.ensemble import IsolationForest

import logins

FEATURES = ["ip", "prefix", "asn", "country", "region", "city", "agent", "browser", "os", "device", "device_id"]


def rows(stream):
    """(event id, is the owner's, features) of each successful login."""
    everybody = {feature: Counter() for feature in FEATURES}
    own = defaultdict(lambda: {feature: Counter() for feature in FEATURES})
    sizes, last, total = Counter(), {}, 0
    hours = defaultdict(Counter)
    failures, failing = Counter(), Counter()
    for login in stream:
        if not login.succeeds:
            failures[login.user] += 1
            failing[login.ip] += 1
            continue
        size = sizes[login.user]
        history = own[login.user] if size else None
        row = [math.log1p(size), math.log1p(min(failures[login.user], 50)), math.log1p(failing[login.ip])]
        for feature in FEATURES:
            value = getattr(login, feature)
            mine = history[feature][value] if history else 0
            counts = everybody[feature]
            row += [
                float(mine == 0 and size > 0), mine / (size + 1), math.log1p(mine),
                -math.log((counts[value] + 1) / (total + len(counts) + 1)),
            ]
        hour = int(login.time // 3600 % 24)
        near = sum(hours[login.user][(hour + shift) % 24] for shift in (-1, 0, 1))
        row += [
            near / (size + 1), math.log1p(max(0, login.time - last.get(login.user, login.time)) / 3600),
            math.log1p(login.rtt) if login.rtt is not None else -1.0,
        ]
        yield login.id, login.is_own, row
        failures[login.user] = 0
        if login.is_own:
            history = own[login.user]
            for feature in FEATURES:
                value = getattr(login, feature)
                everybody[feature][value] += 1
                history[feature][value] += 1
            sizes[login.user] += 1
            hours[login.user][hour] += 1
            last[login.user] = login.time
            total += 1


def main():
    given = logins.options(
        __doc__, ("--fit", {"type": float, "default": 0.5, "help": "share of the stream to fit on"}),
        ("--trees", {"type": int, "default": 200}), ("--seed", {"type": int, "default": 1}))
    ids, owns, table = [], [], []
    for event, is_own, row in rows(logins.read(given.input)):
        ids.append(event)
        owns.append(is_own)
        table.append(row)
    table, owns = numpy.asarray(table, dtype=numpy.float32), numpy.asarray(owns)
    first = table[: max(1, int(given.fit * len(table)))][owns[: max(1, int(given.fit * len(table)))]]
    forest = IsolationForest(n_estimators=given.trees, max_samples=min(4096, len(first)), random_state=given.seed)
    forest.fit(first)
    logins.write(given.output, zip(ids, -forest.score_samples(table)))


if __name__ == "__main__":
    main()
