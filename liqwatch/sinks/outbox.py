"""Between deciding and delivering: what was put is on disk, and goes out at least once.

Exactly once cannot be promised to receivers that know no ids: where the outcome of a send is
unknown (a broken connection, a killed process) it goes out once more, as a "possible duplicate".
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence

from liqwatch.alerting.message import worded
from liqwatch.alerting.policy import plan
from liqwatch.alerts import Alert
from liqwatch.sinks.base import Sink
from liqwatch.sinks.courier import Courier, Timing
from liqwatch.store import Database, Deliveries

LATE_AFTER_S = 900.0


class Outbox:
    """The queues of all `sinks`, kept in `database`.

    `now_ms` is market time since the Unix epoch: a message older than `late_after_s` goes out
    marked as late. The other policies are real time.
    """

    def __init__(
        self,
        database: Database,
        sinks: Sequence[Sink],
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = random.random,
        late_after_s: float = LATE_AFTER_S,
    ) -> None:
        self._deliveries = Deliveries(database)
        self._sinks = list(sinks)
        timing = Timing(now_ms, monotonic, sleep, random)
        self._couriers = [
            Courier(sink, self._deliveries, timing, late_after_s=late_after_s) for sink in sinks
        ]

    @property
    def pending(self) -> int:
        """Deliveries that wait, over all receivers."""
        return self._deliveries.pending()

    def put(self, alerts: Sequence[Alert]) -> None:
        """Commit alerts and their deliveries; they are on disk when this returns.

        An alert that was put before (same id) changes nothing. Blocks for the disk.
        """
        if not alerts:
            return
        self._deliveries.add(
            (
                alert if alert.text else worded(alert),
                [(s.receiver, intent) for s in self._sinks for intent in plan(alert, s.kind)],
            )
            for alert in alerts
        )
        for courier in self._couriers:
            courier.wake()

    async def run(self) -> None:
        """Deliver until cancelled; what still waits is delivered after the next start."""
        try:
            async with asyncio.TaskGroup() as group:
                for courier in self._couriers:
                    group.create_task(courier.run())
        finally:
            for sink in self._sinks:
                await sink.close()

    async def drain(self, timeout_s: float) -> bool:
        """Wait until nothing is due any more; False when that took too long."""
        try:
            async with asyncio.timeout(timeout_s):
                for courier in self._couriers:
                    await courier.idle.wait()
        except TimeoutError:
            return False
        return True
