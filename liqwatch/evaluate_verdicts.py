"""`liqwatch eval --verdicts`: how good is what is said of levels, and of how cascades ended."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from liqwatch.alerts import Outcome, Verdict
from liqwatch.evaluate import BATCH, HELD_OUT_SEEDS
from liqwatch.simulator.episodes.confusion import accuracy, confusion
from liqwatch.simulator.episodes.verdicts import VISIBILITIES, Judged, Plan, run
from liqwatch.simulator.episodes.worlds import World

_NAMES = {
    "edge": "Verdicts on the edge of the cluster",
    "control": "Verdicts on prices without meaning",
    "outcome": "How cascades ended",
}


def report(*, episodes: int, world: World, hours: int) -> Iterator[str]:
    """Yield the report piece by piece: what is being done, a table of shares, and the counts.

    In every second batch cascades end in every way, in the others mostly of themselves.
    """
    batches = -(-episodes // BATCH)
    yield (
        f"{batches * BATCH} held-out episodes of 40 minutes, {world} world, {hours} h of history."
    )
    plans = [
        Plan(HELD_OUT_SEEDS + n, BATCH, world, hours, endings=n % 2 == 1) for n in range(batches)
    ]
    with ProcessPoolExecutor() as pool:
        judged = [one for each in pool.map(run, plans) for one in each]
    yield _shares(judged)
    for what, name in _NAMES.items():
        for visibility in VISIBILITIES:
            own = _only(judged, what, visibility.name)
            words = Outcome if what == "outcome" else Verdict
            yield f"{name}, visible {visibility.name}:\n\n{confusion(own, words)}"


def _shares(judged: list[Judged]) -> str:
    lines = [
        "| | visible | cases | **right** (95 %) | of those said | by what was so |",
        "|---|---|---|---|---|---|",
    ]
    for what, name in _NAMES.items():
        for visibility in VISIBILITIES:
            own = _only(judged, what, visibility.name)
            if own:
                lines.append(f"| {name} | {visibility.name} | {accuracy(own)} |")
    return "\n".join(lines)


def _only(judged: list[Judged], what: str, visibility: str) -> list[Judged]:
    return [one for one in judged if (one.what, one.visibility) == (what, visibility)]
