"""Slow facts over REST: instruments, open interest. One request at a time, within the limits."""

import heapq
from collections.abc import Callable, Sequence

import aiohttp
import structlog

from liqwatch.clock import Clock
from liqwatch.exchanges.base import Exchange, Poll
from liqwatch.records import Record
from liqwatch.sources.live import Ingest
from liqwatch.sources.supervise import Budget
from liqwatch.sources.transport import ConnectionLost, explain, turned_away

MAX_BODY_BYTES = 16 * 2**20
_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)


class Rest:
    """The REST side of one venue. `budget` is shared by everything asked of it.

    Every answer goes to `ingest` whatever its status; the exchange decides what it means.
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
        rewrite: Callable[[str], str] = str,
    ) -> None:
        self._exchange = exchange
        self._ingest = ingest
        self._session = session
        self._clock = clock
        self._budget = budget
        self._backoff = backoff
        self._rewrite = rewrite
        self._failing: dict[str, tuple[int, str]] = {}  # by URL: how often in a row, and why
        self._log = structlog.get_logger().bind(venue=exchange.venue)

    async def ask(self, url: str) -> None:
        """Ask one address. Raises ConnectionLost without an answer, or with one that is no success.

        Where the venue wants to be left alone, everything that shares the budget leaves it alone.
        """
        url = self._rewrite(url)
        await self._budget.take()
        try:
            async with self._session.get(url, allow_redirects=False, timeout=_TIMEOUT) as answer:
                body = await _read(answer)
        except (aiohttp.ClientError, OSError) as error:
            raise explain(_cause(error)) from error
        record = Record(
            at=self._clock.now_ns(),
            venue=self._exchange.venue,
            get=url,
            status=answer.status,
            text=body.decode(errors="replace"),
        )
        self._ingest(record)
        if answer.status != 200:
            lost = turned_away(answer.status, answer.headers.get("Retry-After"))
            self._budget.pause(lost.retry_after_s)
            raise lost

    async def bootstrap(self) -> None:
        """Ask what must be known before subscribing, page after page. Raises ConnectionLost."""
        answered: set[str] = set()
        while urls := [p.url for p in self._exchange.bootstrap() if p.url not in answered]:
            for url in urls:
                await self.ask(url)
                answered.add(url)
        if answered and not self._exchange.instruments:
            raise ConnectionLost("no instruments in the answers of the venue")

    async def poll(self, polls: Sequence[Poll]) -> None:
        """Ask each address at its interval, for ever; the first round is spread over the interval.

        An address that fails is asked again with backoff; each new cause is logged once.
        """
        now_ns = self._clock.now_ns()
        due = [
            (now_ns + round(poll.interval_s * 1e9 * n / len(polls)), n)
            for n, poll in enumerate(polls)
        ]
        heapq.heapify(due)
        while due:
            due_ns, n = due[0]
            await self._clock.sleep(max(0, due_ns - self._clock.now_ns()) / 1e9)
            wait_s = await self._ask_in_turn(polls[n])
            heapq.heapreplace(due, (self._clock.now_ns() + round(wait_s * 1e9), n))

    async def _ask_in_turn(self, poll: Poll) -> float:
        try:
            await self.ask(poll.url)
        except ConnectionLost as lost:
            return self._failed(poll.url, lost.reason)
        if self._failing.pop(poll.url, None) and not self._failing:
            self._log.info("REST answers again")
        return poll.interval_s

    def _failed(self, url: str, reason: str) -> float:
        if all(reason != known for _, known in self._failing.values()):
            self._log.warning("REST failed", url=url, reason=reason)
        attempt, _ = self._failing.get(url, (0, ""))
        self._failing[url] = attempt + 1, reason
        return self._backoff(attempt)


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
