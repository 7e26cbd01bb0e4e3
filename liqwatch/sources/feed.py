"""Live websocket streams, connection after connection, handed over without a gap."""

import asyncio
from collections.abc import Callable
from typing import Any

from liqwatch.exchanges.base import Endpoint
from liqwatch.records import Close
from liqwatch.sources.connection import Connection, Shared, Silent
from liqwatch.sources.gaps import Gaps, OnGap
from liqwatch.sources.subscriptions import Answers, Subscriptions
from liqwatch.sources.supervise import Once
from liqwatch.sources.transport import ConnectionLost


class Feed:
    """One endpoint of a venue: what it takes to run it, for as long as it is wanted.

    `on_gap` is told when data flows again after none did.
    """

    def __init__(self, shared: Shared, endpoint: Endpoint, *, on_gap: OnGap) -> None:
        self.endpoint = endpoint
        self._shared = shared
        self._gaps = Gaps(on_gap)
        self._once = Once(shared.log)
        self._route = 0
        self._open: set[Connection] = set()
        self._serving: Connection | None = None

    @property
    def stream(self) -> str | None:
        """Which connection delivers all that is wanted now, if one does."""
        serving = self._serving
        if serving is None or serving.task.done() or serving.endpoint is not self.endpoint:
            return None
        return serving.stream if serving.delivering.done() else None

    @property
    def subscriptions(self) -> Subscriptions:
        """What was asked on the connection in charge (the newest such), and how it was answered."""
        if self._serving is None:
            return Answers(self.endpoint).summary(self._url)
        return self._serving.answers.summary(self._serving.url)

    def change(self, endpoint: Endpoint) -> None:
        """Listen to this one from now on; the connection that is goes on until another delivers."""
        if endpoint == self.endpoint:
            return
        if (endpoint.url, endpoint.routes) != (self.endpoint.url, self.endpoint.routes):
            self._route = 0
        self.endpoint = endpoint
        for connection in self._open:
            connection.leave("the subscriptions change")

    def replaced_by(self, stream: str) -> None:
        """Expect to be cancelled: another feed's stream delivers what this one did."""
        for connection in self._open:
            connection.parting = Close(1000, f"replaced by {stream}")

    async def run(self, healthy: Callable[[], None]) -> None:
        """Connect and read until the connection is lost, then raise ConnectionLost.

        When the venue announces that it will close, when rotation is due or the endpoint changes,
        a second connection is opened, and the first goes on until the second delivers. `healthy`
        is called while good data flows. An exception of `ingest` ends all connections and is
        raised.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                lost = await self._relay(tasks, healthy)
        except BaseExceptionGroup as group:
            first = group.exceptions[0]
            raise first from first.__cause__
        raise lost

    async def _relay(self, tasks: asyncio.TaskGroup, healthy: Callable[[], None]) -> ConnectionLost:
        serving = self._serving = self._connect(tasks, healthy)
        attempt = 0
        while True:
            await _first_of(serving.task, serving.leaving)
            if serving.task.done():
                self._learn_from(serving)
                return serving.task.result()
            successor = self._connect(tasks, healthy)
            await _first_of(successor.task, successor.delivering, successor.leaving)
            if successor.delivering.done():
                # Hear both for a while: what was told before may still be under way on the old one.
                await _first_of(successor.task, serving.task, within_s=self._shared.overlap_s)
            if successor.task.done():  # nothing better to be had: stay, and try again
                self._learn_from(successor)
                await _first_of(serving.task, within_s=self._shared.backoff(attempt))
                attempt += 1
            elif successor.delivering.done():
                serving.end(f"replaced by {successor.stream}")
                serving, attempt = successor, 0
                self._serving = serving
            else:
                successor.end("not wanted any more")

    def _connect(self, tasks: asyncio.TaskGroup, healthy: Callable[[], None]) -> Connection:
        connection = Connection(
            self._shared,
            self.endpoint,
            self._url,
            tasks=tasks,
            gaps=self._gaps,
            once=self._once,
            healthy=healthy,
        )
        self._open.add(connection)
        connection.task.add_done_callback(lambda _: self._open.discard(connection))
        return connection

    @property
    def _url(self) -> str:
        return (self.endpoint.url, *self.endpoint.routes)[self._route]

    def _learn_from(self, ended: Connection) -> None:
        """Leave a dead route for the next; one that has just delivered is not dead."""
        was_silent = isinstance(ended.task.result(), Silent)
        if was_silent and self.endpoint.routes and ended.url == self._shared.rewrite(self._url):
            self._route = (self._route + 1) % (1 + len(self.endpoint.routes))
            self._once.info("trying another route", self._url, url=self._url)


async def _first_of(*futures: asyncio.Future[Any], within_s: float | None = None) -> None:
    await asyncio.wait(futures, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
