"""Telegram's limits, kept by waiting so that it never has to say so. Pure: the time comes in.

"Avoid sending more than one message per second in a chat, no more than 20 messages per minute in a
group, about 30 messages per second in all": core.telegram.org/bots/faq, "My bot is hitting limits".
"""

from collections import deque

PER_CHAT_S = 1.0
PER_GROUP, GROUP_WINDOW_S = 20, 60.0
IN_ALL, IN_ALL_WINDOW_S = 30, 1.0


class Window:
    """At most `count` events in any span of `seconds`.

    >>> window = Window(1, 1.0)
    >>> window.spend(10.0)
    >>> window.wait_s(10.25)
    0.75
    """

    def __init__(self, count: int, seconds: float) -> None:
        self._seconds = seconds
        self._times_s: deque[float] = deque(maxlen=count)

    def wait_s(self, now_s: float) -> float:
        """Return how long to wait for the next event."""
        if len(self._times_s) < (self._times_s.maxlen or 0):
            return 0.0
        return max(0.0, self._times_s[0] + self._seconds - now_s)

    def spend(self, now_s: float) -> None:
        """Count an event."""
        self._times_s.append(now_s)


class Limits:
    """The limits of one bot, over all its chats. A group has a negative id."""

    def __init__(self) -> None:
        self._in_all = Window(IN_ALL, IN_ALL_WINDOW_S)
        self._chats: dict[int, list[Window]] = {}

    def wait_s(self, chat: int, now_s: float) -> float:
        """Return how long to wait before the next message to `chat`."""
        return max(window.wait_s(now_s) for window in self._windows(chat))

    def spend(self, chat: int, now_s: float) -> None:
        """Count a message to `chat`; an edit is one, too."""
        for window in self._windows(chat):
            window.spend(now_s)

    def _windows(self, chat: int) -> list[Window]:
        if chat not in self._chats:
            group = [Window(PER_GROUP, GROUP_WINDOW_S)] if chat < 0 else []
            self._chats[chat] = [self._in_all, Window(1, PER_CHAT_S), *group]
        return self._chats[chat]
