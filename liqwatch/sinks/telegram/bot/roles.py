"""Who may ask, and who may change something."""

from collections.abc import Callable, Collection
from enum import IntEnum

from liqwatch.sinks.telegram.bot import BotSettings


class Role(IntEnum):
    """What a person may do in a chat."""

    STRANGER = 0
    VIEWER = 1
    ADMIN = 2


class Roles:
    """The allow-lists of people and chats. `chats` tells those that alerts go to now.

    A person is heard there and in a chat with the bot alone, whose id is the person's own.
    """

    def __init__(self, settings: BotSettings, chats: Callable[[], Collection[int]]) -> None:
        self._admins = frozenset(settings.admins)
        self._viewers = frozenset(settings.viewers)
        self._chats = chats

    def of(self, user: int, chat: int) -> Role:
        """Return what a person may do in a chat."""
        known = self.of_person(user)
        return known if chat == user or chat in self._chats() else Role.STRANGER

    def of_person(self, user: int) -> Role:
        """Return what a person may do at all."""
        if user in self._admins or (not self._admins and user in self._chats()):
            return Role.ADMIN
        return Role.VIEWER if user in self._viewers else Role.STRANGER
