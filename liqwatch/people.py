"""Who is told, and who may ask: the outbox with its pictures and status message, and the bot."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import structlog
from msgspec.structs import replace

from liqwatch.alerts import Alert, Kind
from liqwatch.clock import Clock
from liqwatch.config import NotifySettings
from liqwatch.control.vocabulary import Answer, Question
from liqwatch.drawing import drawn
from liqwatch.engine import Engine
from liqwatch.sinks import build, build_fallback
from liqwatch.sinks.base import Sink
from liqwatch.sinks.fallback import Fallback
from liqwatch.sinks.outbox import Outbox
from liqwatch.sinks.status import Status
from liqwatch.sinks.timing import Timing
from liqwatch.store import Database

if TYPE_CHECKING:
    from liqwatch.sinks.telegram.bot.run import CommandBot

PASS_S = 1.0  # market time, as the next
FOLLOW_S = 3.0  # a running cascade's message changes no more often

log = structlog.get_logger("liqwatch")


class Ways(NamedTuple):
    """The ways to people, made from settings: while they are made nothing else changes."""

    notify: NotifySettings
    sinks: list[Sink]
    fallback: Fallback | None


def ways(notify: NotifySettings, database: Database, timing: Timing) -> Ways:
    """Make the ways to people, whose limits pass as `timing` says. Raises SinkError."""
    sinks = build(notify, database, elapsed_s=timing.monotonic)
    return Ways(notify, sinks, build_fallback(notify.fallback))


class People:
    """Those who are told now. `ask` answers the bot, `status` says in a language how it is.

    Messages age by `clock`; the rest of `timing` is that of the receivers.
    """

    def __init__(
        self,
        to: Ways,
        database: Database,
        engine: Engine,
        *,
        clock: Clock,
        ask: Callable[[Question], Answer],
        status: Status,
        timing: Timing,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._theme = to.notify.pictures
        self.outbox = Outbox(
            database,
            to.sinks,
            settings=to.notify.delivery,
            fallback=to.fallback,
            draw=None if self._theme is None else self._draw,
            status=status,
            timing=replace(timing, now_ms=self._now_ms),
        )
        self._bot = self._hearing(to, database, ask)

    async def run(self) -> None:
        """Tell them, and hear them, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.outbox.run())
            tasks.create_task(self._pass_time())
            tasks.create_task(self._follow())
            if self._bot is not None:
                tasks.create_task(_heard(self._bot))

    async def _pass_time(self) -> None:
        while True:
            await self._clock.sleep(PASS_S)
            self.outbox.pass_time(self._now_ms())

    async def _follow(self) -> None:
        while True:
            await self._clock.sleep(FOLLOW_S)
            self.outbox.follow(self._engine.running())

    async def _draw(self, alert: Alert) -> bytes | None:
        if self._theme is None:
            return None
        if alert.kind is Kind.MAP_DIGEST:
            shown = self._engine.show_map(alert.symbol)
            return None if shown is None else await drawn(shown, self._theme)
        if alert.direction is None or not alert.kind.startswith("cascade_"):
            return None
        episode = self._engine.show_episode(alert.symbol, alert.direction)
        return None if episode is None else await drawn(episode, self._theme)

    def _now_ms(self) -> int:
        return self._clock.now_ns() // 1_000_000

    def _hearing(
        self, to: Ways, database: Database, ask: Callable[[Question], Answer]
    ) -> "CommandBot | None":
        settings = to.notify.telegram
        if settings is None or not settings.bot.commands:
            return None
        # Imported here: the library is large, and who has no chat needs none of it.
        from liqwatch.sinks.telegram.bot.run import hearing  # noqa: PLC0415 - see above
        from liqwatch.sinks.telegram.sender import TelegramSink  # noqa: PLC0415 - its companion

        return hearing(
            settings.bot,
            [one for one in to.sinks if isinstance(one, TelegramSink)],
            database=database,
            ask=ask,
            waits=self.outbox.waits,
            revive=self.outbox.revive,
        )


async def _heard(bot: "CommandBot") -> None:
    try:
        await bot.run()
    except Exception as error:  # noqa: BLE001 - alerts go on; its text may hold the token
        log.error("commands are not answered any more", error=type(error).__name__)
