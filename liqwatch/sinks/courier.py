"""Takes one receiver's messages to it: in order, within its limits, again where that may help."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from liqwatch.alerting.intents import ReceiverKind, Role
from liqwatch.alerting.message import late, possible_duplicate, render, timeline
from liqwatch.sinks.base import Delivery, OutcomeUnknown, RetryLater, Sink, Undeliverable
from liqwatch.store import Deliveries, Due

MAX_BACKOFF_S = 60.0

log = structlog.get_logger("liqwatch.sinks")


class Timing(msgspec.Struct, frozen=True):
    """Where times come from: `now_ms` is market time since the Unix epoch, by which messages age;
    the others are real time in seconds, in which receivers are waited for.
    """

    now_ms: Callable[[], int]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    random: Callable[[], float]


class Courier:
    """Delivers what is due to `sink`; messages older than `late_after_s` are marked as late."""

    def __init__(
        self, sink: Sink, deliveries: Deliveries, timing: Timing, *, late_after_s: float
    ) -> None:
        self.idle = asyncio.Event()
        self._sink = sink
        self._deliveries = deliveries
        self._timing = timing
        self._late_after_ms = late_after_s * 1000
        self._woken = asyncio.Event()
        self._held_until_s = 0.0
        self._edits_from_s = 0.0
        self._failures = 0
        self._trouble: str | None = None
        self._gone: str | None = None

    def wake(self) -> None:
        """Say that something new may be due."""
        self.idle.clear()
        self._woken.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            self._woken.clear()
            due = self._deliveries.first_due(self._sink.receiver)
            if due is None:
                self.idle.set()
                await self._woken.wait()
            elif (wait_s := self._wait_s(due)) > 0:
                await self._pause(wait_s)
            else:
                await self._deliver(due)

    def _wait_s(self, due: Due) -> float:
        now_s = self._timing.monotonic()
        edit_wait_s = self._edits_from_s - now_s if due.role is Role.EDIT else 0.0
        return max(self._held_until_s - now_s, edit_wait_s, self._sink.wait_s())

    async def _pause(self, seconds: float) -> None:
        # Something new may be due sooner than what is waited for.
        waits = [
            asyncio.ensure_future(self._timing.sleep(seconds)),
            asyncio.ensure_future(self._woken.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _deliver(self, due: Due) -> None:
        delivery = None if self._gone else self._composed(due)
        if delivery is None:
            self._deliveries.drop(due, self._gone or "no message to edit")
            return
        self._deliveries.begin(due)
        try:
            message_id = await self._sink.send(delivery)
        except RetryLater as error:
            self._deliveries.not_sent(due)
            self._hold(error.reason, error.seconds)
        except Undeliverable as error:
            self._give_up(due, error)
        except OutcomeUnknown as error:
            self._in_doubt(due, error.reason)
        except Exception as error:  # noqa: BLE001 - a bug in one sink must not silence the others
            self._in_doubt(due, f"error in the sink: {type(error).__name__}")
        else:
            self._done(due, message_id)

    def _composed(self, due: Due) -> Delivery | None:
        if due.role is Role.ALONE:
            return self._message(due, render(due.alert))
        root = self._deliveries.root(self._sink.receiver, due.episode)
        if due.role is Role.REPLY:
            return self._message(due, render(due.alert), reply_to=root)
        story = timeline(self._deliveries.story(due.episode or ""))
        if due.role is Role.ROOT:
            return self._message(due, story)
        return None if root is None else Delivery(alert=due.alert, text=story, edit=root)

    def _message(self, due: Due, text: str, *, reply_to: int | None = None) -> Delivery:
        if self._timing.now_ms() - due.alert.time > self._late_after_ms:
            text = late(text, due.alert.time)
        if due.uncertain:
            text = possible_duplicate(text)
        return Delivery(
            alert=due.alert, text=text, silent=due.silent, reply_to=reply_to, again=due.uncertain
        )

    def _done(self, due: Due, message_id: int | None) -> None:
        self._deliveries.sent(due, root=message_id if self._is_root(due) else None)
        if due.role is Role.EDIT:
            self._edits_from_s = self._timing.monotonic() + self._sink.edit_gap_s
        self._failures = 0
        if self._trouble is not None:
            self._trouble = None
            log.info("delivery works again", sink=self._sink.name)

    def _is_root(self, due: Due) -> bool:
        # Also an edit that had to be sent anew, and a reply that found nothing to hang under.
        if self._sink.kind is ReceiverKind.PLAIN or due.episode is None or due.role is Role.ALONE:
            return False
        known = self._deliveries.root(self._sink.receiver, due.episode)
        return due.role is not Role.REPLY or known is None

    def _hold(
        self, reason: str, seconds: float | None = None, then: str = "it is tried again"
    ) -> None:
        self._failures += 1
        if seconds is None:  # full jitter, but never a hot loop
            ceiling_s = min(MAX_BACKOFF_S, 2.0**self._failures)
            seconds = max(1.0, self._timing.random() * ceiling_s)
        self._held_until_s = self._timing.monotonic() + seconds
        self._say(reason, then)

    def _in_doubt(self, due: Due, reason: str) -> None:
        # Once more, marked. After that silence is better than a third copy.
        if due.uncertain:
            self._deliveries.sent(due, outcome=f"unconfirmed: {reason}")
        self._hold(reason, then="it may have arrived")

    def _give_up(self, due: Due, error: Undeliverable) -> None:
        self._deliveries.drop(due, error.reason)
        if error.receiver_gone:
            self._gone = error.reason
            self._say(error.reason, "nothing more is sent there until a restart")
        else:
            self._say(error.reason, "this message is given up")

    def _say(self, trouble: str, then: str) -> None:
        # Once a change, not once an attempt.
        if trouble != self._trouble:
            self._trouble = trouble
            log.warning("delivery fails", sink=self._sink.name, reason=trouble, then=then)
