"""One websocket connection from open to close: subscribe, keep it alive, notice silence."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn, assert_never

from structlog.typing import FilteringBoundLogger

from liqwatch.clock import Clock
from liqwatch.exchanges.base import Acknowledged, Alive, Control, Endpoint, Notice, Refused, Reply
from liqwatch.records import Close, Record
from liqwatch.sources.gaps import Gaps
from liqwatch.sources.subscriptions import Answers
from liqwatch.sources.supervise import Budget, Once
from liqwatch.sources.transport import ConnectionLost, Transport

MOST_REPLIES = 100  # not sent yet
_TOPICS_TOLD = 10

# Takes what arrived, in line, and returns what the frame says about the connection itself. Bad
# frames do not make it raise.
Ingest = Callable[[Record], Sequence[Control]]


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What all connections of one venue share.

    `names` gives every connection a stream name of its own, `rewrite` turns the documented address
    into the one to use, `backoff` says how long to wait before retry number n (from 0). Data that
    has flowed for `healthy_after_s` proves a connection good; a subscription that is not answered
    within `ack_timeout_s` is told and waited for no longer; a connection and its successor are
    both heard for `overlap_s`. `lost` keeps, by address, why the newest one that ended did.
    """

    venue: str
    ingest: Ingest
    names: Iterator[str]
    clock: Clock
    budget: Budget
    backoff: Callable[[int], float]
    log: FilteringBoundLogger
    rewrite: Callable[[str], str] = str
    healthy_after_s: float = 10.0
    ack_timeout_s: float = 10.0
    overlap_s: float = 2.0
    lost: dict[str, ConnectionLost] = field(default_factory=dict)


class Silent(ConnectionLost):
    """A connection that was had, lived, and never brought any data: its route is dead."""


class Connection:
    """One socket, served by a task of its own, whose result says how it ended.

    `leaving` is done when a successor should be opened, `delivering` when this one can succeed:
    when it brings data and every subscription is answered. `parting` is what its close record says
    if it is cancelled. `healthy` is called while good data flows.
    """

    def __init__(
        self,
        shared: Shared,
        endpoint: Endpoint,
        url: str,
        *,
        tasks: asyncio.TaskGroup,
        gaps: Gaps,
        once: Once,
        healthy: Callable[[], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self.endpoint = endpoint
        self.stream = next(shared.names)
        self.url = shared.rewrite(url)
        self.answers = Answers(endpoint)
        self.leaving: asyncio.Future[None] = loop.create_future()
        self.delivering: asyncio.Future[None] = loop.create_future()
        self.parting = Close(1000, "stopped")
        self._shared = shared
        self._tasks = tasks
        self._gaps = gaps
        self._once = once
        self._healthy = healthy
        self._replies: asyncio.Queue[str] = asyncio.Queue(MOST_REPLIES)
        self._at_ns = self._data_ns = 0  # of the newest record, and of the newest with data
        self._opened_s = self._heard_s = self._data_s = 0.0
        self._asked_s: float | None = None
        self._data_since_s: float | None = None
        self._is_patient = True  # with subscriptions that are not answered yet
        self.task = tasks.create_task(self._run())

    def leave(self, reason: str) -> None:
        """Ask for a successor."""
        if not self.leaving.done():
            self._shared.log.info("opening another connection", stream=self.stream, reason=reason)
            self.leaving.set_result(None)

    def end(self, reason: str) -> None:
        """Close it."""
        self.parting = Close(1000, reason)
        self.task.cancel()

    async def _run(self) -> ConnectionLost:
        shared, endpoint = self._shared, self.endpoint
        await shared.budget.take()
        try:
            async with Transport(
                self.url, headers=endpoint.headers, ping_s=endpoint.protocol_ping_s
            ) as socket:
                self._tell(open=self.url)
                await self._serve(socket)
        except ConnectionLost as lost:
            if not self._opened_s:  # an attempt that failed is news of the venue, too
                self._tell(close=Close(lost.code, lost.reason))
            shared.budget.pause(lost.retry_after_s)
            shared.lost[self.url] = lost
            return lost

    async def _serve(self, socket: Transport) -> NoReturn:
        self._opened_s = self._heard_s = time.monotonic()
        speakers = [self._tasks.create_task(job(socket)) for job in (self._speak, self._reply)]
        try:
            await self._hear(socket)
        except ConnectionLost as lost:
            self.parting = Close(lost.code, lost.reason)
            raise
        finally:
            for speaker in speakers:
                speaker.cancel()
            self._tell(close=self.parting)
            if self._data_since_s is not None:
                self._gaps.end(self._data_ns)

    def _tell(self, **what: Any) -> Sequence[Control]:
        shared = self._shared
        self._at_ns = shared.clock.now_ns()
        return shared.ingest(Record(at=self._at_ns, venue=shared.venue, stream=self.stream, **what))

    async def _speak(self, socket: Transport) -> None:
        endpoint, sleep = self.endpoint, self._shared.clock.sleep
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
        endpoint = self.endpoint
        limits_s = (endpoint.idle_timeout_s, endpoint.silent_after_s, endpoint.rotate_after_s)
        check_s = min(1.0, *(limit_s / 4 for limit_s in limits_s if limit_s is not None))
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(check_s):
                    while True:
                        self._take(await socket.receive())
            self._check(time.monotonic())

    def _take(self, frame: str | bytes) -> None:
        self._heard_s = time.monotonic()
        controls = self._tell(text=frame) if isinstance(frame, str) else self._tell(b64=frame)
        if controls:
            for control in controls:
                self._heed(control)
        else:
            self._data_s, self._data_ns = self._heard_s, self._at_ns
            if self._data_since_s is None:
                self._first_data()
        if not self.delivering.done():
            self._try_to_succeed()

    def _first_data(self) -> None:
        self._data_since_s = self._data_s
        self._gaps.begin(self._data_ns)
        if self.endpoint.routes:
            self._once.info("this route delivers", self.url, url=self.url)

    def _try_to_succeed(self) -> None:
        waits = self._is_patient and self.answers.unanswered
        if self._data_since_s is not None and not waits:
            self.delivering.set_result(None)

    def _heed(self, control: Control) -> None:
        match control:
            case Acknowledged(topics):
                self.answers.acknowledge(topics)
            case Refused(reason, topics):
                self.answers.refuse(topics)
                self._once.warning(
                    "subscription refused", str(topics or reason), reason=reason, topics=topics
                )
            case Notice(reason):
                self._leave_in_turn(reason)
            case Reply(text):
                if self._replies.full():
                    raise ConnectionLost("wants answers and does not read them")
                self._replies.put_nowait(text)
            case Alive():
                pass
            case _:
                assert_never(control)

    def _leave_in_turn(self, reason: str) -> None:
        # A venue that tells every newcomer to leave must not be stormed.
        if self._heard_s - self._opened_s >= self._shared.healthy_after_s:
            self.leave(reason)

    def _check(self, now_s: float) -> None:
        endpoint, age_s = self.endpoint, now_s - self._opened_s
        if now_s - self._heard_s > endpoint.idle_timeout_s:
            if self._data_since_s is None and endpoint.silent_after_s is not None:
                raise self._silent()
            raise ConnectionLost(f"nothing received for {endpoint.idle_timeout_s:g} s")
        rotate_after_s = endpoint.rotate_after_s
        if rotate_after_s is not None and self.delivering.done() and age_s > rotate_after_s:
            self._leave_in_turn("planned rotation")
        if self._asked_s is not None and now_s - self._asked_s > self._shared.ack_timeout_s:
            self._lose_patience()
        if endpoint.silent_after_s is not None:
            self._check_silence(now_s, endpoint.silent_after_s)
        if not self.delivering.done():
            self._try_to_succeed()
        if (
            self._data_since_s is not None
            and self._data_s - self._data_since_s >= self._shared.healthy_after_s
        ):
            self._healthy()

    def _lose_patience(self) -> None:
        if self._is_patient and (left := sorted(self.answers.unanswered)):
            self._once.warning(
                "subscription not acknowledged", "", count=len(left), topics=left[:_TOPICS_TOLD]
            )
        self._is_patient = False

    def _check_silence(self, now_s: float, limit_s: float) -> None:
        if self._data_since_s is not None:
            if now_s - self._data_s > limit_s:
                raise ConnectionLost(f"no data for {limit_s:g} s, only signs of life")
        elif self._asked_s is not None and now_s - self._asked_s > limit_s:
            raise self._silent()

    def _silent(self) -> Silent:
        takes = "takes the subscriptions" if self.answers.acknowledged else "takes nothing"
        return Silent(f"{takes} and stays silent")
