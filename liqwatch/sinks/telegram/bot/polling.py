"""Asks Telegram what people wrote and pressed: one update after the other, none of them twice.

What goes wrong here is said once and stops nothing else. Where the next update begins is on disk
before what was fetched is acted on: after a kill an update is lost rather than done again.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog
from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from liqwatch.secret import Secret
from liqwatch.store import Database

WAIT_S = 25  # for something new, in one request
AT_ONCE = 100  # updates in one request, the most there can be
PAUSE_S = 1.0  # after a full one: a flood is fetched slowly
LISTENS_TO = ("message", "callback_query")
NEWEST = -1  # as an offset: whatever came before the newest update is let go
MOST_WORK = 8  # updates acted on at the same time
CONFLICT_WAIT_S = 180.0
TOKEN_REFUSED_WAIT_S = 300.0
MAX_BACKOFF_S = 60.0
# "If there are no new updates for at least a week, then identifier of the next update will be
# chosen randomly": core.telegram.org/bots/api#update
OFFSET_LASTS_MS = 6 * 86_400_000

log = structlog.get_logger("liqwatch.telegram")

Take = Callable[[Update], Awaitable[None]]


class Offset:
    """Where the next update begins, kept over restarts. `now_ms` is the wall clock."""

    def __init__(self, database: Database, bot_id: str, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._name = f"telegram-updates-{bot_id}"
        self._now_ms = now_ms
        kept = database.load_snapshot(self._name)
        fresh = kept is not None and now_ms() - kept.saved_at_ms < OFFSET_LASTS_MS
        self.next: int | None = int(kept.blob) if kept is not None and fresh else None

    def move(self, following: int) -> None:
        """Go on from there."""
        self.next = following
        self._database.save_snapshot(self._name, 1, str(following).encode())


class Polling:
    """Fetches updates for `take`; `hello` is said first, as soon as Telegram hears it."""

    def __init__(
        self,
        bot: Bot,
        take: Take,
        offset: Offset,
        *,
        hello: Callable[[], Awaitable[None]],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = random.random,
        wait_s: int = WAIT_S,
    ) -> None:
        self._bot = bot
        self._take = take
        self._offset = offset
        self._hello: Callable[[], Awaitable[None]] | None = hello
        self._sleep = sleep
        self._random = random
        self._wait_s = wait_s
        self._failures = 0
        self._trouble: str | None = None
        self._work = set[asyncio.Task[None]]()

    async def run(self) -> None:
        """Fetch until cancelled."""
        try:
            while True:
                for update in await self._fetched():
                    await self._begin(update)
        finally:
            for task in self._work:
                task.cancel()
            await asyncio.gather(*self._work, return_exceptions=True)

    async def _fetched(self) -> Sequence[Update]:
        """Return what is new; nothing, after a while, where something is wrong."""
        try:
            updates = await self._asked()
        except TelegramError as error:
            await self._sleep(self._excused(error))
            return ()
        except Exception as error:  # noqa: BLE001 - an update that the library cannot read
            log.warning("commands are let go", unreadable=type(error).__name__)
            self._offset.next = NEWEST
            await self._sleep(MAX_BACKOFF_S)
            return ()
        self._works()
        if updates:
            self._offset.move(updates[-1].update_id + 1)
        if len(updates) >= AT_ONCE:
            await self._sleep(PAUSE_S)
        return updates

    async def _asked(self) -> Sequence[Update]:
        if self._hello is not None:
            await self._hello()
            self._hello = None
        return await self._bot.get_updates(
            offset=self._offset.next,
            timeout=self._wait_s,
            limit=AT_ONCE,
            allowed_updates=LISTENS_TO,
        )

    async def _begin(self, update: Update) -> None:
        while len(self._work) >= MOST_WORK:
            await asyncio.wait(self._work, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self._taken(update))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _taken(self, update: Update) -> None:
        try:
            await self._take(update)
        except Exception as error:  # noqa: BLE001 - a bug in one answer must not silence the others
            log.error("a command cannot be answered", error=type(error).__name__)

    def _works(self) -> None:
        self._failures = 0
        if self._trouble is not None:
            self._trouble = None
            log.info("commands are heard again")

    def _excused(self, error: TelegramError) -> float:
        """Say what is wrong, once, and return how long to wait."""
        self._failures += 1
        match error:
            case Conflict():
                # Another liqwatch, another program, or a webhook has this bot.
                self._say("somebody else fetches the updates of this bot", error)
                return CONFLICT_WAIT_S * (0.75 + self._random() / 2)
            case InvalidToken():
                self._say("Telegram refuses the token, or base_url is wrong", error)
                return TOKEN_REFUSED_WAIT_S
            case RetryAfter():
                return seconds(error)
            case _:
                self._say("Telegram does not answer", error)
                ceiling_s = min(MAX_BACKOFF_S, 2.0**self._failures)
                return max(1.0, self._random() * ceiling_s)

    def _say(self, trouble: str, error: TelegramError) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            reason = Secret(self._bot.token).hidden_in(error.message)[:200]
            log.warning("no command is heard", trouble=trouble, reason=reason, alerts="go on")


def seconds(error: RetryAfter) -> float:
    """Return how long Telegram wants to hear nothing."""
    wait = error.retry_after
    return float(wait) if isinstance(wait, int) else wait.total_seconds()


def wall_ms() -> int:
    """Return the time of the wall clock."""
    return time.time_ns() // 1_000_000
