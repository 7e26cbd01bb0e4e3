"""Live websocket streams: subscribe, keep alive, notice silence, hand over without a gap."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NoReturn, assert_never
from urllib.parse import urlsplit

import structlog

from liqwatch.clock import Clock
from liqwatch.exchanges.base import Acknowledged, Alive, Control, Endpoint, Notice, Refused, Reply
from liqwatch.records import Close, Record
from liqwatch.sources.supervise import Budget
from liqwatch.sources.transport import ConnectionLost, Transport

# Takes what arrived, in line, and returns what the frame says about the connection itself. Bad
# frames do not make it raise.
Ingest = Callable[[Record], Sequence[Control]]


def rewrite_url(url: str, override: str) -> str:
    """Replace scheme, host and port of `url` by those of `override`; keep path and query."""
    target = urlsplit(override)
    return urlsplit(url)._replace(scheme=target.scheme, netloc=target.netloc).geturl()


class Feed:
    """One endpoint of a venue: what it takes to run it, connection after connection.

    `names` gives every connection a stream name of its own. `budget` is shared by all sockets of
    the venue. `rewrite` turns the documented address into the one to use. Data that has flowed
    for `healthy_after_s` proves a connection good; a subscription that is not answered within
    `ack_timeout_s` is told once.
    """

    def __init__(
        self,
        venue: str,
        endpoint: Endpoint,
        ingest: Ingest,
        *,
        names: Iterator[str],
        clock: Clock,
        budget: Budget,
        rewrite: Callable[[str], str] = str,
        healthy_after_s: float = 10.0,
        ack_timeout_s: float = 10.0,
    ) -> None:
        self.venue = venue
        self.endpoint = endpoint
        self.ingest = ingest
        self.names = names
        self.clock = clock
        self.budget = budget
        self.rewrite = rewrite
        self.healthy_after_s = healthy_after_s
        self.ack_timeout_s = ack_timeout_s
        self.log = structlog.get_logger().bind(venue=venue)
        self._told: set[str] = set()

    def tell_once(self, event: str, about: str, **facts: Any) -> None:
        """Log what every reconnect would only repeat."""
        if (key := f"{event} {about}") not in self._told:
            self._told.add(key)
            self.log.warning(event, **facts)

    async def run(self, healthy: Callable[[], None]) -> None:
        """Connect and read until the connection is lost, then raise ConnectionLost.

        When the venue announces that it will close, or rotation is due, a second connection is
        opened, and the first goes on until the second delivers. `healthy` is called while good
        data flows. An exception of `ingest` ends all connections and is raised.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                lost = await self._relay(tasks, healthy)
        except BaseExceptionGroup as group:
            first = group.exceptions[0]
            raise first from first.__cause__
        raise lost

    async def _relay(self, tasks: asyncio.TaskGroup, healthy: Callable[[], None]) -> ConnectionLost:
        serving = _Connection(self, tasks, healthy)
        while True:
            await _first_of(serving.task, serving.leaving)
            if serving.task.done():
                return serving.task.result()
            successor = _Connection(self, tasks, healthy)
            await _first_of(successor.task, successor.delivering)
            if successor.task.done():  # nothing better to be had: stay until it ends
                return await serving.task
            serving.end(f"replaced by {successor.stream}")
            serving = successor


async def _first_of(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


class _Subscriptions:
    """What one connection asked for and the venue has not answered yet."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.pending = set(endpoint.topics if endpoint.requests else ())
        self._unnamed_due = len(endpoint.requests)

    def answered(self, topics: Sequence[str]) -> None:
        """Cross off what an answer names; answers that name nothing count by request."""
        self.pending.difference_update(topics)
        if not topics:
            self._unnamed_due -= 1
            if self._unnamed_due <= 0:
                self.pending.clear()


class _Connection:
    """One socket from open to close, served by a task of its own.

    `leaving` is done when a successor should be opened, `delivering` when this one can succeed.
    """

    def __init__(self, feed: Feed, tasks: asyncio.TaskGroup, healthy: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self.stream = next(feed.names)
        self.leaving: asyncio.Future[None] = loop.create_future()
        self.delivering: asyncio.Future[None] = loop.create_future()
        self._feed = feed
        self._tasks = tasks
        self._healthy = healthy
        self._parting = Close(1000, "stopped")
        self._subscriptions = _Subscriptions(feed.endpoint)
        self._replies: asyncio.Queue[str] = asyncio.Queue()
        self._opened_s = self._heard_s = 0.0
        self._asked_s: float | None = None
        self._data_since_s: float | None = None
        self.task = tasks.create_task(self._run())

    def end(self, reason: str) -> None:
        """Close it."""
        self._parting = Close(1000, reason)
        self.task.cancel()

    async def _run(self) -> ConnectionLost:
        feed = self._feed
        url = feed.rewrite(feed.endpoint.url)
        await feed.budget.take()
        try:
            async with Transport(url, ping_s=feed.endpoint.protocol_ping_s) as socket:
                self._tell(open=url)
                await self._serve(socket)
        except ConnectionLost as lost:
            feed.budget.pause(lost.retry_after_s)
            return lost

    async def _serve(self, socket: Transport) -> NoReturn:
        self._opened_s = self._heard_s = time.monotonic()
        speakers = [self._tasks.create_task(job(socket)) for job in (self._speak, self._reply)]
        try:
            await self._hear(socket)
        except ConnectionLost as lost:
            self._parting = Close(lost.code, lost.reason)
            raise
        finally:
            for speaker in speakers:
                speaker.cancel()
            self._tell(close=self._parting)

    def _tell(self, **what: Any) -> Sequence[Control]:
        feed = self._feed
        record = Record(at=feed.clock.now_ns(), venue=feed.venue, stream=self.stream, **what)
        return feed.ingest(record)

    async def _speak(self, socket: Transport) -> None:
        endpoint, sleep = self._feed.endpoint, self._feed.clock.sleep
        with suppress(ConnectionLost):  # whoever listens hears of it, too
            for request in endpoint.requests:
                await self._send(socket, request)
                await sleep(endpoint.request_gap_s)
            self._asked_s = time.monotonic()
            while endpoint.heartbeat is not None:
                await sleep(endpoint.heartbeat.interval_s)
                await self._send(socket, endpoint.heartbeat.text)

    async def _reply(self, socket: Transport) -> None:
        with suppress(ConnectionLost):
            while True:
                await self._send(socket, await self._replies.get())

    async def _send(self, socket: Transport, text: str) -> None:
        self._tell(sent=text)  # before the answer can be on the tape
        await socket.send(text)

    async def _hear(self, socket: Transport) -> NoReturn:
        # One timer a second is cheaper than one a frame.
        check_s = min(1.0, self._feed.endpoint.idle_timeout_s / 4)
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(check_s):
                    while True:
                        self._take(await socket.receive())
            self._check(time.monotonic())

    def _take(self, frame: str | bytes) -> None:
        self._heard_s = time.monotonic()
        controls = self._tell(text=frame) if isinstance(frame, str) else self._tell(b64=frame)
        for control in controls:
            self._heed(control)
        if not controls and self._data_since_s is None:
            self._data_since_s = self._heard_s

    def _heed(self, control: Control) -> None:
        match control:
            case Acknowledged(topics):
                self._subscriptions.answered(topics)
            case Refused(reason, topics):
                self._subscriptions.answered(topics)
                self._feed.tell_once(
                    "subscription refused", str(topics or reason), reason=reason, topics=topics
                )
            case Notice(reason):
                self._leave(reason)
            case Reply(text):
                self._replies.put_nowait(text)
            case Alive():
                pass
            case _:
                assert_never(control)

    def _leave(self, reason: str) -> None:
        # A venue that tells every newcomer to leave must not be stormed.
        is_new = self._heard_s - self._opened_s < self._feed.healthy_after_s
        if not is_new and not self.leaving.done():
            self._feed.log.info("opening another connection", stream=self.stream, reason=reason)
            self.leaving.set_result(None)

    def _check(self, now_s: float) -> None:
        endpoint = self._feed.endpoint
        if now_s - self._heard_s > endpoint.idle_timeout_s:
            raise ConnectionLost(f"nothing received for {endpoint.idle_timeout_s:g} s")
        if endpoint.rotate_after_s is not None and now_s - self._opened_s > endpoint.rotate_after_s:
            self._leave("planned rotation")
        if self._asked_s is not None:
            self._check_progress(now_s - self._asked_s)

    def _check_progress(self, waited_s: float) -> None:
        feed, pending = self._feed, self._subscriptions.pending
        if pending and waited_s > feed.ack_timeout_s:
            feed.tell_once("subscription not acknowledged", "", topics=sorted(pending))
            pending.clear()
        if self._data_since_s is None:
            return
        if not pending and not self.delivering.done():
            self.delivering.set_result(None)
        if self._heard_s - self._data_since_s >= feed.healthy_after_s:
            self._healthy()
