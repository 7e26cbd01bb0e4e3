"""What was so against what was said, as tables: counts, and the share that was right."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from liqwatch.alerts import Outcome, Verdict
from liqwatch.simulator.episodes.tables import BOUNDS, RESAMPLES
from liqwatch.simulator.episodes.verdicts import Judged

Word = Verdict | Outcome
NOTHING = "nothing"


def confusion(judged: Iterable[Judged], words: Iterable[Word]) -> str:
    """Return a row for each word that was so, a column for each that was said."""
    counts = Counter((one.truth, one.said) for one in judged)
    rows = list(words)
    columns = [*rows, None]
    head = "".join(f" {NOTHING if one is None else one} |" for one in columns)
    lines = [f"| was \\ said |{head}", "|---" * (len(columns) + 1) + "|"]
    for row in rows:
        if any(counts[row, column] for column in columns):
            cells = "".join(f" {counts[row, column]} |" for column in columns)
            lines.append(f"| {row} |{cells}")
    return "\n".join(lines)


def accuracy(judged: Sequence[Judged]) -> str:
    """Return how many there were, which share was right with its bounds from drawing whole
    episodes, of those of which something was said, and for each word on its own.
    """
    right = _by_episode(one.episode for one in judged if one.said is one.truth)
    every = _by_episode(one.episode for one in judged)
    counts = np.array([(right[episode], every[episode]) for episode in every])
    drawn = np.random.default_rng(1).integers(0, len(counts), (RESAMPLES, len(counts)))
    resampled = counts[drawn].sum(axis=1)
    low, high = np.percentile(resampled[:, 0] / resampled[:, 1], BOUNDS)
    said = [one for one in judged if one.said is not None]
    words = dict.fromkeys(one.truth for one in judged)
    each = ", ".join(
        f"{word} {_share([one for one in judged if one.truth is word])}" for word in sorted(words)
    )
    return f"{len(judged)} | **{_share(judged)}** ({low:.2f}–{high:.2f}) | {_share(said)} | {each}"


def _share(judged: Sequence[Judged]) -> str:
    right = sum(one.said is one.truth for one in judged)
    return f"{right / len(judged):.2f}" if judged else "–"


def _by_episode(episodes: Iterable[tuple[int, int]]) -> Counter[tuple[int, int]]:
    return Counter(episodes)
