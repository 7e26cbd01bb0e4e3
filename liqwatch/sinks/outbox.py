"""Between deciding and delivering: what was put is on disk, and goes out at least once.

Exactly once cannot be promised to receivers that know no ids: where the outcome of a send is
unknown (a broken connection, a killed process) it goes out once more, as a "possible duplicate".
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Annotated, TypeVar

import msgspec
import structlog
from msgspec import Meta

from liqwatch.alerting import policy
from liqwatch.alerting.desk import Desk
from liqwatch.alerting.intents import Intent, ReceiverKind, Role
from liqwatch.alerting.message import worded
from liqwatch.alerts import Alert, Running
from liqwatch.sinks.base import Sink
from liqwatch.sinks.courier import Courier, WhenLate
from liqwatch.sinks.fallback import Fallback, Takeover
from liqwatch.sinks.notes import gone
from liqwatch.sinks.pictures import Draw, Pictures
from liqwatch.sinks.status import Board, Status
from liqwatch.sinks.timing import Timing
from liqwatch.store import Database, Deliveries, Freezes, Queued

PRUNE_EVERY_MS = 60_000
DAY_MS = 86_400_000

T = TypeVar("T")
log = structlog.get_logger("liqwatch.sinks")


class DeliverySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of messages that cannot be delivered at once, and how long all are kept."""

    late_after_s: Annotated[float, Meta(ge=60, le=86_400)] = 900.0
    """Older than this, what happened is no news any more: a chat gets it in a summary."""

    keep_days: Annotated[int, Meta(ge=1, le=3650)] = 90
    """How long `why` can tell of an alert."""


class Outbox:
    """The queues of all `sinks`, kept in `database`, and what the policy knows of each receiver.

    Where Telegram fails, `fallback` takes over. `draw` and `status` make pictures of alerts and
    the text of the status message; without them there are none.
    """

    def __init__(
        self,
        database: Database,
        sinks: Sequence[Sink],
        *,
        settings: DeliverySettings = DeliverySettings(),  # noqa: B008 - frozen
        fallback: Fallback | None = None,
        draw: Draw | None = None,
        status: Status | None = None,
        timing: Timing = Timing(),  # noqa: B008 - frozen
    ) -> None:
        self._deliveries = Deliveries(database)
        self._freezes = Freezes(database)
        self._sinks = list(sinks)
        self._settings = settings
        self._status = status
        self._timing = timing
        self._pictures = Pictures(draw)
        self._desks = {sink.receiver: self._desk(sink.receiver) for sink in sinks}
        self._couriers = {
            sink.receiver: self._courier(sink, _when_late(sink.kind)) for sink in sinks
        }
        self._takeover: Takeover | None = None
        if fallback is not None:
            second = self._courier(fallback.sink, WhenLate.DROP)
            watched = [one for one in self._couriers.values() if _is_threaded(one.sink)]
            self._couriers[fallback.sink.receiver] = second
            self._takeover = Takeover(fallback, watched, second, self._deliveries, timing)
        self._pruned_ms = 0

    @property
    def pending(self) -> int:
        """Deliveries that wait, over all receivers."""
        return self._deliveries.pending()

    # -- what is decided ------------------------------------------------------------------------

    def put(self, alerts: Sequence[Alert]) -> None:
        """Commit alerts and what they become; they are on disk when this returns.

        An alert that was put before (same id) changes nothing. Blocks for the disk.
        """
        new = self._deliveries.unknown(alerts)
        queued = [
            Queued(receiver=sink.receiver, intent=intent, time_ms=alert.time, alert=alert.id)
            for alert in new
            for sink in self._sinks
            for intent in policy.decide(self._desk_of(sink), alert, sink.rules, sink.kind)
        ]
        if new:
            kept = [alert if alert.text else worded(alert) for alert in new]
            self._commit(queued, alerts=kept)

    def follow(self, running: Iterable[Running]) -> None:
        """Bring the messages of cascades that go on up to date. Blocks for the disk."""
        self._commit(
            [
                Queued(receiver=sink.receiver, intent=intent, time_ms=one.time, running=one)
                for one in running
                for sink in self._sinks
                for intent in policy.follow(self._desk_of(sink), one, sink.rules, sink.kind)
            ]
        )

    def pass_time(self, now_ms: int) -> None:
        """Queue the summaries that are due, and forget what is too old. Blocks for the disk."""
        self._commit(
            [
                Queued(receiver=sink.receiver, intent=intent, time_ms=now_ms)
                for sink in self._sinks
                for intent in policy.pass_time(self._desk_of(sink), now_ms, sink.rules, sink.kind)
            ]
        )
        if now_ms - self._pruned_ms >= PRUNE_EVERY_MS:  # a step at a time
            self._pruned_ms = now_ms
            self._deliveries.prune(now_ms - self._settings.keep_days * DAY_MS)

    def change(self, receiver: str, change: Callable[[Desk], T]) -> T:
        """Do something at a receiver's desk, such as muting. Raises KeyError for nobody's."""
        done = change(self._desks[receiver])
        desks = {receiver: msgspec.json.encode(self._desks[receiver])}
        self._deliveries.add([], desks=desks)
        return done

    def desk(self, receiver: str) -> Desk:
        """Return a receiver's desk, to look at. Raises KeyError for nobody's."""
        return self._desks[receiver]

    def _commit(self, queued: Sequence[Queued], *, alerts: Sequence[Alert] = ()) -> None:
        if not queued and not alerts:
            return
        concerned = {message.receiver for message in queued}
        desks = {one: msgspec.json.encode(self._desks[one]) for one in concerned}
        self._deliveries.add(queued, alerts=alerts, desks=desks)
        for receiver in concerned:
            self._couriers[receiver].wake()

    # -- what is delivered ----------------------------------------------------------------------

    async def run(self) -> None:
        """Deliver until cancelled; what still waits is delivered after the next start."""
        try:
            async with asyncio.TaskGroup() as group:
                for courier in self._couriers.values():
                    group.create_task(courier.run())
                if self._takeover is not None:
                    group.create_task(self._takeover.run())
        finally:
            await self._pictures.close()
            for courier in self._couriers.values():
                await courier.sink.close()

    async def drain(self, timeout_s: float) -> bool:
        """Wait until nothing is due any more; False when that took too long."""
        try:
            async with asyncio.timeout(timeout_s):
                while busy := [one for one in self._couriers.values() if not one.idle.is_set()]:
                    await busy[0].idle.wait()
        except TimeoutError:
            return False
        return True

    @property
    def receivers(self) -> list[str]:
        """Who is told, by the names of their desks."""
        return list(self._desks)

    def waits(self, receiver: str) -> bool:
        """Return whether something is due for a receiver."""
        return self._deliveries.first_due(receiver) is not None

    def revive(self, receiver: str) -> None:
        """Send again to a receiver that had blocked us. Raises KeyError for nobody's."""
        self._couriers[receiver].revive()

    def trouble(self) -> str | None:
        """Say in a few words who cannot be reached, and why; None when all can."""
        troubles = [
            f"{one.sink.name}: {one.trouble}" for one in self._couriers.values() if one.trouble
        ]
        return " · ".join(dict.fromkeys(troubles)) or None

    def _on_gone(self, sink: Sink, reason: str) -> None:
        """Tell somebody else that a chat is told nothing any more."""
        others = [one for one in self._couriers.values() if one.sink is not sink and not one.gone]
        chats = [one for one in others if _is_threaded(one.sink)]
        second = [one for one in others if one.sink.receiver not in self._desks]
        if not chats and not second:
            return
        other = [*chats, *second][0]
        note = gone(sink.receiver, reason, other.sink.rules.language)
        intent = Intent(Role.ALONE, silent=False, reason="a chat is no longer told")
        receiver, now_ms = other.sink.receiver, self._timing.now_ms()
        self._deliveries.add([Queued(receiver=receiver, intent=intent, time_ms=now_ms, note=note)])
        other.wake()

    # -- making ---------------------------------------------------------------------------------

    def _desk(self, receiver: str) -> Desk:
        kept = self._deliveries.desk(receiver)
        if kept is None:
            return Desk()
        try:
            return msgspec.json.decode(kept, type=Desk)
        except ValueError as error:  # what another liqwatch left behind
            log.warning("what was told before is forgotten", receiver=receiver, error=str(error))
            return Desk()

    def _desk_of(self, sink: Sink) -> Desk:
        return self._desks[sink.receiver]

    def _courier(self, sink: Sink, when_late: WhenLate) -> Courier:
        board = None
        if self._status is not None and sink.pins_status:
            board = Board(sink, self._deliveries, self._status, self._timing)
        desk = self._desks.get(sink.receiver, Desk())
        return Courier(
            sink,
            self._deliveries,
            self._freezes,
            self._timing,
            episodes=partial(policy.episodes, desk),
            late_after_s=self._settings.late_after_s,
            when_late=when_late,
            pictures=self._pictures,
            board=board,
            on_gone=self._on_gone,
        )


def _is_threaded(sink: Sink) -> bool:
    return sink.kind is ReceiverKind.THREADED


def _when_late(kind: ReceiverKind) -> WhenLate:
    return WhenLate.FOLD if kind is ReceiverKind.THREADED else WhenLate.MARK
