#!/usr/bin/env python3
"""Gradient-boosted trees on single logins: what the strongest reader of one login's features reaches on labelled NDJSON.

    apt-get install python3-sklearn python3-numpy
    vigil generate --half logins --output logins.ndjson
    benchmarks/references/trees.py logins.ndjson

Trained for each kind of attack on labelled attacks of that kind, cross-fitted by user over five folds, so that it knows
what no detector knows. On generated logins it is the search for artefacts: at .99 or more the generator gives attackers
away, and the importances say by what field. Features are of the history before the event only; histories hold
legitimate successful logins, everybody's counts likewise. Compared are accounts that had such a login before.
"""
import argparse
import json
import math
import sys
from collections import defaultdict
from datetime import datetime

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

BETA = 5.0
FIELDS = ["address", "net24", "net20", "asn", "country", "region", "city", "agent", "browser", "family", "os", "os_family", "type"]
NAMES = (
    [f"ratio {f}" for f in FIELDS] + [f"rarity {f}" for f in FIELDS] + [f"count {f}" for f in FIELDS]
    + ["history", "gap", "hour", "weekday", "hour distance", "hour rarity", "rtt", "failures since", "version step",
       "address tries 1 h", "address failures 1 h", "address names 1 h", "family last seen"]
)


def fields(event):
    geo, device = event.get("geo", {}), event.get("device", {})
    address = event.get("ip", "")
    octets = address.split(".") if "." in address else address.split(":")
    browser, system = device.get("browser", ""), device.get("os", "")
    net24 = ".".join(octets[:3])
    net20 = ".".join(octets[:2]) + "." + str(int(octets[2]) >> 4) if "." in address and len(octets) == 4 else net24
    return [
        address, net24, net20, event.get("asn"), geo.get("country"), (geo.get("country"), geo.get("region")),
        (geo.get("country"), geo.get("region"), geo.get("city")), device.get("user_agent"), browser, browser.rsplit(" ", 1)[0],
        system, system.rsplit(" ", 1)[0], device.get("type"),
    ]


def version(browser):
    try:
        return float(".".join(browser.rsplit(" ", 1)[-1].split(".")[:2]))
    except ValueError:
        return 0.0


class History:
    def __init__(self):
        self.counts = [defaultdict(int) for _ in FIELDS]
        self.n = 0
        self.last = 0.0
        self.hours = set()
        self.failures = 0
        self.versions = {}
        self.seen = {}


def rows(path):
    """One row for each judged login: features, kind, user."""
    users = defaultdict(History)
    everybody = [defaultdict(int) for _ in FIELDS]
    hours = np.ones(24)
    total = 0
    recent = defaultdict(list)
    stream = sys.stdin if path == "-" else open(path, encoding="utf-8")
    for line in stream:
        event = json.loads(line)
        if event.get("type") != "login":
            continue
        kind = event.get("label", {}).get("kind", "legitimate")
        when = datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
        time = when.timestamp()
        user = (event.get("tenant"), event["user"])
        values = fields(event)
        window = [w for w in recent[values[0]] if w[0] > time - 3600]
        recent[values[0]] = window[-200:] + [(time, event["outcome"] != "success", user)]
        if event["outcome"] != "success":
            if kind == "legitimate" and user in users:
                users[user].failures += 1
            continue
        history = users[user]
        if history.n > 0:
            features = []
            for index, value in enumerate(values):
                share = (everybody[index][value] + 1) / (total + len(everybody[index]) + 1)
                own = (history.counts[index][value] + BETA * share) / (history.n + BETA)
                features.append(math.log(share / own))
            features += [-math.log((everybody[i][v] + 1) / (total + 1)) for i, v in enumerate(values)]
            features += [history.counts[i][v] for i, v in enumerate(values)]
            hour = when.hour + when.minute / 60
            distance = min((min(abs(h - hour), 24 - abs(h - hour)) for h in history.hours), default=12)
            known = history.versions.get(values[9])
            features += [
                history.n, math.log(max(time - history.last, 1)), hour, when.weekday(), distance,
                -math.log(hours[when.hour] / hours.sum()), event.get("rtt_ms", np.nan), history.failures,
                np.nan if known is None else version(values[8]) - known,
                len(window), sum(w[1] for w in window), len({w[2] for w in window}),
                np.nan if values[9] not in history.seen else math.log(max(time - history.seen[values[9]], 1)),
            ]
            yield features, kind, user
        if kind != "legitimate":
            continue
        for index, value in enumerate(values):
            history.counts[index][value] += 1
            everybody[index][value] += 1
        total += 1
        hours[when.hour] += 1
        history.n += 1
        history.last = time
        history.hours.add(when.hour + when.minute / 60)
        history.failures = 0
        history.versions[values[9]] = max(version(values[8]), history.versions.get(values[9], 0))
        history.seen[values[9]] = time


def importances(model, x, y, names, random):
    """Loss of AUC when one column is shuffled, greatest first."""
    base = roc_auc_score(y, model.predict_proba(x)[:, 1])
    losses = []
    for column, name in enumerate(names):
        shuffled = x.copy()
        random.shuffle(shuffled[:, column])
        losses.append((base - roc_auc_score(y, model.predict_proba(shuffled)[:, 1]), name))
    return sorted(losses, reverse=True)


def main():
    parser = argparse.ArgumentParser(description="AUC of gradient-boosted trees by kind of attack")
    parser.add_argument("input", nargs="?", default="-", help="labelled NDJSON")
    parser.add_argument("--without", default="", help="leave out features whose name contains one of these, by commas")
    parser.add_argument("--most", type=int, default=60_000, help="legitimate logins used at most")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    left_out = [word for word in options.without.split(",") if word]
    kept = [i for i, name in enumerate(NAMES) if not any(word in name for word in left_out)]
    names = [NAMES[i] for i in kept]

    features, kinds, users = [], [], []
    for row, kind, user in rows(options.input):
        features.append([row[i] for i in kept])
        kinds.append(kind)
        users.append(hash_of(user))
    x, kinds, users = np.array(features, dtype=float), np.array(kinds), np.array(users, dtype=np.uint64)
    legitimate = np.flatnonzero(kinds == "legitimate")
    if len(legitimate) > options.most:
        legitimate = np.sort(random.choice(legitimate, options.most, replace=False))
    fold = users % 5
    failed = False
    print(f"{'kind':16}{'attacks':>8}{'AUC':>8}{'recall 1 %':>12}  greatest importances")
    for kind in sorted(set(kinds) - {"legitimate"}):
        chosen = np.concatenate([legitimate, np.flatnonzero(kinds == kind)])
        y = (kinds[chosen] == kind).astype(int)
        if y.sum() < 25:
            continue
        score = np.zeros(len(chosen))
        losses = []
        for part in range(5):
            test = fold[chosen] == part
            model = HistGradientBoostingClassifier(
                max_iter=120, learning_rate=0.08, max_leaf_nodes=15, min_samples_leaf=30, l2_regularization=1.0, random_state=options.seed)
            weight = np.where(y == 1, (1 - y).sum() / y.sum(), 1.0)
            model.fit(x[chosen][~test], y[~test], sample_weight=weight[~test])
            score[test] = model.predict_proba(x[chosen][test])[:, 1]
            if part == 0:
                losses = importances(model, x[chosen][test], y[test], names, random)[:6]
        auc = roc_auc_score(y, score)
        threshold = np.quantile(score[y == 0], 0.99)
        told = ", ".join(f"{name} {loss:.3f}" for loss, name in losses)
        print(f"{kind:16}{y.sum():8d}{auc:8.3f}{(score[y == 1] > threshold).mean():12.3f}  {told}")
        failed |= kind in ("naive", "vpn", "targeted") and auc >= 0.99
    if failed:
        print("an attack kind is told apart almost always: look for an artefact", file=sys.stderr)
    return 1 if failed else 0


def hash_of(user):
    """The same in every run, unlike hash()."""
    value = 0xCBF29CE484222325
    for byte in repr(user).encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value >> 7


if __name__ == "__main__":
    sys.exit(main())
