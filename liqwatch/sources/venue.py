"""One venue, for ever: its instruments first, then all its streams and polls."""

import asyncio
import itertools
import math
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from random import Random
from typing import NamedTuple

import aiohttp
import structlog
from msgspec.structs import replace

from liqwatch.clock import Clock
from liqwatch.exchanges.base import Endpoint, Exchange
from liqwatch.sources.connection import Ingest, Shared
from liqwatch.sources.feed import Feed
from liqwatch.sources.poll import Rest
from liqwatch.sources.subscriptions import Subscriptions
from liqwatch.sources.supervise import Budget, full_jitter, keep_running
from liqwatch.sources.transport import ConnectionLost, rewrite_url

LOOK_S = 60.0
RECALL_EVERY_S = 5.0
RECALL_AGAIN_S = 300.0  # what was asked in vain
GATHER_S = 5.0  # streams that were lost together do not come back in the same moment


async def watch_venue(
    exchange: Exchange,
    symbols: Collection[str] | None,
    ingest: Ingest,
    *,
    websocket: str | None,
    rest: str | None,
    clock: Clock,
    random: Random,
    fatal: tuple[type[Exception], ...],
    cold: Callable[[], Sequence[str]] = tuple,
) -> None:
    """Listen to one venue until cancelled: see `VenueWatch`."""
    watch = VenueWatch(
        exchange,
        symbols,
        ingest,
        websocket=websocket,
        rest=rest,
        clock=clock,
        random=random,
        fatal=fatal,
        cold=cold,
    )
    await watch.run()


class _Running(NamedTuple):
    feed: Feed
    task: asyncio.Task[None]


class VenueWatch:
    """Everything one venue is asked, on all its connections.

    `symbols` None follows the venue's list of coins. `websocket` and `rest` replace scheme, host
    and port of the venue's addresses. Exceptions in `fatal`, raised by `ingest`, end it; lost
    connections and bugs of the venue's file restart only what they concern. Where there are other
    routes, one that stays silent is left after `route_within_s` at the latest. `cold` says of which
    instruments the past is wanted, the most important first.
    """

    def __init__(
        self,
        exchange: Exchange,
        symbols: Collection[str] | None,
        ingest: Ingest,
        *,
        websocket: str | None,
        rest: str | None,
        clock: Clock,
        random: Random,
        fatal: tuple[type[Exception], ...],
        route_within_s: float = math.inf,
        cold: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._exchange = exchange
        self._symbols = symbols
        self._log = structlog.get_logger("liqwatch.sources").bind(venue=exchange.venue)
        self._keep = partial(
            keep_running, log=self._log, backoff=partial(full_jitter, random), fatal=fatal
        )
        self._rewrite_rest = _rewriting(rest)
        self._shared = Shared(
            venue=exchange.venue,
            ingest=ingest,
            names=(f"{exchange.venue}/{number}" for number in itertools.count(1)),
            clock=clock,
            budget=Budget(exchange.connects_per_s),
            backoff=partial(full_jitter, random),
            log=self._log,
            rewrite=_rewriting(websocket),
        )
        self._route_within_s = route_within_s
        self._cold = cold
        self._rest: Rest | None = None
        self._running: list[_Running] = []
        self._is_listed = False
        self._news = asyncio.Event()
        self._gap: tuple[int, int] | None = None
        self._gap_ended = asyncio.Event()

    @property
    def subscriptions(self) -> list[Subscriptions]:
        """What was asked of the venue and what came of it, by feed."""
        return [one.feed.subscriptions for one in self._running]

    @property
    def lost(self) -> dict[str, ConnectionLost]:
        """Why addresses were lost, or were not to be had, last; REST ones only while they fail."""
        return self._shared.lost | (self._rest.lost if self._rest is not None else {})

    @property
    def limits(self) -> dict[str, str]:
        """The venue's last word, in headers, on how much it may still be asked over REST."""
        return self._rest.limits if self._rest is not None else {}

    @property
    def connects(self) -> int:
        """How many connections were opened or tried."""
        return self._shared.budget.taken

    async def run(self) -> None:
        """Listen until cancelled.

        Where the instruments are still known from before, nothing waits for the venue's REST.
        """
        shared = self._shared
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
            rest = self._rest = Rest(
                self._exchange,
                shared.ingest,
                session=session,
                clock=shared.clock,
                budget=Budget(self._exchange.rest_per_s),
                backoff=shared.backoff,
                on_instruments=self._on_instruments,
                rewrite=self._rewrite_rest,
            )
            tasks.create_task(self._ask(rest))
            tasks.create_task(self._keep(lambda _: self._follow(tasks), name="list of coins"))
            tasks.create_task(self._keep(lambda _: self._fill_gaps(rest), name="backfill"))
            tasks.create_task(self._keep(lambda _: self._recall(rest), name="history"))

    async def _ask(self, rest: Rest) -> None:
        await self._keep(lambda _: rest.bootstrap(), name="instruments")
        self._tell_unlisted()
        await self._keep(lambda _: rest.poll(self._symbols), name="polls")

    def _on_instruments(self) -> None:
        self._is_listed = True
        self._news.set()

    def _tell_unlisted(self) -> None:
        listed = {instrument.symbol for instrument in self._exchange.instruments.values()}
        if unlisted := sorted(set(self._symbols or ()) - listed):
            self._log.warning("coins that are not listed here", symbols=unlisted)

    async def _follow(self, tasks: asyncio.TaskGroup) -> None:
        """Listen to what is listed, whenever that may have changed."""
        while True:
            self._news.clear()
            if self._is_listed or self._exchange.instruments:
                self._listen(tasks, self._endpoints())
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._news.wait()

    def _endpoints(self) -> list[Endpoint]:
        def soon(one: Endpoint) -> Endpoint:
            if one.silent_after_s is None or not one.routes:
                return one
            return replace(one, silent_after_s=min(one.silent_after_s, self._route_within_s))

        return [soon(one) for one in self._exchange.endpoints(self._symbols)]

    def _listen(self, tasks: asyncio.TaskGroup, endpoints: Collection[Endpoint]) -> None:
        running = self._running
        for one, endpoint in zip(running, endpoints, strict=False):
            one.feed.change(endpoint)
        for endpoint in list(endpoints)[len(running) :]:
            feed = Feed(self._shared, endpoint, on_gap=self._on_gap)
            task = tasks.create_task(self._keep(feed.run, name=endpoint.url))
            running.append(_Running(feed, task))
        self._end_surplus(len(endpoints))

    def _end_surplus(self, wanted: int) -> None:
        """End the feeds that are too many, once the others deliver what these did."""
        streams = [one.feed.stream for one in self._running[:wanted]]
        if None in streams:
            return
        for one in self._running[wanted:]:
            if streams and streams[0]:
                one.feed.replaced_by(streams[0])
            one.task.cancel()
        del self._running[wanted:]

    def _on_gap(self, since_ms: int, until_ms: int) -> None:
        since_before_ms, until_before_ms = self._gap or (since_ms, until_ms)
        self._gap = min(since_ms, since_before_ms), max(until_ms, until_before_ms)
        self._gap_ended.set()

    async def _fill_gaps(self, rest: Rest) -> None:
        while True:
            await self._gap_ended.wait()
            await self._shared.clock.sleep(GATHER_S)
            self._gap_ended.clear()
            gap, self._gap = self._gap, None
            if gap is not None:
                await rest.backfill(self._exchange.backfill(self._symbols, *gap))

    async def _recall(self, rest: Rest) -> None:
        """Ask for the past of each instrument that lacks it, as long as it does."""
        if self._exchange.history_per_s is None:
            return
        pace, clock = Budget(self._exchange.history_per_s), self._shared.clock
        again_ns: dict[str, int] = {}
        while True:
            now_ns = clock.now_ns()
            due = (one for one in self._cold() if again_ns.get(one, 0) <= now_ns)
            instrument = next(due, None)
            if instrument is None:
                await clock.sleep(RECALL_EVERY_S)
            else:
                again_ns[instrument] = now_ns + round(RECALL_AGAIN_S * 1e9)
                await rest.recall(instrument, pace)


def _rewriting(override: str | None) -> Callable[[str], str]:
    return str if override is None else partial(rewrite_url, override=override)
