"""When the data of a feed had stopped, and from when to when it is missing."""

from collections.abc import Callable

# Told when data flows again: the first and the last moment of the gap, in ms since the Unix epoch.
OnGap = Callable[[int, int], None]


class Gaps:
    """Follow the connections of one feed: where one takes over from another, there is no gap."""

    def __init__(self, on_gap: OnGap) -> None:
        self._on_gap = on_gap
        self._flowing = 0
        self._last_ns: int | None = None

    def begin(self, first_ns: int) -> None:
        """Note the first data of a connection."""
        if not self._flowing and self._last_ns is not None:
            self._on_gap(self._last_ns // 1_000_000, first_ns // 1_000_000)
        self._flowing += 1

    def end(self, last_ns: int) -> None:
        """Note that a connection that had begun is no more, and when its last data came."""
        self._flowing -= 1
        self._last_ns = max(last_ns, self._last_ns or 0)
