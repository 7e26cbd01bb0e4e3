"""Asks one venue what the daemon asks, on connections of its own, and tells nobody."""

import asyncio
import time
from collections.abc import Collection
from contextlib import suppress
from random import Random
from urllib.parse import urlsplit

from msgspec.structs import replace

from liqwatch.clock import Clock
from liqwatch.config import VenueSettings
from liqwatch.doctor.hearing import Hearing, Stream
from liqwatch.doctor.reach import place, reach
from liqwatch.doctor.report import Reach
from liqwatch.exchanges.base import Channel, Endpoint, Exchange
from liqwatch.sources.subscriptions import Subscriptions
from liqwatch.sources.transport import ConnectionLost, rewrite_url
from liqwatch.sources.venue import VenueWatch

LOOK_S = 0.2
PATIENCE = 1 / 3  # of the time: for a route to deliver, and for what may be quiet
LONGEST_PATIENCE_S = 15.0
ENOUGH_TRADES = 3  # to compare clocks

# Of a feed that lives these come every few seconds.
MUST_DELIVER = frozenset({Channel.TRADES, Channel.MARK_PRICE})


class Visit:
    """One venue for `seconds` at most; it ends when everything has been answered.

    Whatever goes wrong is left in the attributes. `lost`, `limits`, `connects` and `subscriptions`
    are those of `VenueWatch`.
    """

    def __init__(
        self,
        exchange: Exchange,
        settings: VenueSettings,
        coins: Collection[str] | None,
        *,
        clock: Clock,
        random: Random,
        seconds: float,
    ) -> None:
        self.exchange = exchange
        self.coins = coins
        self.patience_s = min(LONGEST_PATIENCE_S, seconds * PATIENCE)
        self.hearing = Hearing(exchange, clock.now_ns())
        self.reach: list[Reach] = []
        self.listened_s = 0.0
        self.ended_ns = 0
        self.subscriptions: list[Subscriptions] = []
        self.lost: dict[str, ConnectionLost] = {}
        self.limits: dict[str, str] = {}
        self.connects = 0
        self._settings = settings
        self._clock = clock
        self._seconds = seconds
        self._watch = VenueWatch(
            exchange,
            coins,
            self.hearing.ingest,
            websocket=settings.websocket,
            rest=settings.rest,
            clock=clock,
            random=random,
            fatal=(),
            route_within_s=self.patience_s,
        )

    async def make(self) -> None:
        """Reach its hosts, listen, and take down what there is to know."""
        await self._reach_hosts()
        if any(one.problem is None for one in self.reach):
            await self._listen()
            await self._reach_hosts()  # some are known only from the instruments
        self.ended_ns = self._clock.now_ns()

    @property
    def has_all(self) -> bool:
        """Whether everything that must deliver did."""
        return self.exchange.channels & MUST_DELIVER <= self.hearing.channels.keys()

    def endpoints(self) -> list[Endpoint]:
        """The connections wanted, at the addresses used."""
        there = self._settings.websocket
        return [
            replace(one, url=_at(one.url, there), routes=tuple(_at(r, there) for r in one.routes))
            for one in self.exchange.endpoints(self.coins)
        ]

    def without_data(self) -> list[Stream]:
        """Return the connections that take subscriptions, should deliver, and have not yet."""
        urls = {
            url
            for one in self.endpoints()
            if one.silent_after_s is not None
            for url in (one.url, *one.routes)
        }
        return [
            one
            for one in self.hearing.streams.values()
            if one.url in urls and one.first_frame_ns is None and one.took_some
        ]

    def had_its_time(self, stream: Stream) -> bool:
        """Whether it was open long enough to deliver what it has."""
        until_ns = stream.closed_ns or self.ended_ns or self._clock.now_ns()
        return until_ns - stream.opened_ns >= self.patience_s * 1e9

    def has_unasked(self) -> bool:
        """Whether something is still to be asked over REST."""
        polls = {_local(poll.url) for poll in self.exchange.polls(self.coins)}
        return not polls <= {_local(url) for url in self.hearing.asked}

    async def _reach_hosts(self) -> None:
        known = {(one.host, one.port) for one in self.reach}
        rest = [_at(poll.url, self._settings.rest) for poll in self.exchange.bootstrap()]
        new = {place(url): url for url in (*rest, *(one.url for one in self.endpoints()))}
        urls = [url for host, url in new.items() if host not in known]
        self.reach += await asyncio.gather(*map(reach, urls))

    async def _listen(self) -> None:
        begun_s = time.monotonic()
        watching = asyncio.create_task(self._watch.run())
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                while not (watching.done() or self._is_answered(time.monotonic() - begun_s)):
                    await asyncio.wait([watching], timeout=LOOK_S)
        self.listened_s = time.monotonic() - begun_s
        watch = self._watch
        self.subscriptions, self.lost = watch.subscriptions, watch.lost
        self.limits, self.connects = watch.limits, watch.connects
        watching.cancel()
        await asyncio.wait([watching])
        if not watching.cancelled():
            watching.result()  # a bug, which is raised

    def _is_answered(self, after_s: float) -> bool:
        """Whether waiting on would tell nothing new."""
        if self._is_turned_away(self._seconds - after_s):
            return True
        if not self._watch.subscriptions:  # none of the coins is listed
            return after_s >= self.patience_s and bool(self.exchange.instruments)
        is_open = not self.has_all or any(one.unanswered for one in self._watch.subscriptions)
        return not is_open and self._has_waited()

    def _is_turned_away(self, left_s: float) -> bool:
        is_connected = any(one.closed_ns is None for one in self.hearing.streams.values())
        return not is_connected and any(
            one.retry_after_s > left_s for one in self._watch.lost.values()
        )

    def _has_waited(self) -> bool:
        """Whether the clocks can be compared, and what may be quiet had its time."""
        hearing = self.hearing
        if hearing.clock_trades < ENOUGH_TRADES:
            return False
        return self.exchange.channels <= hearing.channels.keys() or all(
            self.had_its_time(one) for one in hearing.streams.values() if one.closed_ns is None
        )


def _at(url: str, override: str | None) -> str:
    return url if override is None else rewrite_url(url, override)


def _local(url: str) -> str:
    return urlsplit(url)._replace(scheme="", netloc="").geturl()
