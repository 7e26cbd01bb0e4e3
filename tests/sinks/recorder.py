"""A receiver that remembers, and an outbox around it in time that passes only when waited for."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from fake_time import FakeTime
from sample_alerts import START_MS

from liqwatch.alerting.intents import ReceiverKind
from liqwatch.alerting.rules import EVERY_ALERT
from liqwatch.sinks.base import Delivery, TopicsBy
from liqwatch.sinks.outbox import Outbox
from liqwatch.sinks.timing import Timing
from liqwatch.store import Database, Shown


class Recorder:
    """A receiver that keeps what it gets, and answers with `errors` first."""

    name = "recorder"
    edit_gap_s = 3.0
    rules = EVERY_ALERT
    topics = TopicsBy.NONE
    pins_status = False

    def __init__(
        self, kind: ReceiverKind = ReceiverKind.THREADED, errors: Sequence[Exception | None] = ()
    ) -> None:
        self.receiver = f"recorder:{kind}"
        self.kind = kind
        self.errors = list(errors)
        self.got: list[Delivery] = []
        self.on_send: Callable[[Delivery], None] = lambda _: None
        self.closed = False

    def wait_s(self, *, urgent: bool) -> float:
        del urgent
        return 0.0

    async def send(self, delivery: Delivery) -> Shown | None:
        self.on_send(delivery)
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        self.got.append(delivery)
        return delivery.edit or Shown(len(self.got))

    async def close(self) -> None:
        self.closed = True

    def summary(self) -> list[str]:
        return [
            f"{'edit' if d.edit else 'reply' if d.reply_to else 'send'}"
            f" {d.alert.id if d.alert else d.text.plain().partition(':')[0]}"
            for d in self.got
        ]


def outbox_of(
    *sinks: Recorder, database: Database, time: FakeTime | None = None, now_ms: int = START_MS
) -> Outbox:
    time = time or FakeTime()
    return Outbox(database, sinks, timing=timing_of(time, now_ms))


def timing_of(time: FakeTime, now_ms: int = START_MS) -> Timing:
    return Timing(
        now_ms=lambda: now_ms,
        monotonic=time.monotonic,
        wall_s=time.monotonic,
        sleep=time.sleep,
        random=random.Random(1).random,
    )


@asynccontextmanager
async def running(outbox: Outbox) -> AsyncIterator[Outbox]:
    task = asyncio.ensure_future(outbox.run())
    try:
        yield outbox
    finally:
        task.cancel()
        await asyncio.wait([task])


async def delivered(outbox: Outbox) -> None:
    async with running(outbox):
        assert await outbox.drain(5.0)
