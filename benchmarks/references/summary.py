#!/usr/bin/env python3
"""Reports of `vigil evaluate --format json`, one a seed, as one table: the mean over seeds and the least and greatest, and
on how many seeds Vigil is ahead.

    summary.py seed-1.json seed-2.json
"""
import json
import sys
from collections import defaultdict


def main():
    places = defaultdict(list)
    for path in sys.argv[1:]:
        with open(path) as file:
            report = json.load(file)
        for row in report["ranking"]:
            if row["history"] == "any" and "auc" in row:
                places[row["unit"], row["kind"], row["scorer"]].append(row)
    table = [["unit", "kind", "scorer", "seeds", "AUC", "least", "most", "recall at 1 %", "least", "most", "vigil ahead on"]]
    for (unit, kind, scorer), rows in places.items():
        areas = [row["auc"]["value"] for row in rows]
        recalls = [row["recallAt1Percent"]["value"] for row in rows]
        ahead = [row["vigilAhead"]["value"] > 0 for row in rows if "vigilAhead" in row]
        table.append(
            [unit, kind, scorer, str(len(rows))]
            + ["%.3f" % value for value in (sum(areas) / len(areas), min(areas), max(areas))]
            + ["%.2f" % value for value in (sum(recalls) / len(recalls), min(recalls), max(recalls))]
            + ["%d of %d" % (sum(ahead), len(ahead)) if ahead else ""])
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        print("  ".join(cell.ljust(widths[i]) if i < 3 else cell.rjust(widths[i]) for i, cell in enumerate(row)).rstrip())


if __name__ == "__main__":
    main()
