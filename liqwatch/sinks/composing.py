"""What a delivery says, and where in the chat it says it."""

from collections.abc import Callable, Sequence

from liqwatch.alerting.grouping import GROUP
from liqwatch.alerting.intents import ReceiverKind, Role
from liqwatch.alerting.message import (
    Text,
    escalated,
    group,
    late,
    noted,
    possible_duplicate,
    remark,
    render,
    timeline,
)
from liqwatch.alerts import MARKET, Alert
from liqwatch.sinks.base import Delivery, Sink, TopicsBy
from liqwatch.store import Deliveries, Due


class Composer:
    """Makes the messages to `sink`: in its language, each with its place in the story.

    `episodes` tells which episodes the message of a story shows.
    """

    def __init__(
        self,
        sink: Sink,
        deliveries: Deliveries,
        episodes: Callable[[str], Sequence[str]],
        *,
        late_after_ms: float,
    ) -> None:
        self._sink = sink
        self._deliveries = deliveries
        self._episodes = episodes
        self._late_after_ms = late_after_ms
        self._language = sink.rules.language

    def compose(self, due: Due, now_ms: int, *, picture: bytes | None = None) -> Delivery | None:
        """Return the message, or None when there is none: nothing to edit, nothing to tell."""
        told = self._told(due)
        shown = self._deliveries.shown(due.receiver, due.key)
        if due.role is Role.EDIT:
            if shown is None or not told:
                return None
            text = self._story(due, told)
            return Delivery(
                text=text,
                alert=due.alert or told[-1],
                key=due.key,
                silent=True,
                edit=shown,
                topic=self._topic(due, told),
                picture=picture,
            )
        threads = self._sink.kind is ReceiverKind.THREADED
        root = shown.message_id if shown is not None and due.role is Role.REPLY else None
        begins = due.role is Role.ROOT or (threads and due.role is Role.REPLY and root is None)
        text = self._story(due, told) if begins and told else self._alone(due)
        return Delivery(
            text=self._marked(text, due, now_ms),
            alert=due.alert,
            key=due.key if threads and root is None else None,
            silent=due.silent,
            reply_to=root,
            again=due.uncertain,
            topic=self._topic(due, told),
        )

    def _told(self, due: Due) -> list[Alert]:
        if self._sink.kind is ReceiverKind.PLAIN or due.key is None:
            return [] if due.alert is None else [due.alert]
        return self._deliveries.story(due.receiver, due.key, self._episodes(due.key))

    def _story(self, due: Due, told: list[Alert]) -> Text:
        if of_several(due):
            return group(told, self._language)
        return timeline(told, due.besides.running, self._language)

    def _alone(self, due: Due) -> Text:
        besides = due.besides
        if besides.remark is not None:
            folded = self._deliveries.alerts(besides.remark.alerts)
            return remark(besides.remark, folded, self._language)
        if besides.running is not None:
            return escalated(besides.running, self._language)
        if due.alert is not None:
            return render(due.alert, self._language)
        return Text(besides.note or "", language=self._language)

    def _marked(self, text: Text, due: Due, now_ms: int) -> Text:
        if due.alert is not None and now_ms - due.time_ms > self._late_after_ms:
            text = late(text, due.time_ms, self._language)
        if due.alert is not None and due.besides.note is not None:
            text = noted(text, due.besides.note)
        if due.uncertain:
            text = possible_duplicate(text, self._language)
        return text

    def _topic(self, due: Due, told: list[Alert]) -> str | None:
        first = told[0] if told else due.alert
        if first is None:
            return None
        match self._sink.topics:
            case TopicsBy.SYMBOL:
                return MARKET if of_several(due) else first.symbol
            case TopicsBy.SEVERITY:
                return first.severity.capitalize()
            case _:
                return None


def of_several(due: Due) -> bool:
    """Return whether it belongs to the story of several coins."""
    return due.story is not None and due.story.startswith(GROUP)
