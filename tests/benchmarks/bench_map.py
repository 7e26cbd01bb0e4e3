"""The estimated map and the maps others draw, held against worlds whose truth is known.

Medians over worlds of each world's median, and what four worlds in five lie between. Constants are
chosen on the tuning seeds; the table to quote is that of the held-out ones, which is the default.

Run by hand: python tests/benchmarks/bench_map.py [--tuning] [--worlds N]
"""

import argparse
import time
from collections.abc import Sequence
from statistics import median, quantiles

from liqwatch.simulator.map_contest import (
    DAYS,
    HELD_OUT_SEEDS,
    TUNING_SEEDS,
    contest,
    estimators,
)
from liqwatch.simulator.map_score import MapScore

HEADS = ("Spearman", "top decile / best", "EMD %", "ln scale")


def spread(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    deciles = quantiles(known, n=10, method="inclusive") if len(known) > 1 else known * 9
    return f"{median(known):5.2f} [{deciles[0]:5.2f}, {deciles[8]:5.2f}]"


def table(scores: dict[str, list[MapScore]]) -> str:
    rows = [f"{'estimator':34}" + "".join(f"{head:>23}" for head in HEADS)]
    rows += [
        f"{name:34}" + "".join(f"{spread(column):>23}" for column in zip(*found, strict=True))
        for name, found in scores.items()
    ]
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tuning", action="store_true", help="the tuning seeds instead")
    parser.add_argument("--worlds", type=int, default=len(HELD_OUT_SEEDS), metavar="N")
    chosen = parser.parse_args()
    seeds = (TUNING_SEEDS if chosen.tuning else HELD_OUT_SEEDS)[: chosen.worlds]
    begun, scores = time.process_time(), dict[str, list[MapScore]]()
    for seed in seeds:
        for name, score in contest(seed, estimators()).items():
            scores.setdefault(name, []).append(score)
    print(table(scores))  # noqa: T201 - a script
    print(  # noqa: T201 - a script
        f"{len(seeds)} {'tuning' if chosen.tuning else 'held-out'} worlds of {DAYS} days, "
        f"{time.process_time() - begun:.0f} s on one core"
    )


if __name__ == "__main__":
    main()
