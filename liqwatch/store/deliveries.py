"""The alerts, the messages they are to become for each receiver, and what became of those."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from liqwatch.alerting.intents import Intent, Remark, Role
from liqwatch.alerts import Alert, Running
from liqwatch.store.database import Database

PRUNE_STEP = 500  # rows

_STATES = {Role.HELD: "held", Role.OFF: "off"}  # all others wait to be sent


class Besides(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a message tells besides an alert, or instead of one.

    A `note` is a line of its own, before the text or alone.
    """

    running: Running | None = None
    remark: Remark | None = None
    note: str | None = None


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be. `time_ms` since the Unix epoch is that of what it tells.

    An edit without anything to tell asks that the story's message be brought up to date.
    """

    receiver: str
    intent: Intent
    time_ms: int
    alert: str | None = None  # its id
    running: Running | None = None
    note: str | None = None


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is to go out. `uncertain`: an earlier attempt may have arrived."""

    number: int
    receiver: str
    story: str | None
    role: Role
    silent: bool
    uncertain: bool
    time_ms: int
    alert: Alert | None
    besides: Besides

    @property
    def key(self) -> str | None:
        """What its message is remembered under: the story, or the alert that is told alone."""
        if self.story is not None and self.role is not Role.ALONE:
            return self.story
        return None if self.alert is None else self.alert.id


class Shown(msgspec.Struct, frozen=True):
    """Where a receiver sees a story: the message, and the one with its picture.

    They are the same where the text is the caption of the picture.
    """

    message_id: int
    picture_id: int | None = None

    @property
    def is_photo(self) -> bool:
        """Whether the text is a caption."""
        return self.message_id == self.picture_id


_alert = msgspec.json.Decoder(Alert).decode
_besides = msgspec.json.Decoder(Besides).decode


class Deliveries:
    """The delivery tables of `database`. Each change is committed when its method returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unknown(self, alerts: Iterable[Alert]) -> list[Alert]:
        """Return those that were not kept before, each once."""
        known = "SELECT 1 FROM alerts WHERE id = ?"
        new: dict[str, Alert] = {}
        for alert in alerts:
            if alert.id not in new and not self._database.read(known, alert.id):
                new[alert.id] = alert
        return list(new.values())

    def add(
        self,
        queued: Sequence[Queued],
        *,
        alerts: Sequence[Alert] = (),
        desks: Mapping[str, bytes] | None = None,
    ) -> None:
        """Keep messages with the new alerts they tell and the desks they were decided at.

        All in one transaction. An edit shows the newest state, so it takes the place of the one
        of its story that still waits.
        """
        keep = "INSERT OR IGNORE INTO alerts (id, episode, json, time_ms) VALUES (?, ?, ?, ?)"

        def work(db: sqlite3.Connection) -> None:
            for one in alerts:
                db.execute(keep, (one.id, one.episode, msgspec.json.encode(one), one.time))
            for message in queued:
                _insert(db, message)
            db.executemany("REPLACE INTO desks VALUES (?, ?)", (desks or {}).items())

        self._database.write(work)

    def desk(self, receiver: str) -> bytes | None:
        """Return what the policy kept of this receiver."""
        rows = self._database.read("SELECT json FROM desks WHERE receiver = ?", receiver)
        return rows[0][0] if rows else None

    # -- what waits -----------------------------------------------------------------------------

    def first_due(self, receiver: str) -> Due | None:
        """Return what goes out next: by rank, then oldest first."""
        while rows := self._database.read(_WAITING + " LIMIT 1", receiver):
            due = self._read(rows[0])
            if due is not None:
                return due
        return None

    def waiting(self, receiver: str) -> list[Due]:
        """Return all that is to go out, in order."""
        rows = self._database.read(_WAITING, receiver)
        return [due for row in rows if (due := self._read(row)) is not None]

    def pending(self) -> int:
        """Return how many deliveries wait, over all receivers."""
        ((count,),) = self._database.read("SELECT count(*) FROM deliveries WHERE state = 'pending'")
        return int(count)

    def told(self, receiver: str, alert: Alert) -> bool:
        """Return whether this alert ever became a message for this receiver."""
        query = "SELECT 1 FROM deliveries WHERE alert = ? AND receiver = ? LIMIT 1"
        return bool(self._database.read(query, alert.id, receiver))

    def alerts(self, ids: Iterable[str]) -> list[Alert]:
        """Return those of these alerts that are still kept, in order of decision."""
        query = """
            SELECT json FROM alerts
            WHERE id IN (SELECT value FROM json_each(?)) ORDER BY number
        """
        return _readable(self._database.read(query, msgspec.json.encode(list(ids)).decode()))

    def story(self, receiver: str, key: str, episodes: Sequence[str]) -> list[Alert]:
        """Return the alerts of a story as this receiver is told it, oldest first.

        They are those of the episodes it is made of, and what else is told in its message.
        """
        names = msgspec.json.encode(list(episodes)).decode()
        return _readable(self._database.read(_STORY, key, receiver, names))

    def shown(self, receiver: str, key: str | None) -> Shown | None:
        """Return where the receiver sees a story, or an alert that has none."""
        query = "SELECT message_id, picture_id FROM messages WHERE receiver = ? AND story = ?"
        rows = self._database.read(query, receiver, key)
        return Shown(*rows[0]) if rows else None

    def remember(self, receiver: str, key: str, shown: Shown) -> None:
        """Remember where the receiver sees what goes by `key`."""
        self._database.write(lambda db: _remember(db, receiver, key, shown))

    # -- what became of it ----------------------------------------------------------------------

    def begin(self, due: Due) -> None:
        """Note that an attempt is under way: a crash from here on leaves its outcome unknown."""
        self._set_uncertain(due, uncertain=True)

    def not_sent(self, due: Due) -> None:
        """Note that the attempt surely did not arrive."""
        self._set_uncertain(due, uncertain=due.uncertain)

    def sent(self, due: Due, *, shown: Shown | None = None, outcome: str = "") -> None:
        """Note that it arrived; where `shown`, its story is seen there from now on."""
        remark = due.besides.remark

        def work(db: sqlite3.Connection) -> None:
            db.execute(_SETTLE, ("sent", outcome, due.number))
            if due.alert is None and remark is None:  # nobody will ask what became of numbers
                db.execute("DELETE FROM deliveries WHERE number = ?", (due.number,))
            if remark is not None:
                ids = msgspec.json.encode(remark.alerts).decode()
                db.execute(_TOLD_LATER, (due.receiver, ids))
            if shown is not None and due.key is not None:
                _remember(db, due.receiver, due.key, shown)

        self._database.write(work)

    def drop(self, due: Due, reason: str) -> None:
        """Note that it is not sent, and why."""
        self._drop(due.number, reason)

    def fold(self, dues: Sequence[Due], remark: Remark, *, silent: bool) -> None:
        """Tell, instead of these messages to one receiver, of all of them in one remark."""
        intent = Intent(Role.ALONE, silent, "too old to be told as news", remark=remark)
        summary = Queued(receiver=dues[0].receiver, intent=intent, time_ms=remark.until_ms)

        def work(db: sqlite3.Connection) -> None:
            for due in dues:
                db.execute(_SETTLE, ("held", "", due.number))
            _insert(db, summary)

        self._database.write(work)

    def prune(self, before_ms: int) -> int:
        """Forget what is older (ms since the Unix epoch), the oldest first; return how much.

        Takes a bounded step: call it again while there is something.
        """
        step = (before_ms, PRUNE_STEP)

        def work(db: sqlite3.Connection) -> int:
            gone = db.execute(_PRUNE_DELIVERIES, step).rowcount
            gone += db.execute(_PRUNE_ALERTS, step).rowcount
            return gone + db.execute(_PRUNE_MESSAGES, (PRUNE_STEP,)).rowcount

        return self._database.write(work)

    def _read(self, row: Any) -> Due | None:
        number, receiver, story, role, silent, uncertain, time_ms, json, besides = row
        try:
            return Due(
                number=number,
                receiver=receiver,
                story=story,
                role=Role(role),
                silent=bool(silent),
                uncertain=bool(uncertain),
                time_ms=time_ms,
                alert=None if json is None else _alert(json),
                besides=_besides(besides),
            )
        except ValueError:  # what a newer liqwatch left behind
            self._drop(number, "unreadable")
            return None

    def _drop(self, number: int, reason: str) -> None:
        self._database.write(lambda db: db.execute(_SETTLE, ("dropped", reason, number)))

    def _set_uncertain(self, due: Due, *, uncertain: bool) -> None:
        row = (uncertain, due.number)
        self._database.write(
            lambda db: db.execute("UPDATE deliveries SET uncertain = ? WHERE number = ?", row)
        )


def _insert(db: sqlite3.Connection, message: Queued) -> None:
    intent = message.intent
    besides = Besides(running=message.running, remark=intent.remark, note=message.note)
    place = None
    if intent.role is Role.EDIT:
        whose = (message.receiver, intent.story)
        if waiting := db.execute(_WAITING_EDITS, whose).fetchall():
            if message.alert is None and besides == Besides():
                return  # the one that waits brings the message up to date as well
            place = min(place for _, place, _ in waiting)
            _replace(db, waiting)
    row = (
        place,
        message.alert,
        msgspec.json.encode(besides),
        message.time_ms,
        message.receiver,
        intent.story,
        intent.role,
        intent.role.rank,
        intent.silent,
        intent.reason,
        _STATES.get(intent.role, "pending"),
    )
    db.execute(_INSERT, row)


def _replace(db: sqlite3.Connection, edits: Iterable[tuple[int, int, str | None]]) -> None:
    # What an alert was to become is kept for those who ask; mere numbers are not.
    for number, _, alert in edits:
        if alert is None:
            db.execute("DELETE FROM deliveries WHERE number = ?", (number,))
        else:
            db.execute("UPDATE deliveries SET state = 'merged' WHERE number = ?", (number,))


def _remember(db: sqlite3.Connection, receiver: str, key: str, shown: Shown) -> None:
    message = (receiver, key, shown.message_id, shown.picture_id)
    db.execute("REPLACE INTO messages VALUES (?, ?, ?, ?)", message)


def _readable(rows: Iterable[Any]) -> list[Alert]:
    alerts = []
    for (json,) in rows:
        with suppress(ValueError):  # what a newer liqwatch left behind
            alerts.append(_alert(json))
    return alerts


_SETTLE = "UPDATE deliveries SET state = ?, outcome = ? WHERE number = ?"

_WAITING_EDITS = """
    SELECT number, place, alert FROM deliveries
    WHERE state = 'pending' AND receiver = ? AND story IS ? AND role = 'edit'
"""

_INSERT = """
    INSERT INTO deliveries (place, alert, besides, time_ms, receiver, story, role, rank, silent,
        reason, state)
    VALUES (coalesce(?, (SELECT coalesce(max(number), 0) + 1 FROM deliveries)),
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_TOLD_LATER = """
    UPDATE deliveries SET outcome = 'told in a summary'
    WHERE state = 'held' AND receiver = ? AND alert IN (SELECT value FROM json_each(?))
"""

_WAITING = """
    SELECT deliveries.number, receiver, story, role, silent, uncertain, deliveries.time_ms, json,
        besides
    FROM deliveries LEFT JOIN alerts ON alerts.id = deliveries.alert
    WHERE state = 'pending' AND receiver = ?
    ORDER BY rank, place
"""

_STORY = """
    SELECT json FROM alerts
    WHERE id = ?1 OR episode IN (SELECT value FROM json_each(?3))
        OR id IN (SELECT alert FROM deliveries WHERE story = ?1 AND receiver = ?2)
    ORDER BY number
"""

# In order of number, which is near enough that of time; what still waits stays.
_PRUNE_DELIVERIES = """
    DELETE FROM deliveries
    WHERE state != 'pending' AND time_ms < ?1
        AND number IN (SELECT number FROM deliveries ORDER BY number LIMIT ?2)
"""
_PRUNE_ALERTS = """
    DELETE FROM alerts
    WHERE time_ms < ?1
        AND number IN (SELECT number FROM alerts ORDER BY number LIMIT ?2)
        AND NOT EXISTS (SELECT 1 FROM deliveries WHERE alert = alerts.id)
"""
# A message that is written again becomes the newest row. The status is nobody's story.
_PRUNE_MESSAGES = """
    DELETE FROM messages
    WHERE rowid IN (SELECT rowid FROM messages ORDER BY rowid LIMIT ?) AND story != 'status'
        AND NOT EXISTS (SELECT 1 FROM deliveries WHERE story = messages.story)
        AND NOT EXISTS (SELECT 1 FROM alerts WHERE id = messages.story)
"""
