"""Which address is to be asked when."""

from collections.abc import Sequence

from liqwatch.exchanges.base import Poll

SPREAD_S = 300.0
_NEVER_NS = 2**63


class Schedule:
    """Polls and the time each is due, in ns of whatever clock the caller goes by."""

    def __init__(self) -> None:
        self._due: dict[str, tuple[int, Poll]] = {}  # by address

    def revise(self, polls: Sequence[Poll], now_ns: int) -> None:
        """Take up what is new, drop what is gone; the rest stays due when it was, or sooner.

        The first round of the new is spread over their interval, but over no more than five
        minutes: nobody should wait for hours for what is asked every few hours.
        """
        kept = self._due
        new = [poll for poll in polls if poll.url not in kept]
        self._due = {
            poll.url: (min(kept[poll.url][0], _after(poll.interval_s, now_ns)), poll)
            for poll in polls
            if poll.url in kept
        } | {
            poll.url: (_after(min(poll.interval_s, SPREAD_S) * n / len(new), now_ns), poll)
            for n, poll in enumerate(new)
        }

    def next(self) -> tuple[int, Poll | None]:
        """Return when the first is due, and which; never, and None, where there is none."""
        return min(self._due.values(), key=lambda one: one[0], default=(_NEVER_NS, None))

    def postpone(self, poll: Poll, wait_s: float, now_ns: int) -> None:
        """Have it asked again after so long."""
        self._due[poll.url] = _after(wait_s, now_ns), poll


def _after(wait_s: float, now_ns: int) -> int:
    return now_ns + round(wait_s * 1e9)
