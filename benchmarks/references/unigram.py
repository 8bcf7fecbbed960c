#!/usr/bin/env python3
"""The unigram likelihood ratio on command sequences: the reference that a better model must beat.

Reads NDJSON of `action` events, a session for each block, and writes {"id": event id, "score": number} lines: the score
of a block on each of its events. A user's first --clean commands train his unigram, those of all others the one he is
compared with, both smoothed; the score is the sum over the block of log p(command | others) - log p(command | user).
A block that scores below 0 is learned, unless --static. AUC, and hits at 1.3 % false alarms, go to standard error, where
blocks are labelled. After Maxion and Townsend, "Masquerade detection using truncated command lines", DSN 2002.

    vigil generate --half commands | unigram.py > scores.ndjson
"""
import argparse
import json
import math
import sys
from collections import Counter


def area(attacks, legitimate):
    """AUC with ties counted half."""
    ranked = sorted([(s, 1) for s in attacks] + [(s, 0) for s in legitimate])
    below = total = i = 0
    while i < len(ranked):
        j = i
        while j < len(ranked) and ranked[j][0] == ranked[i][0]:
            j += 1
        hits = sum(kind for _, kind in ranked[i:j])
        misses = j - i - hits
        total += hits * (below + misses / 2)
        below += misses
        i = j
    return total / (len(attacks) * len(legitimate))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", nargs="?", default="-", help="NDJSON; - for standard input")
    parser.add_argument("--clean", type=int, default=5000, help="commands of each user that are his own")
    parser.add_argument("--static", action="store_true", help="learn nothing after the clean commands")
    parser.add_argument("--smoothing", type=float, default=0.01, help="added to each command's count")
    parser.add_argument("--output", default="-", help="NDJSON of scores; - for standard output")
    options = parser.parse_args()

    own, blocks, seen = {}, {}, Counter()
    vocabulary = set()
    with sys.stdin if options.input == "-" else open(options.input) as lines:
        for line in lines:
            event = json.loads(line)
            user, command = event["user"], event["action"]
            vocabulary.add(command)
            seen[user] += 1
            if seen[user] <= options.clean:
                own.setdefault(user, Counter())[command] += 1
                continue
            kind = event.get("label", {}).get("kind")
            block = blocks.setdefault((user, event["session"]), ([], [], kind))
            block[0].append(event["id"])
            block[1].append(command)

    everybody = Counter()
    for counts in own.values():
        everybody.update(counts)
    extra = options.smoothing * len(vocabulary)
    others = {}
    for user, counts in own.items():
        size = sum(everybody.values()) - sum(counts.values()) + extra
        others[user] = {c: math.log((everybody[c] - counts[c] + options.smoothing) / size) for c in vocabulary}

    attacks, legitimate = [], []
    with sys.stdout if options.output == "-" else open(options.output, "w") as out:
        for (user, _), (ids, commands, kind) in blocks.items():
            counts = own.get(user)
            if counts is None:
                continue
            size = sum(counts.values()) + extra
            score = sum(others[user][c] - math.log((counts[c] + options.smoothing) / size) for c in commands)
            for event in ids:
                out.write(json.dumps({"id": event, "score": round(score, 4)}) + "\n")
            if kind is not None:
                (legitimate if kind == "legitimate" else attacks).append(score)
            if not options.static and score < 0:
                counts.update(commands)

    if attacks and legitimate:
        legitimate.sort()
        threshold = legitimate[min(int(0.987 * len(legitimate)), len(legitimate) - 1)]
        hits = sum(score > threshold for score in attacks) / len(attacks)
        print(
            f"{len(attacks)} of {len(attacks) + len(legitimate)} blocks are masquerades: "
            f"AUC {area(attacks, legitimate):.3f}, {100 * hits:.0f} % hits at 1.3 % false alarms",
            file=sys.stderr)


if __name__ == "__main__":
    main()
