"""Slow facts over REST: instruments, open interest. One request at a time, within the limits."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import aiohttp
import structlog

from liqwatch.clock import Clock
from liqwatch.exchanges.base import Exchange, Poll
from liqwatch.records import Close, Record
from liqwatch.sources.connection import Ingest
from liqwatch.sources.schedule import Schedule
from liqwatch.sources.supervise import Budget, Once
from liqwatch.sources.transport import ConnectionLost, explain, turned_away

MAX_BODY_BYTES = 16 * 2**20
MOST_BACKFILL = 50  # requests for one gap
REVISE_S = 60.0
_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)
_JSON = {"Content-Type": "application/json"}
_LIMIT = re.compile(r"rate-?limit|used-weight|bapi-limit", re.IGNORECASE)


class Rest:
    """The REST side of one venue. `budget` is shared by everything asked of it.

    Every answer goes to `ingest` whatever its status; the exchange decides what it means.
    `on_instruments` is called after an answer that may have brought new ones. `lost` keeps, by
    address without its query, why the newest request failed, if it did; `limits` the last headers
    in which the venue said how much it may still be asked, in lower case.
    """

    def __init__(
        self,
        exchange: Exchange,
        ingest: Ingest,
        *,
        session: aiohttp.ClientSession,
        clock: Clock,
        budget: Budget,
        backoff: Callable[[int], float],
        on_instruments: Callable[[], None],
        rewrite: Callable[[str], str] = str,
    ) -> None:
        self._exchange = exchange
        self._ingest = ingest
        self._session = session
        self._clock = clock
        self._budget = budget
        self._backoff = backoff
        self._on_instruments = on_instruments
        self._rewrite = rewrite
        self.lost: dict[str, ConnectionLost] = {}
        self.limits: dict[str, str] = {}
        self._revise_ns = 0
        self._failing: dict[str, tuple[int, str]] = {}  # by URL: how often in a row, and why
        self._once = Once(structlog.get_logger().bind(venue=exchange.venue))
        self._log = structlog.get_logger().bind(venue=exchange.venue)

    async def ask(self, url: str) -> None:
        """Ask one address; a fragment is sent as the JSON body of a POST.

        Raises ConnectionLost without an answer, or with one that is no success. Where the venue
        wants to be left alone, everything that shares the budget leaves it alone.
        """
        url = self._rewrite(url)
        place = re.split(r"[?#]", url)[0]
        try:
            await self._ask(url)
        except ConnectionLost as lost:
            self.lost[place] = lost
            raise
        self.lost.pop(place, None)

    async def _ask(self, url: str) -> None:
        address, _, body = url.partition("#")
        await self._budget.take()
        try:
            async with self._session.request(
                "POST" if body else "GET",
                address,
                data=body.encode() or None,
                headers=_JSON if body else None,
                allow_redirects=False,
                timeout=_TIMEOUT,
            ) as answer:
                self._note_limits(answer.headers)
                text = (await _read(answer)).decode(errors="replace")
        except (aiohttp.ClientError, OSError) as error:
            lost = explain(_cause(error))
            stream = f"{self._exchange.venue}/rest"  # no answer: news of the venue, too
            self._tell(stream=stream, close=Close(lost.code, lost.reason))
            raise lost from error
        self._tell(get=url, status=answer.status, text=text)
        if answer.status != 200:
            lost = turned_away(answer.status, answer.headers.get("Retry-After"))
            self._budget.pause(lost.retry_after_s)
            raise lost

    def _tell(self, **what: Any) -> None:
        self._ingest(Record(at=self._clock.now_ns(), venue=self._exchange.venue, **what))

    def _note_limits(self, headers: Mapping[str, str]) -> None:
        told = {name.lower(): value for name, value in headers.items() if _LIMIT.search(name)}
        self.limits = told or self.limits

    async def bootstrap(self) -> None:
        """Ask what must be known before subscribing, page after page. Raises ConnectionLost."""
        answered: set[str] = set()
        while url := next(
            (poll.url for poll in self._exchange.bootstrap() if poll.url not in answered), None
        ):
            await self.ask(url)
            answered.add(url)
        if answered and not self._exchange.instruments:
            raise ConnectionLost("no instruments in the answers of the venue")
        self._revise_ns = 0
        self._on_instruments()

    async def poll(self, symbols: Collection[str] | None) -> None:
        """Ask each of the venue's addresses at its interval, for ever; `bootstrap` has been done.

        Which they are is looked up again every minute and after new instruments. An address that
        fails is asked again with backoff; each new cause is logged once.
        """
        clock, schedule = self._clock, Schedule()
        self._revise_ns = 0
        self._postpone(schedule, self._exchange.bootstrap())
        while True:
            if clock.now_ns() >= self._revise_ns:
                polls = self._exchange.polls(symbols)
                schedule.revise(polls, clock.now_ns())
                self._forget_all_but({poll.url for poll in polls})
                self._revise_ns = clock.now_ns() + round(REVISE_S * 1e9)
            due_ns, poll = schedule.next()
            await clock.sleep(max(0, min(due_ns, self._revise_ns) - clock.now_ns()) / 1e9)
            if poll is not None and clock.now_ns() >= due_ns:
                await self._ask_in_turn(poll, schedule)

    async def backfill(self, polls: Sequence[Poll]) -> None:
        """Ask each address once, up to `MOST_BACKFILL`; what fails is missing and told once."""
        if len(polls) > MOST_BACKFILL:
            self._log.warning("backfill is incomplete", of=len(polls), asked=MOST_BACKFILL)
        is_told = False
        for poll in polls[:MOST_BACKFILL]:
            try:
                await self.ask(poll.url)
            except ConnectionLost as lost:
                if not is_told:
                    self._log.warning("backfill failed", url=poll.url, reason=lost.reason)
                is_told = True
                if lost.retry_after_s:
                    return

    async def recall(self, instrument: str, pace: Budget) -> None:
        """Ask for the past of one instrument, at no more than this pace; failing is told once.

        Its parts make sense only together: what follows one that failed is not asked.
        """
        try:
            for poll in self._exchange.history(instrument):
                await pace.take()
                await self.ask(poll.url)
        except ConnectionLost as lost:
            self._once.warning("no history", lost.reason, of=instrument, reason=lost.reason)

    async def _ask_in_turn(self, poll: Poll, schedule: Schedule) -> None:
        is_of_instruments = poll.url in {one.url for one in self._exchange.bootstrap()}
        try:
            # Pages of one list make sense only together.
            await (self.bootstrap() if is_of_instruments else self.ask(poll.url))
        except ConnectionLost as lost:
            wait_s = self._failed(poll.url, lost.reason)
            schedule.postpone(poll, wait_s, self._clock.now_ns())
            return
        self._postpone(schedule, [poll, *(self._exchange.bootstrap() if is_of_instruments else ())])
        if self._failing.pop(poll.url, None) and not self._failing:
            self._log.info("REST answers again")

    def _postpone(self, schedule: Schedule, polls: Iterable[Poll]) -> None:
        for poll in polls:
            schedule.postpone(poll, poll.interval_s, self._clock.now_ns())

    def _failed(self, url: str, reason: str) -> float:
        if all(reason != known for _, known in self._failing.values()):
            self._log.warning("REST failed", url=url, reason=reason)
        attempt, _ = self._failing.get(url, (0, ""))
        self._failing[url] = attempt + 1, reason
        return self._backoff(attempt)

    def _forget_all_but(self, urls: Collection[str]) -> None:
        self._failing = {url: why for url, why in self._failing.items() if url in urls}


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise ConnectionLost(f"an answer of more than {MAX_BODY_BYTES >> 20} MiB")
    return bytes(body)


def _cause(error: Exception) -> Exception:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return error.certificate_error
        case aiohttp.ClientConnectorError():
            return error.os_error
        case _:
            return error
