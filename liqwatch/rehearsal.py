"""What each receiver would be told: the outbox's policy, with nobody behind it."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from liqwatch.alerting import policy
from liqwatch.alerting.desk import Desk, last_hour
from liqwatch.alerting.grouping import GROUP
from liqwatch.alerting.intents import Intent, ReceiverKind, Remark, Role
from liqwatch.alerting.message import Text, escalated, group, remark, render, timeline
from liqwatch.alerting.rules import EVERY_ALERT, Rules
from liqwatch.alerts import Alert, Running
from liqwatch.config import NotifySettings
from liqwatch.people import FOLLOW_S, PASS_S

PASS_MS, FOLLOW_MS = round(1000 * PASS_S), round(1000 * FOLLOW_S)
RUNNING, SUMMARY = "cascade goes on", "summary"  # what is told besides alerts


class Receiver(NamedTuple):
    """Somebody whom the settings name."""

    name: str
    kind: ReceiverKind
    rules: Rules
    reads_summaries: bool = True


class Message(NamedTuple):
    """What would become of something at one receiver, at a market time in ms."""

    receiver: str
    time_ms: int
    intent: Intent
    subject: str  # the alert's kind, in words
    line: str  # the first it says; empty where it changes what was said


class Fullest(NamedTuple):
    """The hour of most messages that count against the budget of a coin."""

    messages: int = 0
    symbol: str = ""


def receivers(notify: NotifySettings) -> list[Receiver]:
    """Return everybody who is told; the second channel is, only while Telegram fails."""
    found: list[Receiver] = []
    plain = ReceiverKind.PLAIN
    if notify.console.enabled:
        found.append(Receiver("console", plain, notify.console.rules or EVERY_ALERT))
    if notify.telegram is not None:
        found += [
            Receiver(f"telegram:{one.chat}", ReceiverKind.THREADED, one.rules)
            for one in notify.telegram.every_chat()
        ]
    if notify.webhook is not None:
        rules = notify.webhook.rules or EVERY_ALERT
        found.append(Receiver("webhook", plain, rules, reads_summaries=False))
    return found


class Seat:
    """A receiver in the rehearsal, with its desk. `fullest` is its fullest hour so far."""

    def __init__(self, receiver: Receiver, tell: Callable[[Message], None]) -> None:
        self.receiver = receiver
        self.fullest = Fullest()
        self._tell = tell
        self._desk = Desk()
        self._alerts: dict[str, Alert] = {}
        self._summed_up: Counter[str] = Counter()

    def hear(self, alert: Alert) -> None:
        """Decide on an alert."""
        self._alerts[alert.id] = alert
        for intent in policy.decide(self._desk, alert, self.receiver.rules, self.receiver.kind):
            self._say(alert.time, intent, alert.kind.replace("_", " "), alert)
        self._measure(alert.symbol, alert.time)

    def follow(self, running: Running) -> None:
        """Decide on the newest numbers of a cascade that goes on."""
        for intent in policy.follow(self._desk, running, self.receiver.rules, self.receiver.kind):
            self._say(running.time, intent, RUNNING, running)
        self._measure(running.symbol, running.time)

    def pass_time(self, now_ms: int) -> None:
        """Sum up what is due."""
        rules, kind = self.receiver.rules, self.receiver.kind
        for intent in policy.pass_time(self._desk, now_ms, rules, kind):
            if intent.remark is not None:
                self._summed_up[intent.remark.why] += len(intent.remark.alerts)
                if self.receiver.reads_summaries:
                    self._say(now_ms, intent, SUMMARY, intent.remark)

    def held(self) -> Counter[str]:
        """Return how many alerts were held back for a summary, by what held them."""
        return self._summed_up + self.waiting()

    def waiting(self) -> Counter[str]:
        """Return how many of those still wait for it."""
        waiting: Counter[str] = Counter()
        for summary in self._desk.summaries.values():
            waiting[summary.why] += len(summary.alerts)
        return waiting

    def _measure(self, symbol: str, now_ms: int) -> None:
        sent = len(last_hour(self._desk.sent_ms.get(symbol, ()), now_ms))
        self.fullest = max(self.fullest, Fullest(sent, symbol))

    def _say(
        self, time_ms: int, intent: Intent, subject: str, of: Alert | Running | Remark
    ) -> None:
        line = ""
        if intent.role is not Role.EDIT:
            line, _, _ = self._text(intent, of).plain().partition("\n")
        self._tell(Message(self.receiver.name, time_ms, intent, subject, line))

    def _text(self, intent: Intent, of: Alert | Running | Remark) -> Text:
        language = self.receiver.rules.language
        if isinstance(of, Remark):
            return remark(of, [self._alerts[one] for one in of.alerts], language)
        if intent.role is Role.ROOT and intent.story is not None:
            return self._story(intent.story, of if isinstance(of, Running) else None)
        return escalated(of, language) if isinstance(of, Running) else render(of, language)

    def _story(self, key: str, running: Running | None) -> Text:
        episodes = policy.episodes(self._desk, key)
        told = [alert for alert in self._alerts.values() if alert.episode in episodes]
        language = self.receiver.rules.language
        if key.startswith(GROUP):
            return group(told, language)
        return timeline(told, running, language)


class Rehearsal:
    """Decides for every receiver as the outbox would, and hands each decision to `tell`."""

    def __init__(self, to: Sequence[Receiver], tell: Callable[[Message], None]) -> None:
        self.seats = [Seat(receiver, tell) for receiver in to]
        self._next_ms = 0

    def put(self, alerts: Sequence[Alert]) -> None:
        """Take what was decided."""
        for alert in alerts:
            for seat in self.seats:
                seat.hear(alert)

    def pass_time(self, now_ms: int, running: Callable[[], Iterable[Running]]) -> None:
        """Let time pass: summaries come due, and cascades that go on change."""
        if now_ms < self._next_ms:
            return
        self._next_ms = now_ms - now_ms % PASS_MS + PASS_MS
        cascades = list(running()) if self._next_ms % FOLLOW_MS == 0 else []
        for seat in self.seats:
            seat.pass_time(now_ms)
            for cascade in cascades:
                seat.follow(cascade)
