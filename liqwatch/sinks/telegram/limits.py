"""Telegram's limits, kept by waiting so that it never has to say so. Pure: the time comes in.

"Avoid sending more than one message per second in a chat, no more than 20 messages per minute in a
group, about 30 messages per second in all": core.telegram.org/bots/faq, "My bot is hitting limits".
"""

from collections import deque

PER_CHAT_S = 1.0
PER_GROUP, GROUP_WINDOW_S = 20, 60.0
IN_ALL, IN_ALL_WINDOW_S = 30, 1.0

# Kept free of what can wait, so that the start of a cascade never does for long.
GROUP_RESERVE, RESERVE_IN_ALL = 6, 10


class Window:
    """At most `count` events in any span of `seconds`; `reserve` of them only for urgent ones.

    >>> window = Window(1, 1.0)
    >>> window.spend(10.0)
    >>> window.wait_s(10.25)
    0.75
    """

    def __init__(self, count: int, seconds: float, *, reserve: int = 0) -> None:
        self._seconds = seconds
        self._count = count
        self._reserve = reserve
        self._times_s: deque[float] = deque(maxlen=count)

    def wait_s(self, now_s: float, *, urgent: bool = True) -> float:
        """Return how long to wait for the next event."""
        count = self._count if urgent else self._count - self._reserve
        if len(self._times_s) < count:
            return 0.0
        return max(0.0, self._times_s[-count] + self._seconds - now_s)

    def spend(self, now_s: float) -> None:
        """Count an event."""
        self._times_s.append(now_s)


class Limits:
    """The limits of one bot, over all its chats. A group has a negative id."""

    def __init__(self) -> None:
        self._in_all = Window(IN_ALL, IN_ALL_WINDOW_S, reserve=RESERVE_IN_ALL)
        self._chats: dict[int, list[Window]] = {}
        self._frozen_until_s: dict[int, float] = {}

    def wait_s(self, chat: int, now_s: float, *, urgent: bool = False) -> float:
        """Return how long to wait before the next message to `chat`."""
        frozen_s = self._frozen_until_s.get(chat, now_s) - now_s
        return max(
            0.0,
            frozen_s,
            *(window.wait_s(now_s, urgent=urgent) for window in self._windows(chat)),
        )

    def spend(self, chat: int, now_s: float) -> None:
        """Count a message to `chat`; an edit is one, too."""
        for window in self._windows(chat):
            window.spend(now_s)

    def freeze(self, chat: int, until_s: float) -> None:
        """Send nothing to `chat` until then: Telegram said so."""
        self._frozen_until_s[chat] = until_s

    def _windows(self, chat: int) -> list[Window]:
        if chat not in self._chats:
            group = [Window(PER_GROUP, GROUP_WINDOW_S, reserve=GROUP_RESERVE)] if chat < 0 else []
            self._chats[chat] = [self._in_all, Window(1, PER_CHAT_S), *group]
        return self._chats[chat]
