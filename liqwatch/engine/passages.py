"""What price passed, held against what was then seen: did the map's liquidations come?"""

from collections.abc import Iterable
from math import log

import msgspec

from liqwatch.engine.clusters import Zone
from liqwatch.engine.positions import Swept
from liqwatch.events import Position

MOST_PASSAGES = 64  # of one coin, the latest
SAME_PASSAGE_MS = 900_000  # price that comes back sooner is still passing
REALISED_WITHIN_MS = 60_000  # of the last sweep: venues work off their liquidations with a delay


class Passage(msgspec.Struct):
    """One cluster while price passes it. `forced_usd` over `expected_usd` is what was realised,
    of a sampled feed a floor.
    """

    zone: str  # its id
    position: Position
    low: float
    high: float
    began_ms: int
    last_ms: int
    expected_usd: float = 0.0  # mass of the map that price has swept, at the scale of the time
    forced_usd: float = 0.0  # liquidations of that side seen meanwhile


def expect(
    passages: list[Passage],
    swept: Swept,
    clusters: Iterable[Zone],
    now_ms: int,
    *,
    scale: float = 1.0,
) -> None:
    """Book swept mass on the clusters it belonged to, by how much of the way lay in each.

    `scale` is what a dollar of the map is worth at that moment; what is learned later changes
    nothing that was expected.
    """
    way = log(swept.high / swept.low)
    for zone in clusters:
        low, high = max(zone.low, swept.low), min(zone.high, swept.high)
        if zone.position is not swept.position or low >= high:
            continue
        passage = _passage(passages, zone, now_ms)
        passage.expected_usd += scale * swept.usd * log(high / low) / way
        passage.last_ms = now_ms
    del passages[:-MOST_PASSAGES]


def realise(passages: list[Passage], position: Position, usd: float, time_ms: int) -> None:
    """Book a liquidation on the cluster of its side that price passed last, if just now."""
    for passage in reversed(passages):
        if passage.position is position:
            if time_ms - passage.last_ms <= REALISED_WITHIN_MS:
                passage.forced_usd += usd
            return


def _passage(passages: list[Passage], zone: Zone, now_ms: int) -> Passage:
    """Return the passage that goes on through a zone, or begin one; it becomes the last."""
    for passage in reversed(passages):
        if passage.zone == zone.id and now_ms - passage.last_ms <= SAME_PASSAGE_MS:
            passages.remove(passage)
            break
    else:
        passage = Passage(zone.id, zone.position or Position.LONG, zone.low, zone.high, now_ms, 0)
    passage.low, passage.high = min(passage.low, zone.low), max(passage.high, zone.high)
    passages.append(passage)
    return passage
