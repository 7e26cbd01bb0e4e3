from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from sample_alerts import APPROACHED, ENDED, RESUMED, STALLED, START_MS, STARTED, STORY

from liqwatch.alerting.intents import Intent, Remark, Role
from liqwatch.alerts import Alert, Kind, Running
from liqwatch.samples import RUNNING
from liqwatch.store import Database, Deliveries, Due, MovedChats, Queued, Shown
from liqwatch.store.schema import MIGRATIONS

CHAT, EPISODE = "telegram:1", "BTC-up-1"


@pytest.fixture
def database() -> Iterator[Database]:
    database = Database(None)
    yield database
    database.close()


@pytest.fixture
def deliveries(database: Database) -> Deliveries:
    return Deliveries(database)


def message(
    role: Role,
    *,
    alert: Alert | None = None,
    running: Running | None = None,
    story: str | None = EPISODE,
    remark: Remark | None = None,
    receiver: str = CHAT,
) -> Queued:
    intent = Intent(role, silent=False, reason="why", story=story, remark=remark)
    time_ms = alert.time if alert else START_MS
    return Queued(
        receiver=receiver,
        intent=intent,
        time_ms=time_ms,
        alert=alert.id if alert else None,
        running=running,
    )


def add(deliveries: Deliveries, *alerts: Alert) -> None:
    """As they are told in a chat: a root, replies with an edit each, others alone."""
    for alert in alerts:
        roles = [Role.REPLY, Role.EDIT]
        if alert.episode is None:
            roles = [Role.ALONE]
        elif alert.kind is Kind.CASCADE_STARTED:
            roles = [Role.ROOT]
        queued = [message(role, alert=alert, story=alert.episode) for role in roles]
        deliveries.add(queued, alerts=[alert])


def sent_in_turn(deliveries: Deliveries) -> Iterator[Due]:
    while due := deliveries.first_due(CHAT):
        deliveries.sent(due)
        yield due


def first(deliveries: Deliveries) -> Due:
    due = deliveries.first_due(CHAT)
    assert due is not None
    return due


def test_an_alert_is_new_once(deliveries: Deliveries) -> None:
    assert deliveries.unknown([STARTED, STALLED, STARTED]) == [STARTED, STALLED]
    add(deliveries, STARTED)

    assert deliveries.unknown([STARTED, STALLED]) == [STALLED]


def test_starts_overtake_what_waits_then_come_turning_points_and_edits_last(
    deliveries: Deliveries,
) -> None:
    add(deliveries, APPROACHED, STARTED, STALLED)
    add(deliveries, replace(STARTED, id="other", episode="ETH-up-1", symbol="ETH"))

    turns = [(due.alert and due.alert.id, due.role) for due in sent_in_turn(deliveries)]
    assert turns == [
        ("start", Role.ROOT),
        ("other", Role.ROOT),
        ("stall", Role.REPLY),
        ("approach", Role.ALONE),
        ("stall", Role.EDIT),
    ]


def test_waiting_edits_of_a_story_become_the_newest_one(deliveries: Deliveries) -> None:
    add(deliveries, *STORY)

    assert [due.alert for due in sent_in_turn(deliveries) if due.role is Role.EDIT] == [ENDED]


def test_an_edit_keeps_the_place_of_the_one_it_replaces(deliveries: Deliveries) -> None:
    """A story that changes every second must not keep others from their turn, nor lose its own."""
    for number in range(3):
        newest = replace(RUNNING, time=number)
        deliveries.add([message(Role.EDIT, running=newest)])
        deliveries.add([message(Role.EDIT, running=newest, story="ETH-up-1")])

    turns = [(due.story, due.besides.running) for due in sent_in_turn(deliveries)]
    assert turns == [(EPISODE, newest), ("ETH-up-1", newest)]


def test_an_edit_that_tells_nothing_joins_the_one_that_waits(deliveries: Deliveries) -> None:
    deliveries.add([message(Role.EDIT, running=RUNNING)])
    deliveries.add([message(Role.EDIT)])

    assert [due.besides.running for due in sent_in_turn(deliveries)] == [RUNNING]


def test_numbers_of_a_running_cascade_leave_no_trace(
    database: Database, deliveries: Deliveries
) -> None:
    deliveries.add([message(Role.EDIT, running=RUNNING), message(Role.REPLY, running=RUNNING)])
    for _ in sent_in_turn(deliveries):
        pass

    assert database.read("SELECT count(*) FROM deliveries") == [(0,)]


def test_what_is_held_or_off_is_kept_with_its_reason_and_never_due(
    database: Database, deliveries: Deliveries
) -> None:
    queued = [message(Role.HELD, alert=STARTED), message(Role.OFF, alert=STARTED)]
    deliveries.add(queued, alerts=[STARTED])

    assert deliveries.first_due(CHAT) is None
    assert database.read("SELECT state, reason FROM deliveries") == [
        ("held", "why"),
        ("off", "why"),
    ]


def test_what_a_summary_told_is_noted_at_what_was_held(
    database: Database, deliveries: Deliveries
) -> None:
    remark = Remark(why="digest", alerts=("start",), since_ms=0, until_ms=1)
    deliveries.add([message(Role.HELD, alert=STARTED)], alerts=[STARTED])
    deliveries.add([message(Role.ALONE, remark=remark, story=None)])
    due = first(deliveries)
    assert deliveries.alerts(remark.alerts) == [STARTED]
    deliveries.sent(due)

    kept = database.read("SELECT role, state, outcome FROM deliveries")
    assert kept == [("held", "held", "told in a summary"), ("alone", "sent", "")]


def test_desks_are_committed_with_what_was_decided_at_them(deliveries: Deliveries) -> None:
    with pytest.raises(Exception, match="FOREIGN KEY"):
        deliveries.add([message(Role.ALONE, alert=STARTED)], desks={CHAT: b"{}"})

    assert deliveries.desk(CHAT) is None
    deliveries.add([], desks={CHAT: b'{"version":1}'})
    assert deliveries.desk(CHAT) == b'{"version":1}'


def test_an_attempt_under_way_leaves_its_outcome_unknown(deliveries: Deliveries) -> None:
    add(deliveries, STARTED)
    before = first(deliveries)
    deliveries.begin(before)

    assert (before.uncertain, first(deliveries).uncertain) == (False, True)
    deliveries.not_sent(before)
    assert before == first(deliveries)


def test_an_alert_of_a_newer_version_is_dropped_and_blocks_nothing(
    database: Database, deliveries: Deliveries
) -> None:
    add(deliveries, STARTED, APPROACHED)
    newer = msgspec.json.encode(STARTED).replace(b"cascade_started", b"moon_phase")
    database.write(lambda db: db.execute("UPDATE alerts SET json = ? WHERE id = 'start'", (newer,)))

    assert [due.alert for due in sent_in_turn(deliveries)] == [APPROACHED]
    assert deliveries.story(CHAT, EPISODE, [EPISODE]) == []


def test_what_is_dropped_keeps_its_reason(database: Database, deliveries: Deliveries) -> None:
    add(deliveries, APPROACHED)
    deliveries.drop(first(deliveries), "chat gone")

    assert deliveries.pending() == 0
    assert database.read("SELECT state, outcome FROM deliveries") == [("dropped", "chat gone")]


def test_the_message_of_a_story_is_remembered_per_receiver(deliveries: Deliveries) -> None:
    add(deliveries, STARTED, RESUMED)
    deliveries.sent(first(deliveries), shown=Shown(17, 17))

    assert deliveries.shown(CHAT, EPISODE) == Shown(17, 17)
    assert deliveries.shown("telegram:2", EPISODE) is None
    assert deliveries.shown(CHAT, None) is None


def test_a_story_is_what_its_episodes_hold_and_what_else_its_message_tells(
    deliveries: Deliveries,
) -> None:
    other = replace(STARTED, id="other", episode="ETH-up-1", symbol="ETH")
    add(deliveries, STARTED, other)
    deliveries.add([message(Role.EDIT, alert=APPROACHED)], alerts=[APPROACHED])

    assert deliveries.story(CHAT, EPISODE, [EPISODE]) == [STARTED, APPROACHED]
    assert deliveries.story("telegram:2", "market:1", [EPISODE, "ETH-up-1"]) == [STARTED, other]


def test_what_is_too_old_is_forgotten_but_not_what_still_waits(deliveries: Deliveries) -> None:
    add(deliveries, STARTED, APPROACHED)
    deliveries.sent(first(deliveries), shown=Shown(1))
    late_ms = START_MS + 1
    assert deliveries.prune(START_MS) == 0
    while deliveries.prune(late_ms + 1):
        pass

    assert [due.alert for due in deliveries.waiting(CHAT)] == [APPROACHED]
    assert deliveries.unknown([STARTED, APPROACHED]) == [STARTED]
    assert deliveries.shown(CHAT, EPISODE) is None


def test_forgetting_takes_small_steps(deliveries: Deliveries) -> None:
    many = [replace(APPROACHED, id=str(number)) for number in range(1200)]
    deliveries.add([message(Role.OFF, alert=one, story=None) for one in many], alerts=many)

    assert [deliveries.prune(APPROACHED.time + 1) for _ in range(4)] == [1000, 1000, 400, 0]


def test_a_database_of_the_first_schema_keeps_what_waits_and_where_stories_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as then:
        then.setattr("liqwatch.store.database.MIGRATIONS", MIGRATIONS[:1])
        old = Database(tmp_path / "old.db")
    row = (STALLED.id, EPISODE, msgspec.json.encode(STALLED))

    def fill(db: object) -> None:
        execute = db.execute  # type: ignore[attr-defined]  # a connection
        execute("INSERT INTO alerts (id, episode, json) VALUES (?, ?, ?)", row)
        execute(
            "INSERT INTO deliveries (alert, receiver, episode, role, rank, silent, reason)"
            " VALUES ('stall', ?, ?, 'reply', 1, 0, 'the story turns')",
            (CHAT, EPISODE),
        )
        execute("INSERT INTO episode_messages VALUES (?, ?, 17)", (CHAT, EPISODE))

    old.write(fill)
    old.close()
    new = Database(tmp_path / "old.db")
    deliveries = Deliveries(new)
    due = first(deliveries)

    assert (due.alert, due.role, due.story, due.time_ms) == (
        STALLED,
        Role.REPLY,
        EPISODE,
        STALLED.time,
    )
    assert deliveries.shown(CHAT, EPISODE) == Shown(17)
    new.close()


def test_a_chat_that_moved_is_followed_after_a_restart(database: Database) -> None:
    MovedChats(database).moved(-5, -1005)

    assert MovedChats(database).current(-5) == -1005
    assert MovedChats(database).current(-6) == -6
