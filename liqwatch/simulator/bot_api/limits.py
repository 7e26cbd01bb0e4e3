"""Telegram's limits, as it enforces them. Pure: the time comes in.

"Avoid sending more than one message per second in a chat (short bursts are allowed), no more than
20 messages per minute in a group, about 30 messages per second in all": core.telegram.org/bots/faq.
How long a burst may be is not documented.
"""

import math
from collections import deque

BURST = 3
PER_GROUP, GROUP_WINDOW_S = 20, 60.0
IN_ALL, IN_ALL_WINDOW_S = 30, 1.0


class Limits:
    """The limits of one bot over all its chats; `burst` messages to a chat may come at once.

    `floods` counts the refusals, `unheeded` those requests that came to a chat before the time it
    had been told to wait for.
    """

    def __init__(self, *, burst: int = BURST) -> None:
        self.floods = self.unheeded = 0
        self._burst = burst
        self._in_all: deque[float] = deque(maxlen=IN_ALL)
        self._in_chat: dict[int, deque[float]] = {}
        self._in_group: dict[int, deque[float]] = {}
        self._frozen_until_s: dict[int, float] = {}

    def spend(self, chat: int, now_s: float) -> int | None:
        """Count a message or an edit; return the seconds to wait if it is one too many."""
        frozen_s = self._frozen_until_s.get(chat, now_s) - now_s
        if frozen_s > 0:  # asking early does not make the wait any longer
            self.unheeded += 1
            self.floods += 1
            return math.ceil(frozen_s)
        wait_s = self._full_for_s(chat, now_s)
        if wait_s > 0:
            return self.freeze(chat, math.ceil(wait_s), now_s)
        for times_s in self._windows(chat):
            times_s.append(now_s)
        return None

    def freeze(self, chat: int, seconds: int, now_s: float) -> int:
        """Refuse whatever goes to `chat` for so long."""
        self.floods += 1
        self._frozen_until_s[chat] = now_s + seconds
        return seconds

    def _windows(self, chat: int) -> list[deque[float]]:
        in_chat = self._in_chat.setdefault(chat, deque(maxlen=self._burst))
        groups = [self._in_group.setdefault(chat, deque(maxlen=PER_GROUP))] if chat < 0 else []
        return [self._in_all, in_chat, *groups]

    def _full_for_s(self, chat: int, now_s: float) -> float:
        spans_s = (IN_ALL_WINDOW_S, float(self._burst), GROUP_WINDOW_S)
        return max(
            times_s[0] + span_s - now_s if len(times_s) == times_s.maxlen else 0.0
            for times_s, span_s in zip(self._windows(chat), spans_s, strict=False)
        )
