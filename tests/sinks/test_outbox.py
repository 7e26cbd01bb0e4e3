import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
import structlog
from fake_time import FakeTime
from msgspec.structs import replace
from recorder import Recorder, delivered, outbox_of, running
from sample_alerts import APPROACHED, ENDED, RESUMED, STALLED, START_MS, STARTED, STORY

from liqwatch.alerting.intents import ReceiverKind
from liqwatch.alerting.message import late, render, timeline, worded
from liqwatch.sinks.base import (
    Delivery,
    OutcomeUnknown,
    RetryLater,
    Undeliverable,
)
from liqwatch.sinks.outbox import Outbox
from liqwatch.sinks.timing import Timing
from liqwatch.store import Database, Shown

TROUBLE = RetryLater("no connection")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "liqwatch.db")


@pytest.fixture(autouse=True)
def _closed(database: Database) -> AsyncIterator[None]:  # type: ignore[misc]  # a plain generator
    yield
    database.close()


async def test_what_was_put_is_on_disk_before_anything_is_sent(
    tmp_path: Path, database: Database
) -> None:
    sink = Recorder()
    seen: list[object] = []

    def look(_: Delivery) -> None:
        other = Database(tmp_path / "liqwatch.db")
        seen.extend(other.read("SELECT alert, state FROM deliveries"))
        other.close()

    sink.on_send = look
    outbox = outbox_of(sink, database=database)
    outbox.put([STARTED])
    assert sink.got == []
    await delivered(outbox)

    assert seen == [("start", "pending")]


async def test_the_same_alert_twice_is_sent_once(database: Database) -> None:
    sink = Recorder()
    outbox = outbox_of(sink, database=database)
    outbox.put([STARTED, STARTED])
    outbox.put([STARTED])
    await delivered(outbox)
    outbox.put([STARTED])

    assert sink.summary() == ["send start"]
    assert outbox.pending == 0


async def test_a_threaded_receiver_gets_a_story_and_a_plain_one_its_alerts(
    database: Database,
) -> None:
    threaded, plain = Recorder(), Recorder(ReceiverKind.PLAIN)
    outbox = outbox_of(threaded, plain, database=database)
    outbox.put(STORY)
    await delivered(outbox)

    assert threaded.summary() == [
        "send start",
        "reply stall",
        "reply resume",
        "reply end",
    ]
    assert plain.summary() == ["send start", "send stall", "send resume", "send end"]
    assert plain.got[0].text.plain() == render(STARTED).plain()


async def test_a_first_message_that_goes_out_late_in_the_story_tells_the_newest_state(
    database: Database,
) -> None:
    sink = Recorder()
    outbox = outbox_of(sink, database=database)
    outbox.put([STARTED, STALLED])
    await delivered(outbox)

    assert sink.got[0].text.plain() == timeline([STARTED, STALLED]).plain()
    assert sink.summary() == ["send start", "reply stall"]  # an edit would change nothing


async def test_a_start_overtakes_what_waits(database: Database) -> None:
    sink = Recorder(errors=[TROUBLE])
    outbox = outbox_of(sink, database=database)
    outbox.put([replace(APPROACHED, id=f"approach {number}") for number in range(50)])
    outbox.put([STARTED])
    await delivered(outbox)

    assert sink.summary()[0] == "send start"


async def test_edits_keep_their_distance_and_show_the_newest_state(database: Database) -> None:
    sink, time = Recorder(), FakeTime()
    edited_at_s: list[float] = []
    sink.on_send = lambda delivery: edited_at_s.append(time.now_s) if delivery.edit else None
    outbox = outbox_of(sink, database=database, time=time)
    async with running(outbox):
        for alert in STORY:
            outbox.put([alert])
            assert await outbox.drain(5.0)

    gaps_s = [after - before for before, after in pairwise(edited_at_s)]
    assert gaps_s == [3.0, 3.0]
    assert sink.got[-1].text.plain() == timeline(STORY).plain()


async def test_a_new_send_does_not_wait_for_the_distance_between_edits(database: Database) -> None:
    sink = Recorder()
    real_time = Timing(now_ms=lambda: START_MS)  # in which the edit waits 3 s
    outbox = Outbox(database, [sink], timing=real_time)
    async with running(outbox):
        for alert in (STARTED, STALLED):
            outbox.put([alert])
            assert await outbox.drain(5.0)
        outbox.put([RESUMED])
        assert not await outbox.drain(0.05)
        outbox.put([replace(STARTED, id="other", episode="ETH-up-1")])
        assert not await outbox.drain(0.05)

    assert sink.summary()[-2:] == ["reply resume", "send other"]


async def test_trouble_is_waited_out_longer_and_longer_up_to_a_minute(database: Database) -> None:
    sink, time = Recorder(errors=[TROUBLE] * 40), FakeTime()
    outbox = outbox_of(sink, database=database, time=time)
    outbox.put([STARTED])
    await delivered(outbox)

    assert sink.summary() == ["send start"]
    assert len(time.waits_s) == 40
    assert all(1.0 <= wait_s <= min(60.0, 2.0**n) for n, wait_s in enumerate(time.waits_s, 1))
    assert max(time.waits_s) > 30.0


async def test_a_time_that_the_receiver_names_is_kept_exactly(database: Database) -> None:
    sink, time = Recorder(errors=[RetryLater("flood", 977.0)]), FakeTime()
    outbox = outbox_of(sink, database=database, time=time)
    outbox.put([STARTED])
    await delivered(outbox)

    assert time.waits_s == [977.0]


async def test_one_receivers_trouble_is_not_anothers(database: Database) -> None:
    stuck, free = Recorder(errors=[RetryLater("flood", 1000.0)]), Recorder(ReceiverKind.PLAIN)
    outbox = Outbox(database, [stuck, free], timing=Timing(now_ms=lambda: START_MS))
    async with running(outbox):
        outbox.put(STORY)
        assert not await outbox.drain(0.05)

    assert (len(stuck.got), len(free.got)) == (0, 4)


async def test_what_the_receiver_refuses_for_good_is_dropped_with_its_reason(
    database: Database,
) -> None:
    sink = Recorder(ReceiverKind.PLAIN, errors=[Undeliverable("answered 400")])
    outbox = outbox_of(sink, database=database)
    outbox.put([STARTED, STALLED])
    await delivered(outbox)

    assert sink.summary() == ["send stall"]
    assert database.read("SELECT state, outcome FROM deliveries ORDER BY number") == [
        ("dropped", "answered 400"),
        ("sent", ""),
    ]


async def test_to_a_receiver_that_is_gone_nothing_more_is_sent(database: Database) -> None:
    sink = Recorder(errors=[Undeliverable("blocked", receiver_gone=True)])
    outbox = outbox_of(sink, database=database)
    outbox.put(STORY)
    await delivered(outbox)

    assert sink.got == []
    assert outbox.pending == 0


async def test_an_unknown_outcome_is_repeated_once_and_marked(database: Database) -> None:
    sink = Recorder(errors=[OutcomeUnknown("timeout")])
    outbox = outbox_of(sink, database=database)
    outbox.put([STARTED])
    await delivered(outbox)

    (copy,) = sink.got
    assert copy.again
    assert "(possible duplicate)\n" in copy.text.plain()


@pytest.mark.parametrize("error", [OutcomeUnknown("timeout"), ValueError("a bug")])
async def test_after_two_unknown_outcomes_it_counts_as_sent(
    database: Database, error: Exception
) -> None:
    sink = Recorder(ReceiverKind.PLAIN, errors=[error, error])
    outbox = outbox_of(sink, database=database)
    outbox.put([STARTED, STALLED])
    await delivered(outbox)

    assert sink.summary() == ["send stall"]


async def test_a_reply_that_finds_nothing_to_hang_under_starts_the_thread(
    database: Database,
) -> None:
    sink = Recorder()
    outbox = outbox_of(sink, database=database)
    outbox.put([STALLED, ENDED])
    await delivered(outbox)

    assert sink.summary() == ["send stall", "reply end"]


async def test_old_news_is_marked_as_late_for_whoever_wants_each_alert(database: Database) -> None:
    sink = Recorder(ReceiverKind.PLAIN)
    outbox = outbox_of(sink, database=database, now_ms=START_MS + 900_001)
    outbox.put([STARTED])
    await delivered(outbox)

    assert sink.got[0].text.plain() == late(render(STARTED), START_MS).plain()


async def test_a_chat_gets_old_news_in_one_summary_and_what_is_still_news_as_ever(
    database: Database,
) -> None:
    sink = Recorder()
    outbox = outbox_of(sink, database=database, now_ms=STALLED.time + 900_001)
    outbox.put([APPROACHED, *STORY])
    await delivered(outbox)

    assert sink.summary() == [
        "send resume",
        "reply end",
        "send Too late to come as live",
    ]
    assert not sink.got[2].silent
    states = "SELECT alert, state, outcome FROM deliveries WHERE state = 'held' ORDER BY number"
    assert database.read(states) == [
        (one, "held", "told in a summary") for one in ("approach", "start", "stall")
    ]


async def test_a_kill_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    """Each run is cut off at another point; the next one goes on from the file."""
    got: list[Delivery] = []
    for steps in range(200):
        database = Database(tmp_path / "killed.db")
        sink = Recorder()
        sink.got = got
        outbox = outbox_of(sink, database=database)
        if steps == 0:
            outbox.put(STORY)
        task = asyncio.ensure_future(outbox.run())
        for _ in range(steps % 4):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        pending = outbox.pending
        database.close()
        if not pending:
            break

    sent = [delivery.alert for delivery in got if delivery.edit is None]
    assert [alert and alert.id for alert in sent] == [alert.id for alert in STORY]
    roots = [delivery for delivery in got if delivery.reply_to is None]
    assert roots[-1].text.plain() == timeline(STORY).plain()


async def test_a_kill_during_a_send_leads_to_one_marked_copy(tmp_path: Path) -> None:
    arrived = asyncio.Event()

    class Hanging(Recorder):
        async def send(self, delivery: Delivery) -> Shown | None:
            await super().send(delivery)
            arrived.set()
            await asyncio.Event().wait()
            return None

    first = Database(tmp_path / "killed.db")
    hanging = Hanging()
    outbox = outbox_of(hanging, database=first)
    outbox.put([STARTED])
    async with running(outbox):
        await arrived.wait()
    first.close()

    second = Database(tmp_path / "killed.db")
    sink = Recorder()
    await delivered(outbox_of(sink, database=second))
    second.close()

    assert [hanging.got[0].again, sink.got[0].again] == [False, True]
    assert "(possible duplicate)" in sink.got[0].text.plain()


def test_what_put_returned_from_survives_a_sigkill(tmp_path: Path) -> None:
    path = tmp_path / "killed.db"
    with subprocess.Popen(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", PUT_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        returned = [child.stdout.readline().strip() for _ in range(100)]
        child.kill()
        returned += child.stdout.read().splitlines()
    database = Database(path)
    kept = {row[0] for row in database.read("SELECT alert FROM deliveries")}
    database.close()

    assert len(returned) >= 100
    assert set(returned) <= kept


# Writes the id of each alert once `put` has returned.
PUT_FOR_EVER = """
import itertools, pathlib, sys
from liqwatch.alerts import Alert, Kind, Severity
from liqwatch.sinks.console import ConsoleSink
from liqwatch.alerting.message import late, render, timeline, worded
from liqwatch.sinks.base import TopicsBy
from liqwatch.sinks.outbox import Outbox
from liqwatch.sinks.timing import Timing
from liqwatch.store import Database, Shown

outbox = Outbox(Database(pathlib.Path(sys.argv[1])), [ConsoleSink()])
for number in itertools.count():
    alert = Alert(
        id=str(number), episode=None, kind=Kind.CONFIG_APPLIED, symbol="", position=None,
        direction=None, time=0, price=None, severity=Severity.INFO, evidence={}, thresholds={},
    )
    outbox.put([alert])
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


async def test_trouble_is_logged_once_when_it_comes_and_once_when_it_goes(
    database: Database,
) -> None:
    sink = Recorder(errors=[TROUBLE] * 5)
    outbox = outbox_of(sink, database=database)
    outbox.put([STARTED])
    with structlog.testing.capture_logs() as logs:
        await delivered(outbox)

    assert [line["event"] for line in logs] == ["delivery fails", "delivery works again"]
    assert (logs[0]["reason"], logs[0]["then"]) == ("no connection", "it is tried again")


async def test_stopping_closes_the_sinks(database: Database) -> None:
    sink = Recorder()
    async with running(outbox_of(sink, database=database)):
        await asyncio.sleep(0)

    assert sink.closed


async def test_waiting_for_nothing_takes_no_turns_of_the_loop(database: Database) -> None:
    sink, time = Recorder(), FakeTime()
    outbox = outbox_of(sink, database=database, time=time)
    queries: list[str] = []
    database._connection.set_trace_callback(queries.append)
    async with running(outbox):
        await asyncio.sleep(0.05)

    assert len(queries) == 1
    assert time.waits_s == []


async def test_a_bug_in_the_words_costs_no_alert(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("liqwatch.sinks.composing.render", fail)
    sink = Recorder(ReceiverKind.PLAIN)
    outbox = outbox_of(sink, database=database)
    outbox.put([STARTED])
    with structlog.testing.capture_logs() as logs:
        await delivered(outbox)

    assert sink.got[0].text.plain() == worded(STARTED).text
    assert [line["event"] for line in logs] == ["no words for a message"]
