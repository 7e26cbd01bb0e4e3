"""What people did, kept until the bot confirms it: core.telegram.org/bots/api#getupdates."""

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]


class Updates:
    """The queue of getUpdates."""

    def __init__(self) -> None:
        self.waiting: list[Json] = []
        self.allowed: Sequence[str] = ()  # all that people do, unless said otherwise
        self._next = 1

    def add(self, kind: str, what: Json) -> None:
        """Something happened; it is kept only if the bot asked for its kind the last time."""
        if not self.allowed or kind in self.allowed:
            self.waiting.append({"update_id": self._next, kind: what})
            self._next += 1

    def confirm(self, offset: int | None) -> None:
        """Forget what is before `offset`; a negative one counts from the end."""
        if offset is not None and offset < 0:
            self.waiting = self.waiting[offset:]
        elif offset is not None:
            self.waiting = [one for one in self.waiting if one["update_id"] >= offset]

    def first(self, limit: int) -> list[Json]:
        """Return the oldest, at most so many and never over 100."""
        return self.waiting[: min(max(limit, 1), 100)]
