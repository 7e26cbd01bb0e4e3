"""Topics of a forum group: made when they are first needed, where the bot may."""

import structlog
from telegram import Bot
from telegram.error import BadRequest, Forbidden

from liqwatch.store import Topics

log = structlog.get_logger("liqwatch.sinks")


class ChatTopics:
    """The topics of one chat, by name. Where one cannot be had, `general` takes its messages."""

    def __init__(self, bot: Bot, topics: Topics, general: int | None) -> None:
        self._bot = bot
        self._topics = topics
        self._general = general
        self._refused = False
        self._gone = set[str]()  # deleted by somebody: not made again before a restart

    def known(self, chat: int, name: str | None) -> int | None:
        """Return the thread of a topic that need not be made."""
        if name is None or name in self._gone:
            return self._general
        return self._topics.thread(chat, name) or self._general

    async def thread(self, chat: int, name: str | None) -> int | None:
        """Return the thread of a topic, made now if need be."""
        if name is None or self._refused or name in self._gone:
            return self.known(chat, name)
        known = self._topics.thread(chat, name)
        if known is not None:
            return known
        try:
            made = await self._bot.create_forum_topic(chat, name)
        except (BadRequest, Forbidden):  # no forum, or no right
            self._refused = True
            log.warning("no topics in the chat", then="messages go to the general one")
            return self._general
        self._topics.made(chat, name, made.message_thread_id)
        return made.message_thread_id

    def gone(self, chat: int, name: str | None) -> None:
        """Note that a topic is no longer there."""
        if name is None:
            self._general = None
        else:
            self._gone.add(name)
            self._topics.gone(chat, name)
