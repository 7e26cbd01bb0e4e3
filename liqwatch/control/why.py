"""Why an alert was decided on and what became of it, from what the database keeps."""

import msgspec

from liqwatch.alerting.evidence import finite, number
from liqwatch.alerts import Alert
from liqwatch.control.vocabulary import ControlError, Criterion, Delivered, Explained
from liqwatch.store import Database

MOST_ALERTS = 12  # of one story

_decode = msgspec.json.Decoder(Alert).decode

# What is held against a limit of another name.
_HELD_AGAINST = {
    "floor_usd_30s": "forced_usd_30s",
    "approach_sigma": "distance_sigma",
    "stall_retrace_pct": "retrace_pct",
    "delivers_nothing_s": "silent_s",
}
_UPPER_LIMITS = {"approach_sigma"}
_NO_LIMITS = {"return_hours"}  # that of the evidence says which of the limits was taken


def explain(database: Database, word: str) -> tuple[Explained, ...]:
    """Explain a story, or an alert. Raises ControlError when there is none of that name."""
    return tuple(_explained(database, alert) for alert in find_story(database, word))


def find_story(database: Database, word: str) -> list[Alert]:
    """Return the alerts of the story named so, or else of the newest with that in a name.

    Oldest first. Raises ControlError.
    """
    word = word.strip().lstrip("#")
    rows = database.read(_STORY, word) if word else []
    if not rows:
        ((number,),) = database.read(_NEWEST, word.lower())
        newest = database.read("SELECT coalesce(episode, id) FROM alerts WHERE number = ?", number)
        if not newest:
            raise ControlError(f"no alert {word}" if word else "no alert yet")
        rows = database.read(_STORY, newest[0][0])
    return [_decode(row) for (row,) in [*rows[:1], *rows[1:][1 - MOST_ALERTS :]]]


def _explained(database: Database, alert: Alert) -> Explained:
    deliveries = (Delivered(*row) for row in database.read(_DELIVERIES, alert.id))
    return Explained(alert, criteria(alert), tuple(deliveries))


def criteria(alert: Alert) -> tuple[Criterion, ...]:
    """Return each number of the evidence that has a limit, with it."""
    found = []
    for limit_name, limit in alert.thresholds.items():
        name = _HELD_AGAINST.get(limit_name, limit_name)
        value, bound = number(alert, name), finite(limit)
        if limit_name not in _NO_LIMITS and value is not None and bound is not None:
            found.append(Criterion(name, value, bound, limit_name not in _UPPER_LIMITS))
    rarity = number(alert, "rarity_ratio")  # of the flow to what is seen once in return_hours
    if rarity is not None:
        found.insert(0, Criterion("rarity_ratio", rarity, 1.0, at_least=True))
    return tuple(found)


_NEWEST = """
    SELECT max(number) FROM (
        SELECT number FROM alerts WHERE instr(lower(id), ?1) > 0
        UNION ALL SELECT number FROM alerts WHERE instr(lower(episode), ?1) > 0
    )
"""
# A story of several coins is known by what it was told in.
_STORY = """
    SELECT json FROM alerts
    WHERE episode = ?1 OR id = ?1 OR id IN (SELECT alert FROM deliveries WHERE story = ?1)
    ORDER BY number
"""
_DELIVERIES = """
    SELECT receiver, role, state, reason, outcome FROM deliveries WHERE alert = ? ORDER BY number
"""
