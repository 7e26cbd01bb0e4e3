from collections.abc import Iterator

import msgspec
import pytest
from msgspec.structs import replace
from sample_alerts import APPROACHED, ENDED, RESUMED, STALLED, STARTED, STORY

from liqwatch.alerting.intents import ReceiverKind, Role
from liqwatch.alerting.policy import plan
from liqwatch.alerts import Alert
from liqwatch.store import Database, Deliveries, Due, MovedChats

CHAT = "telegram:1"


@pytest.fixture
def database() -> Iterator[Database]:
    database = Database(None)
    yield database
    database.close()


@pytest.fixture
def deliveries(database: Database) -> Deliveries:
    return Deliveries(database)


def add(deliveries: Deliveries, *alerts: Alert) -> None:
    deliveries.add(
        (alert, [(CHAT, intent) for intent in plan(alert, ReceiverKind.THREADED)])
        for alert in alerts
    )


def sent_in_turn(deliveries: Deliveries) -> Iterator[Due]:
    while due := deliveries.first_due(CHAT):
        deliveries.sent(due)
        yield due


def test_the_same_alert_twice_changes_nothing(deliveries: Deliveries) -> None:
    add(deliveries, STARTED)
    add(deliveries, STARTED, replace(STARTED, price=1.0))

    assert deliveries.pending() == 1
    assert deliveries.story("BTC-up-1") == [STARTED]


def test_starts_overtake_what_waits_and_edits_come_last(deliveries: Deliveries) -> None:
    add(deliveries, APPROACHED, STARTED, STALLED)
    other = replace(STARTED, id="other", episode="ETH-up-1", symbol="ETH")
    add(deliveries, other)

    assert [(due.alert.id, due.role) for due in sent_in_turn(deliveries)] == [
        ("start", Role.ROOT),
        ("other", Role.ROOT),
        ("approach", Role.ALONE),
        ("stall", Role.REPLY),
        ("stall", Role.EDIT),
    ]


def test_waiting_edits_of_a_story_become_the_newest_one(deliveries: Deliveries) -> None:
    add(deliveries, *STORY)

    edits = [due.alert for due in sent_in_turn(deliveries) if due.role is Role.EDIT]
    assert edits == [ENDED]


def test_an_attempt_under_way_leaves_its_outcome_unknown(deliveries: Deliveries) -> None:
    add(deliveries, STARTED)
    first = deliveries.first_due(CHAT)
    assert first is not None
    deliveries.begin(first)
    second = deliveries.first_due(CHAT)
    assert second is not None

    assert (first.uncertain, second.uncertain) == (False, True)
    deliveries.not_sent(first)
    assert first == deliveries.first_due(CHAT)


def test_an_alert_of_a_newer_version_is_dropped_and_blocks_nothing(
    database: Database, deliveries: Deliveries
) -> None:
    add(deliveries, STARTED, APPROACHED)
    newer = msgspec.json.encode(STARTED).replace(b"cascade_started", b"moon_phase")
    database.write(lambda db: db.execute("UPDATE alerts SET json = ? WHERE id = 'start'", (newer,)))

    assert [due.alert for due in sent_in_turn(deliveries)] == [APPROACHED]


def test_what_is_dropped_keeps_its_reason(database: Database, deliveries: Deliveries) -> None:
    add(deliveries, APPROACHED)
    due = deliveries.first_due(CHAT)
    assert due is not None
    deliveries.drop(due, "chat gone")

    assert deliveries.pending() == 0
    assert database.read("SELECT state, outcome FROM deliveries") == [("dropped", "chat gone")]


def test_the_message_of_a_story_is_remembered_per_receiver(deliveries: Deliveries) -> None:
    add(deliveries, STARTED, RESUMED)
    due = deliveries.first_due(CHAT)
    assert due is not None
    deliveries.sent(due, root=17)

    assert deliveries.root(CHAT, "BTC-up-1") == 17
    assert deliveries.root("telegram:2", "BTC-up-1") is None
    assert deliveries.root(CHAT, None) is None


def test_a_chat_that_moved_is_followed_after_a_restart(database: Database) -> None:
    MovedChats(database).moved(-5, -1005)

    assert MovedChats(database).current(-5) == -1005
    assert MovedChats(database).current(-6) == -6
