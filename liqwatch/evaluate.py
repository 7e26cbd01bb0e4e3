"""`liqwatch eval`: how good the start rule is on a fixed suite of simulated markets."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain

from liqwatch.simulator.episodes.suite import (
    ABLATIONS,
    PRODUCT,
    PRODUCTS,
    VISIBILITIES,
    Plan,
    Tried,
    best,
    run,
)
from liqwatch.simulator.episodes.tables import Row, markdown, summarise
from liqwatch.simulator.episodes.trial import Result
from liqwatch.simulator.episodes.worlds import World

TUNING_SEEDS, HELD_OUT_SEEDS = 1_000, 2_000  # the first of each; rivals are tuned, then compared
BATCH = 36  # episodes that are lived through side by side
MOST_TUNING = 7  # batches


def report(*, episodes: int, world: World, hours: int, ablations: bool) -> Iterator[str]:
    """Yield the report piece by piece: what is being done, then the table.

    `episodes` held out, and up to 252 others on which the rivals' thresholds are tuned; feeds come
    with so many hours of history. With `ablations` parts of the start rule are tried alone.
    """
    batches = -(-episodes // BATCH)
    tuning = min(batches, MOST_TUNING)
    yield (
        f"{batches * BATCH} held-out episodes of 40 minutes, {world} world, {hours} h of history;"
        f" the others' thresholds are tuned on {tuning * BATCH} more."
    )
    with ProcessPoolExecutor() as pool:
        plans = [Plan(TUNING_SEEDS + n, BATCH, world, hours) for n in range(tuning)]
        tried = [one for _, each in pool.map(run, plans) for one in each]
        plans = [
            Plan(
                HELD_OUT_SEEDS + n,
                BATCH,
                world,
                hours,
                thresholds=best(tried),
                products={**PRODUCTS, **ABLATIONS} if ablations else PRODUCTS,
            )
            for n in range(batches)
        ]
        done = list(pool.map(run, plans))
    results = list(chain.from_iterable(results for results, _ in done))
    held_out = [one for _, each in done for one in each]
    yield markdown(_rows(results, held_out))
    yield _by_story([one for one in results if one.method == PRODUCT])


def _rows(results: Sequence[Result], tried: Sequence[Tried]) -> Iterator[Row]:
    every = [*results, *(one.result for one in tried)]
    methods = dict.fromkeys(one.method for one in every)
    for visibility in VISIBILITIES:
        for method in methods:
            own = [x for x in every if (x.method, x.visibility) == (method, visibility.name)]
            yield summarise(own)


def _by_story(results: Sequence[Result]) -> str:
    """Say where the product's own mistakes lie."""
    lines = [f"| story | {PRODUCT}: legs | found | false starts |", "|---|---|---|---|"]
    for story in dict.fromkeys(one.story for one in results):
        own = [one for one in results if one.story == story]
        legs, found, false = (
            sum(getattr(one, name) for one in own) for name in ("legs", "found", "false_starts")
        )
        lines.append(f"| {story} | {legs} | {found} | {false} |")
    return "\n".join(lines)
