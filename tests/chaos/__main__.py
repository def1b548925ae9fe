"""`python -m tests.chaos`: imports on every store and engine, while all that can happen does.

Every row is there exactly once where rows and cursor are committed together; else no row is
missing, and no more are done again than `save_every` allows for.
"""

import argparse
import random
import sys
from collections import Counter

from tests.chaos.places import PLACES
from tests.chaos.run import run
from tests.chaos.table import HEADING

AROUND = 6.0
"""Seconds that a place takes besides: its server starts, its last jobs finish."""
SHORTEST = 4.0


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300, help="for all of it (%(default)g)")
    parser.add_argument("--only", default="", metavar="TEXT", help="places with TEXT in their name")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    options = parser.parse_args()
    places = [place for place in PLACES if options.only.lower() in place.name.lower()]
    there = [place for place in places if not place.missing]
    if not there:
        parser.error(f"there is no such place: {options.only}")
    seconds = max(SHORTEST, options.seconds / len(there) - AROUND)
    print(f"{seconds:.0f} s for each place, seed {options.seed}\n\n{HEADING}")
    problems = Counter()
    for place in places:
        if place.missing:
            print(f"{place.name}: not here, {place.missing}")
            continue
        for line in run(place, seconds, options.seed):
            print(line, flush=True)
            problems.update(f"{place.name}: {problem}" for problem in line.problems)
    for problem in problems:
        print(problem)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
