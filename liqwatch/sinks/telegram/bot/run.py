"""Puts the bot together: who may ask, what is asked, how it is heard and answered."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress

from telegram import BotCommand
from telegram.error import BadRequest

from liqwatch.alerting.catalogues import LANGUAGES, Language, phrase
from liqwatch.control.vocabulary import Answer, AskMutes, Muted, MutesAnswer, Question
from liqwatch.drawing import drawn
from liqwatch.samples import messages
from liqwatch.sinks.telegram.bot import BotSettings
from liqwatch.sinks.telegram.bot.callbacks import Buttons
from liqwatch.sinks.telegram.bot.commands import COMMANDS, UNLISTED
from liqwatch.sinks.telegram.bot.face import Chats, Face
from liqwatch.sinks.telegram.bot.polling import Offset, Polling, wall_ms
from liqwatch.sinks.telegram.bot.roles import Roles
from liqwatch.sinks.telegram.bot.voice import Draw, Voice
from liqwatch.sinks.telegram.connection import Connection
from liqwatch.sinks.telegram.sender import TelegramSink
from liqwatch.store import Database
from liqwatch.store.buttons import Panels


class CommandBot:
    """Hears and answers for one bot.

    `ask` asks the daemon, `homes` tells the chats that alerts go to now; `alerts_wait` is that of
    `Voice`. `now_ms` is the wall clock.
    """

    def __init__(
        self,
        settings: BotSettings,
        connection: Connection,
        *,
        database: Database,
        ask: Callable[[Question], Answer],
        homes: Callable[[], Collection[int]],
        chats: Chats,
        buttons: Buttons,
        alerts_wait: Callable[[int], bool],
        draw: Draw = drawn,
        now_ms: Callable[[], int] = wall_ms,
    ) -> None:
        self._bot = connection.bot
        voice = Voice(connection, draw, alerts_wait=alerts_wait)
        self._face = Face(
            voice,
            ask,
            Roles(settings, homes),
            buttons,
            chats,
            _samples,
            now_s=lambda: now_ms() / 1000,
        )
        offset = Offset(database, self._bot.token.partition(":")[0], now_ms)
        self._polling = Polling(self._bot, self._face.take, offset, hello=self._hello)

    async def run(self) -> None:
        """Hear and answer until cancelled."""
        await self._polling.run()

    async def _hello(self) -> None:
        me = await self._bot.get_me()
        self._face.username = me.username or ""
        with suppress(BadRequest):  # without them it is only less handy
            for code, language in ((None, LANGUAGES[0]), *((one, one) for one in LANGUAGES)):
                await self._bot.set_my_commands(_listed(language), language_code=code)


def _samples(language: Language) -> Iterator[str]:
    return (one.text.html() for one in messages(language))


def _listed(language: Language) -> list[BotCommand]:
    return [
        BotCommand(name, phrase(f"bot-command-{name}", language))
        for name in COMMANDS
        if name not in UNLISTED
    ]


def hearing(
    settings: BotSettings,
    sinks: Sequence[TelegramSink],
    *,
    database: Database,
    ask: Callable[[Question], Answer],
    waits: Callable[[str], bool],
    revive: Callable[[str], None],
    now_ms: Callable[[], int] = wall_ms,
) -> CommandBot:
    """Return the bot of these chats (at least one), whose messages get its buttons from now on.

    `waits` says whether alerts wait for a receiver, `revive` makes one count again that had wanted
    nothing any more.
    """

    def sink_of(chat: int) -> TelegramSink | None:
        return next((one for one in sinks if one.chat == chat), None)

    def language(chat: int) -> Language:
        sink = sink_of(chat) or sinks[0]
        return sink.rules.language

    def receiver(chat: int) -> str | None:
        sink = sink_of(chat)
        return None if sink is None else sink.receiver

    def mutes(chat: int) -> Sequence[Muted]:
        told = ask(AskMutes(receiver(chat)))
        return told.mutes if isinstance(told, MutesAnswer) else ()

    def started(chat: int) -> None:
        if (known := receiver(chat)) is not None:
            revive(known)

    def alerts_wait(chat: int) -> bool:
        known = receiver(chat)
        return known is not None and waits(known)

    buttons = Buttons(Panels(database), language=language, mutes=mutes, now_ms=now_ms)
    for sink in sinks:
        sink.buttons = buttons
    return CommandBot(
        settings,
        sinks[0].connection,
        database=database,
        ask=ask,
        homes=lambda: {one.chat for one in sinks},
        chats=Chats(language=language, receiver=receiver, started=started),
        buttons=buttons,
        alerts_wait=alerts_wait,
        now_ms=now_ms,
    )
