"""Takes one receiver's messages to it: in order, within its limits, again where that may help."""

import asyncio
from collections.abc import Callable, Sequence
from enum import Enum, auto

import structlog

from liqwatch.alerting.intents import Intent, Remark, Role
from liqwatch.alerting.message import Text
from liqwatch.alerts import Alert
from liqwatch.sinks.base import Delivery, OutcomeUnknown, RetryLater, Sink, Undeliverable
from liqwatch.sinks.composing import Composer, of_several
from liqwatch.sinks.pictures import Gallery, Pictures
from liqwatch.sinks.status import Board
from liqwatch.sinks.timing import Timing
from liqwatch.store import Deliveries, Due, Freezes, Queued, Shown

MAX_BACKOFF_S = 60.0
LONGEST_FREEZE_S = 86_400.0
MOST_REMEMBERED = 100  # messages

log = structlog.get_logger("liqwatch.sinks")


class WhenLate(Enum):
    """What becomes of a message that is too old to be news."""

    FOLD = auto()  # told with others in a summary
    MARK = auto()  # sent, and called late
    DROP = auto()


class Courier:
    """Delivers what is due to `sink`, and shows the `board` in between.

    `on_gone` is called when the receiver wants nothing any more.
    """

    def __init__(
        self,
        sink: Sink,
        deliveries: Deliveries,
        freezes: Freezes,
        timing: Timing,
        *,
        episodes: Callable[[str], Sequence[str]],
        late_after_s: float,
        when_late: WhenLate,
        pictures: Pictures,
        board: Board | None,
        on_gone: Callable[[Sink, str], None],
    ) -> None:
        self.idle = asyncio.Event()
        self.sink = sink
        self.gone: str | None = None
        self.trouble: str | None = None
        self.failing_since_s: float | None = None
        self.worked_at_s = 0.0
        self._deliveries = deliveries
        self._freezes = freezes
        self._timing = timing
        self._composer = Composer(sink, deliveries, episodes, late_after_ms=late_after_s * 1000)
        self._late_after_ms = late_after_s * 1000
        self._when_late = when_late
        self._gallery = Gallery(pictures, self._picture_ready)
        self._words: dict[str, str] = {}  # what the newest messages show
        self._board = board
        self._on_gone = on_gone
        self._woken = asyncio.Event()
        frozen_s = freezes.until_s(sink.receiver) - timing.wall_s()
        self._held_until_s = timing.monotonic() + min(frozen_s, LONGEST_FREEZE_S)
        self._edits_from_s = 0.0
        self._failures = 0

    def wake(self) -> None:
        """Say that something new may be due."""
        self.idle.clear()
        self._woken.set()

    def revive(self) -> None:
        """Send again to a receiver that had wanted nothing any more."""
        self.gone = self.trouble = self.failing_since_s = None
        self.wake()

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            while True:
                self._woken.clear()
                due = self._deliveries.first_due(self.sink.receiver)
                if due is None:
                    self.idle.set()
                    await self._rest()
                elif self.is_late(due):
                    self._too_late(due)
                elif (wait_s := self._wait_s(due)) > 0:
                    await self._pause(wait_s)
                else:
                    await self._deliver(due)
        finally:
            self._gallery.close()

    # -- waiting --------------------------------------------------------------------------------

    def _wait_s(self, due: Due | None) -> float:
        if self.gone is not None and due is not None:
            return 0.0  # to drop it takes no time
        now_s = self._timing.monotonic()
        is_edit = due is not None and due.role is Role.EDIT
        edit_wait_s = self._edits_from_s - now_s if is_edit else 0.0
        urgent = due is not None and due.role is Role.ROOT
        return max(self._held_until_s - now_s, edit_wait_s, self.sink.wait_s(urgent=urgent))

    async def _rest(self) -> None:
        """Nothing is due: show how it is, or wait for something."""
        board_s = None if self._board is None or self.gone else self._board.wait_s()
        if self._board is None or board_s is None:
            await self._woken.wait()
        elif (wait_s := max(board_s, self._wait_s(None))) > 0:
            await self._pause(wait_s)
        else:
            await self._show(self._board)

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

    def is_late(self, due: Due) -> bool:
        """Return whether it is too old to be told as news."""
        return (
            due.role is not Role.EDIT
            and (due.alert is not None or due.besides.running is not None)
            and self._timing.now_ms() - due.time_ms > self._late_after_ms
            and self._when_late is not WhenLate.MARK
        )

    def _too_late(self, due: Due) -> None:
        if self._when_late is WhenLate.DROP or due.alert is None:
            self._deliveries.drop(due, "too old to be told as news")
            return
        waiting = self._deliveries.waiting(self.sink.receiver)
        late = [one for one in waiting if one.alert is not None and self.is_late(one)]
        remark = Remark(
            why="late",
            alerts=tuple(dict.fromkeys(one.alert.id for one in late if one.alert is not None)),
            since_ms=min(one.time_ms for one in late),
            until_ms=self._timing.now_ms(),
        )
        self._deliveries.fold(late, remark, silent=all(one.silent for one in late))

    # -- sending --------------------------------------------------------------------------------

    async def _deliver(self, due: Due) -> None:
        delivery = None if self.gone is not None else self._composed(due)
        if delivery is None:
            self._deliveries.drop(due, self.gone or "nothing to tell")
            return
        words = delivery.text.plain()
        if due.role is not Role.EDIT:
            self._deliveries.begin(due)
        elif delivery.picture is None and self._words.get(due.key or "") == words:
            self._deliveries.sent(due, outcome="its message shows that already")
            return
        try:
            shown = await self.sink.send(delivery)
        except RetryLater as error:
            self._deliveries.not_sent(due)
            self._hold(error)
        except Undeliverable as error:
            self._deliveries.drop(due, error.reason)
            self._gallery.drop(due.key or "")
            self._give_up(error)
        except OutcomeUnknown as error:
            self._in_doubt(due, error.reason)
        except Exception as error:  # noqa: BLE001 - a bug in one sink must not silence the others
            self._in_doubt(due, f"error in the sink: {type(error).__name__}")
        else:
            self._remember(delivery.key, words)
            self._done(due, delivery, shown)

    def _composed(self, due: Due) -> Delivery | None:
        picture = self._gallery.of(due.key or "") if due.role is Role.EDIT else None
        now_ms = self._timing.now_ms()
        try:
            return self._composer.compose(due, now_ms, picture=picture)
        except Exception:  # a bug in the words of one message must not hold up the others
            log.exception("no words for a message", receiver=due.receiver, number=due.number)
            if due.alert is None:
                return None
            return Delivery(text=Text(due.alert.text), alert=due.alert, silent=due.silent)

    async def _show(self, board: Board) -> None:
        delivery = board.delivery()
        if delivery is None:
            return
        try:
            board.shown(await self.sink.send(delivery))
        except RetryLater as error:
            self._hold(error)
        except Undeliverable as error:
            board.give_up()
            if error.receiver_gone:
                self._give_up(error)
        except OutcomeUnknown as error:
            self._hold(RetryLater(error.reason))
        else:
            self._works()

    def _done(self, due: Due, delivery: Delivery, shown: Shown | None) -> None:
        self._deliveries.sent(due, shown=None if delivery.key is None else shown)
        if due.role is Role.EDIT:
            self._edits_from_s = self._timing.monotonic() + self.sink.edit_gap_s
        self._works()
        if delivery.key is not None and shown is not None:
            self._see_to_picture(due, delivery, shown, delivery.key)

    def _remember(self, key: str | None, words: str) -> None:
        if key is not None:
            self._words.pop(key, None)
            self._words[key] = words
            if len(self._words) > MOST_REMEMBERED:
                del self._words[next(iter(self._words))]

    def _works(self) -> None:
        self._failures = 0
        self.failing_since_s = None
        self.worked_at_s = self._timing.monotonic()
        if self.trouble is not None:
            self.trouble = None
            log.info("delivery works again", sink=self.sink.name)

    # -- pictures -------------------------------------------------------------------------------

    def _see_to_picture(self, due: Due, delivery: Delivery, shown: Shown, key: str) -> None:
        """Have a picture drawn of what was told; it comes with an edit of the message."""
        if delivery.picture is not None:
            self._gallery.drop(key)
            if not shown.is_photo:  # it went beneath, the text is still the old
                self._words.pop(key, None)
                self._edit(key, due.time_ms, "the text above its picture")
        can_change = shown.picture_id is None or shown.is_photo
        if can_change and due.alert is not None and not of_several(due):
            self._gallery.draw(key, due.alert)

    def _picture_ready(self, key: str, alert: Alert) -> None:
        self._edit(key, alert.time, "its picture is drawn")

    def _edit(self, key: str, time_ms: int, reason: str) -> None:
        intent = Intent(Role.EDIT, silent=True, reason=reason, story=key)
        message = Queued(receiver=self.sink.receiver, intent=intent, time_ms=time_ms)
        self._deliveries.add([message])
        self.wake()

    # -- trouble --------------------------------------------------------------------------------

    def _hold(self, error: RetryLater, then: str = "it is tried again") -> None:
        now_s, seconds = self._timing.monotonic(), error.seconds
        self._failures += 1
        if self.failing_since_s is None:
            self.failing_since_s = now_s
        if seconds is None:  # full jitter, but never a hot loop
            ceiling_s = min(MAX_BACKOFF_S, 2.0**self._failures)
            seconds = max(1.0, self._timing.random() * ceiling_s)
        elif error.lasting:
            self._freezes.freeze(self.sink.receiver, self._timing.wall_s() + seconds)
        self._held_until_s = now_s + seconds
        self._say(error.reason, then)

    def _in_doubt(self, due: Due, reason: str) -> None:
        # Once more, marked. After that silence is better than a third copy.
        if due.uncertain or due.role is Role.EDIT:
            self._deliveries.sent(due, outcome=f"unconfirmed: {reason}")
        self._hold(RetryLater(reason), then="it may have arrived")

    def _give_up(self, error: Undeliverable) -> None:
        if error.receiver_gone:
            self.gone = error.reason
            self._say(error.reason, "nothing more is sent there until /start there, or a restart")
            self._on_gone(self.sink, error.reason)
        else:
            self._say(error.reason, "this message is given up")

    def _say(self, trouble: str, then: str) -> None:
        # Once a change, not once an attempt.
        if trouble != self.trouble:
            self.trouble = trouble
            log.warning("delivery fails", sink=self.sink.name, reason=trouble, then=then)
