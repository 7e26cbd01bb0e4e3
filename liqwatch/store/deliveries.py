"""The alerts, the messages they are to become for each receiver, and what became of those."""

import sqlite3
from collections.abc import Iterable

import msgspec

from liqwatch.alerting.intents import Intent, Role
from liqwatch.alerts import Alert
from liqwatch.store.database import Database

_decode = msgspec.json.Decoder(Alert).decode


class Due(msgspec.Struct, frozen=True):
    """A delivery that is to go out. `uncertain`: an earlier attempt may have arrived."""

    number: int
    alert: Alert
    receiver: str
    episode: str | None
    role: Role
    silent: bool
    uncertain: bool


class Deliveries:
    """The delivery tables of `database`. Each change is committed when its method returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, planned: Iterable[tuple[Alert, list[tuple[str, Intent]]]]) -> None:
        """Keep alerts, each with the messages to its receivers, all in one transaction.

        An alert that is there already changes nothing. An edit shows the newest state, so it takes
        the place of the story's edits that still wait.
        """

        def work(db: sqlite3.Connection) -> None:
            for alert, intents in planned:
                row = (alert.id, alert.episode, msgspec.json.encode(alert))
                insert = "INSERT OR IGNORE INTO alerts (id, episode, json) VALUES (?, ?, ?)"
                if db.execute(insert, row).rowcount:
                    for receiver, intent in intents:
                        _insert(db, alert, receiver, intent)

        self._database.write(work)

    def first_due(self, receiver: str) -> Due | None:
        """Return what goes out next: by rank, then oldest first."""
        while rows := self._database.read(_FIRST_DUE, receiver):
            number, json, episode, role, silent, uncertain = rows[0]
            try:
                alert = _decode(json)
            except msgspec.ValidationError:  # a kind that a newer liqwatch left behind
                self._drop(number, "unreadable")
                continue
            return Due(number, alert, receiver, episode, Role(role), bool(silent), bool(uncertain))
        return None

    def pending(self) -> int:
        """Return how many deliveries wait, over all receivers."""
        ((count,),) = self._database.read("SELECT count(*) FROM deliveries WHERE state = 'pending'")
        return int(count)

    def story(self, episode: str) -> list[Alert]:
        """Return the alerts of an episode, oldest first."""
        query = "SELECT json FROM alerts WHERE episode = ? ORDER BY number"
        return [_decode(json) for (json,) in self._database.read(query, episode)]

    def root(self, receiver: str, episode: str | None) -> int | None:
        """Return the message that shows the episode to this receiver."""
        query = "SELECT message_id FROM episode_messages WHERE receiver = ? AND episode = ?"
        rows = self._database.read(query, receiver, episode)
        return int(rows[0][0]) if rows else None

    def begin(self, due: Due) -> None:
        """Note that an attempt is under way: a crash from here on leaves its outcome unknown."""
        self._set_uncertain(due, uncertain=True)

    def not_sent(self, due: Due) -> None:
        """Note that the attempt surely did not arrive."""
        self._set_uncertain(due, uncertain=due.uncertain)

    def sent(self, due: Due, *, root: int | None = None, outcome: str = "") -> None:
        """Note that it arrived; `root` becomes the message of its episode."""

        def work(db: sqlite3.Connection) -> None:
            db.execute(_SETTLE, ("sent", outcome, due.number))
            if root is not None:
                message = (due.receiver, due.episode, root)
                db.execute("REPLACE INTO episode_messages VALUES (?, ?, ?)", message)

        self._database.write(work)

    def drop(self, due: Due, reason: str) -> None:
        """Note that it is not sent, and why."""
        self._drop(due.number, reason)

    def _drop(self, number: int, reason: str) -> None:
        self._database.write(lambda db: db.execute(_SETTLE, ("dropped", reason, number)))

    def _set_uncertain(self, due: Due, *, uncertain: bool) -> None:
        row = (uncertain, due.number)
        self._database.write(
            lambda db: db.execute("UPDATE deliveries SET uncertain = ? WHERE number = ?", row)
        )


def _insert(db: sqlite3.Connection, alert: Alert, receiver: str, intent: Intent) -> None:
    if intent.role is Role.EDIT:
        db.execute(_MERGE_EDITS, (receiver, alert.episode))
    whose = (alert.id, receiver, alert.episode)
    db.execute(_INSERT, (*whose, intent.role, intent.role.rank, intent.silent, intent.reason))


_SETTLE = "UPDATE deliveries SET state = ?, outcome = ? WHERE number = ?"

_INSERT = """
    INSERT INTO deliveries (alert, receiver, episode, role, rank, silent, reason)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""

_MERGE_EDITS = """
    UPDATE deliveries SET state = 'merged'
    WHERE state = 'pending' AND receiver = ? AND role = 'edit' AND episode = ?
"""

_FIRST_DUE = """
    SELECT deliveries.number, json, deliveries.episode, role, silent, uncertain
    FROM deliveries JOIN alerts ON alerts.id = deliveries.alert
    WHERE state = 'pending' AND receiver = ?
    ORDER BY rank, deliveries.number LIMIT 1
"""
