"""What a venue file has already heard, so that overlapping connections and replays count once.

Both memories are bounded and forget the oldest first; a duplicate older than that counts again.
"""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

V = TypeVar("V")

_NAMES = 4096  # more instruments than any venue lists
_WINDOW = 1024  # ids remembered per instrument: about a second of the busiest tape
_GENERATION = 8192
_FUTURE_MS = 60_000
_SETTLED_MS = 5_000  # after which the stream has told all that it will of a moment


def remember(memory: dict[str, V], name: str, value: V) -> None:
    """Set `name` in a memory of at most 4,096 names; the one entered first makes room."""
    if name not in memory and len(memory) >= _NAMES:
        del memory[next(iter(memory))]
    memory[name] = value


class SeenIds(msgspec.Struct):
    """The ids last seen of each instrument, for venues that number their trades upwards.

    Kept are the newest id and which of the 1,024 below it are still missing, one bit each, like the
    replay window of IPsec (RFC 4303, 3.4.3). An id far outside of the window moves it instead of
    being refused: one absurd id must not silence an instrument.
    """

    newest: dict[str, int] = {}
    missing: dict[str, bytes] = {}  # bit n of the big-endian number: newest − n; absent: none

    def add(self, instrument: str, number: int, count: int = 1) -> bool:
        """Return whether the id is new, and remember it, or the `count` ids that end with it."""
        if self.newest.get(instrument) == number - count and instrument not in self.missing:
            self.newest[instrument] = number
            return True
        return self._add_out_of_turn(instrument, number, count)

    def gap(self, instrument: str, number: int, count: int = 1) -> int:
        """Return how many ids would be skipped by adding these now; below zero: how many that were
        skipped would be filled in. To be asked before `add`, and to count only if that finds them
        new.
        """
        newest = self.newest.get(instrument)
        if newest is None:
            return 0
        return max(0, number - count - newest) if number > newest else -count

    def _add_out_of_turn(self, instrument: str, number: int, count: int) -> bool:
        newest = self.newest.get(instrument)
        missing = int.from_bytes(self.missing.pop(instrument, b""))
        ahead = _WINDOW if newest is None else number - newest
        is_new = True
        if 0 < ahead < _WINDOW:
            missing = missing << ahead | (1 << ahead) - (1 << min(count, ahead))
        elif -_WINDOW < ahead <= 0:
            is_new = bool(missing >> -ahead & 1)
            missing &= ~(1 << -ahead)
            number -= ahead
        else:
            missing = 0
        remember(self.newest, instrument, number)
        missing &= (1 << _WINDOW) - 1
        if missing:
            remember(self.missing, instrument, missing.to_bytes(_WINDOW // 8))
        return is_new


class Newest(msgspec.Struct):
    """The newest time a venue has stamped on its market: what is much older is history.

    Judged on the venue's own clock, since ours may be off by more than the age that counts. While
    the venue stamps nothing, as during an outage or between two runs, its clock runs on with ours.
    """

    ms: int = 0
    heard_ms: int = 0  # when that was, on our clock

    def stamp(self, time_ms: int, received: int) -> None:
        """Take note of the time of a trade, price or open interest, received at `received` ns."""
        # A time of tomorrow is a mistake, and would make everything that follows history.
        if self.ms < time_ms < received // 1_000_000 + _FUTURE_MS:
            self.ms, self.heard_ms = time_ms, received // 1_000_000

    def now_ms(self, received: int) -> int:
        """Return the venue's time; ours, as long as it has stamped nothing."""
        our_ms = received // 1_000_000
        return self.ms + max(0, our_ms - self.heard_ms) if self.ms else our_ms

    def is_history(self, time_ms: int, received: int, *, age_ms: int = 10_000) -> bool:
        """Whether a liquidation is told so late that nothing may be decided on it."""
        return time_ms < self.now_ms(received) - age_ms

    def is_settled(self, time_ms: int, received: int) -> bool:
        """Whether REST may tell of it: the stream has told it or missed it.

        What is younger is left to the stream, whose telling would else be a repetition of history.
        """
        return self.is_history(time_ms, received, age_ms=_SETTLED_MS)

    def is_past(self, time_ms: int, received: int, *, replayed: bool) -> bool:
        """Whether a row is history, at a venue that replays the last ones after a subscription.

        Of a replay that is what is old: its youngest rows may be news, which another connection is
        about to deliver. Before anything live was heard it is all of it. Live rows are stamped.
        """
        if not replayed:
            self.stamp(time_ms, received)
        elif not self.ms:
            return True
        return self.is_history(time_ms, received)


class SeenKeys:
    """The last 8,192 to 16,384 keys, in two generations: when the young one is full it becomes the
    old one, and what was old is forgotten.
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._young: dict[str, None] = {}
        self._old: dict[str, None] = {}
        for key in keys:
            self.add(key)

    def add(self, key: str) -> bool:
        """Return whether the key is new, and remember it."""
        if key in self._young or key in self._old:
            return False
        if len(self._young) >= _GENERATION:
            self._old, self._young = self._young, {}
        self._young[key] = None
        return True

    def keys(self) -> list[str]:
        """Everything remembered, oldest first."""
        return [*self._old, *self._young]
