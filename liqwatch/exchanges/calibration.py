"""Settle an open question about a feed by what a second source of the same venue says.

A venue tells the same liquidations over its stream and over REST. Where two tellings of one
liquidation meet, and only one of the two is understood, they vote on how to read the other.
"""

from msgspec import Struct

from liqwatch.exchanges.seen import remember

NEEDED = 5  # votes before anything is decided
_AGREEING = 0.9
_KEPT = 20  # votes, so that three that contradict are enough to reopen the question
_PER_LIQUIDATION = 16  # tellings that wait under one name


class Votes(Struct):
    """The last votes on one question of two answers: is it the first?"""

    cast: list[bool] = []

    def add(self, *, first: bool) -> None:
        """Cast a vote, forgetting the oldest beyond 20."""
        self.cast = [*self.cast, first][-_KEPT:]

    @property
    def verdict(self) -> bool | None:
        """Whether it is the first answer; None while there are too few votes or they disagree."""
        first = sum(self.cast)
        most = max(first, len(self.cast) - first)
        if len(self.cast) < NEEDED or most < _AGREEING * len(self.cast):
            return None
        return first == most

    def progress(self) -> str:
        """Say how far it is, in a few words for people."""
        if len(self.cast) < NEEDED:
            return f"{len(self.cast)} of {NEEDED} matches between stream and REST"
        return f"matches between stream and REST disagree, {sum(self.cast)} of {len(self.cast)}"


class Telling(Struct, frozen=True, array_like=True):
    """One source's word on a liquidation: when, the number in question, whether it was an event."""

    time: int
    value: float
    is_event: bool


class Meetings(Struct):
    """Tellings of each source that wait for the other's, by a name both give the liquidation.

    Bounded: 4,096 names a source, the one entered first makes room.
    """

    stream: dict[str, tuple[Telling, ...]] = {}
    rest: dict[str, tuple[Telling, ...]] = {}

    def of_stream(self, name: str, telling: Telling, *, within: int = 0) -> Telling | None:
        """Return what REST told at that time, give or take `within`, or wait for it."""
        return _meet(self.stream, self.rest, name, telling, within)

    def of_rest(self, name: str, telling: Telling, *, within: int = 0) -> Telling | None:
        """Return what the stream told at that time, give or take `within`, or wait for it."""
        return _meet(self.rest, self.stream, name, telling, within)


def _meet(
    own: dict[str, tuple[Telling, ...]],
    others: dict[str, tuple[Telling, ...]],
    name: str,
    telling: Telling,
    within: int,
) -> Telling | None:
    def distance(other: Telling) -> int:
        return abs(other.time - telling.time)

    waiting = others.get(name, ())
    nearest = min(waiting, key=distance, default=None)
    if nearest is None or distance(nearest) > within:
        remember(own, name, (*own.get(name, ()), telling)[-_PER_LIQUIDATION:])
        return None
    at = waiting.index(nearest)
    if rest := waiting[:at] + waiting[at + 1 :]:
        others[name] = rest
    else:
        del others[name]
    return nearest
