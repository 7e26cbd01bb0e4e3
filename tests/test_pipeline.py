"""One path in: frames are decoded, time passes, connections come and go, nothing bad stops it."""

from collections.abc import Sequence

import frames_binance
import frames_bybit
import pytest

from liqwatch.alerts import Alert
from liqwatch.engine import Engine
from liqwatch.engine.settings import EngineSettings
from liqwatch.events import (
    Connect,
    Disconnect,
    Event,
    Failed,
    Opened,
    Subscribed,
    Tick,
    Trade,
)
from liqwatch.exchanges import EXCHANGES
from liqwatch.exchanges.base import Acknowledged
from liqwatch.exchanges.binance import BinanceUsdm
from liqwatch.map_import import ImportedMap
from liqwatch.pipeline import (
    SAMPLE_CHARS,
    SAMPLES,
    EngineError,
    Pipeline,
    promises,
    read_snapshot,
)
from liqwatch.records import Close, Record

START_NS = frames_binance.RECEIVED
SECOND_NS = 1_000_000_000
VENUE = frames_binance.VENUE
ACK = '{"result":null,"id":1}'


class Listening(Engine):
    """The engine, and what it was told in turn."""

    def __init__(self) -> None:
        super().__init__(EngineSettings(), watch=None, promises=promises(EXCHANGES))
        self.heard: list[object] = []

    def update(self, event: Event | ImportedMap) -> Sequence[Alert]:
        self.heard.append(event)
        return super().update(event)


class Bench:
    """A pipeline over every venue, and shorthands for what reaches it."""

    def __init__(self) -> None:
        self.engine = Listening()
        self.written: list[Event] = []
        self.pipeline = Pipeline(
            self.engine,
            {name: exchange() for name, exchange in EXCHANGES.items()},
            on_alerts=lambda _: None,
            on_event=self.written.append,
        )
        self.trades = 0

    def trade(self, stream: str = "s/1", *, at: int = START_NS) -> None:
        # Aggregate-Trade-Streams of developers.binance.com, USDⓈ-M futures.
        self.trades += 1
        text = (
            f'{{"e":"aggTrade","E":{at // 10**6},"a":{self.trades},"s":"BTCUSDT","p":"60000.10",'
            f'"q":"0.250","f":1,"l":1,"T":{at // 10**6},"m":true,"st":1}}'
        )
        self.pipeline.ingest(Record(at=at, venue=VENUE, stream=stream, text=text))

    def text(self, text: str, *, venue: str = VENUE, stream: str = "s/1") -> object:
        return self.pipeline.ingest(Record(at=START_NS, venue=venue, stream=stream, text=text))

    def open(self, stream: str) -> None:
        self.pipeline.ingest(Record(at=START_NS, venue=VENUE, stream=stream, open="wss://v"))

    def close(self, stream: str, code: int = 1006, reason: str = "") -> None:
        close = Close(code, reason)
        self.pipeline.ingest(Record(at=START_NS, venue=VENUE, stream=stream, close=close))

    def lines(self) -> list[tuple[str, str]]:
        """What the engine heard of connections: kind and stream, in order."""
        return [
            (type(event).__name__, event.stream)
            for event in self.engine.heard
            if isinstance(event, Connect | Disconnect)
        ]


@pytest.fixture
def bench() -> Bench:
    return Bench()


# -- bad input


def test_bad_frames_are_counted_by_venue_and_kind(bench: Bench) -> None:
    bench.text("no JSON")
    bench.text('{"e":"aggTrade"}')
    bench.text("{", venue=frames_bybit.VENUE)
    bench.text("{", venue=frames_bybit.VENUE)
    bench.pipeline.ingest(
        Record(at=START_NS, venue=VENUE, get=frames_binance.LIST_URL, status=451, text="no")
    )
    bench.trade()

    assert bench.pipeline.malformed == {
        (VENUE, "not_json"): 1,
        (VENUE, "bad_field"): 1,
        (VENUE, "http_451"): 1,
        (frames_bybit.VENUE, "not_json"): 2,
    }
    assert isinstance(bench.written[-1], Trade), "the stream lives on"


def test_what_is_told_as_skipped_leaves_out_refusals_and_what_is_of_no_interest(
    bench: Bench,
) -> None:
    bench.text("no JSON")
    bench.pipeline.ingest(
        Record(at=START_NS, venue=VENUE, get=frames_binance.LIST_URL, status=451, text="no")
    )
    bench.pipeline.exchanges[VENUE].counts["ignored:bookTicker"] = 5
    bench.pipeline.exchanges[VENUE].counts["malformed_row"] = 2

    assert bench.pipeline.skipped() == {(VENUE, "not_json"): 1, (VENUE, "malformed_row"): 2}


def test_the_newest_bad_frames_are_kept_and_cut(bench: Bench) -> None:
    for number in range(SAMPLES + 5):
        bench.text(f"bad {number} " + "x" * 10 * SAMPLE_CHARS)
    bench.pipeline.ingest(Record(at=START_NS, venue=VENUE, stream="s/1", b64=b"\xff\x00" * 1000))

    kept = bench.pipeline.samples[VENUE]
    assert len(kept) == SAMPLES
    assert "bad 6 x" in kept[0]
    assert r"b'\xff\x00" in kept[-1]
    assert max(map(len, kept)) < 5 * SAMPLE_CHARS


def test_records_of_an_unknown_venue_are_counted_and_no_error(bench: Bench) -> None:
    bench.text("{}", venue="a-venue-of-tomorrow")
    bench.pipeline.ingest(Record(at=START_NS, venue="a-venue-of-tomorrow", stream="x", open="wss:"))

    assert bench.pipeline.malformed == {("a-venue-of-tomorrow", "unknown_venue"): 2}
    assert not bench.written


def test_what_we_sent_is_no_event(bench: Bench) -> None:
    assert not bench.pipeline.ingest(Record(at=START_NS, venue=VENUE, stream="s/1", sent="{}"))
    assert not bench.written
    assert not bench.pipeline.malformed


# -- connections


def test_a_connection_is_up_with_its_first_data_not_with_an_acknowledgement(bench: Bench) -> None:
    bench.open("s/1")
    assert bench.text(ACK) == [Acknowledged()]
    assert bench.lines() == []

    bench.trade()
    bench.trade()
    assert bench.lines() == [("Connect", "s/1")]
    assert isinstance(bench.engine.heard[-3], Connect), "before the data itself"


def test_a_stream_that_only_repeats_what_its_predecessor_brings_is_connected(
    bench: Bench,
) -> None:
    bench.trade("s/1")
    bench.trades -= 1
    bench.trade("s/2")
    bench.close("s/1", 1000, "replaced by s/2")

    assert bench.lines() == [("Connect", "s/1"), ("Connect", "s/2")]


def test_the_engine_is_told_how_far_a_connection_comes_and_how_it_ends(bench: Bench) -> None:
    bench.open("s/1")
    bench.text(ACK)
    bench.close("s/1", 1006, "reset")
    url, refused = frames_binance.LIST_URL, "no"
    bench.pipeline.ingest(Record(at=START_NS, venue=VENUE, get=url, status=451, text=refused))

    now = (VENUE, START_NS // 10**6, START_NS)
    assert bench.engine.heard[1:] == [
        Opened(*now, "s/1"),
        Subscribed(*now, "s/1"),
        Failed(*now, "s/1", "reset"),
        Failed(*now, None, "HTTP 451"),
    ]
    assert not bench.written


def test_a_tick_knows_when_the_newest_record_came(bench: Bench) -> None:
    bench.trade(at=START_NS)
    bench.pipeline.advance(START_NS + 5 * SECOND_NS)

    newest = START_NS // 10**6
    assert bench.engine.heard[0] == Tick(time=newest)
    assert bench.engine.heard[-1] == Tick(time=newest + 5000, recorded=newest)


def test_a_rest_answer_connects_nothing(bench: Bench) -> None:
    url, text, events = frames_binance.REST["open interest"]
    bench.pipeline.ingest(Record(at=START_NS, venue=VENUE, get=url, status=200, text=text))

    assert bench.written == events
    assert bench.lines() == []


def test_the_end_of_a_connection_that_delivered_is_a_gap(bench: Bench) -> None:
    bench.trade()
    bench.close("s/1", 1006, "reset by peer")

    lost = Disconnect(
        venue=VENUE,
        time=START_NS // 10**6,
        received=START_NS,
        stream="s/1",
        reason="1006 reset by peer",
    )
    assert bench.engine.heard[-1] == bench.written[-1] == lost
    bench.close("s/1")
    assert bench.written.count(lost) == 1
    bench.trade()
    assert bench.lines() == [("Connect", "s/1"), ("Disconnect", "s/1"), ("Connect", "s/1")]


def test_the_end_of_a_connection_that_never_delivered_is_none(bench: Bench) -> None:
    bench.open("s/1")
    bench.text(ACK)
    bench.close("s/1")

    assert bench.lines() == []


def test_a_connection_replaced_by_one_that_delivers_leaves_no_gap(bench: Bench) -> None:
    bench.trade("s/1")
    bench.trade("s/2")
    bench.close("s/1", 1000, "replaced by s/2")

    assert bench.lines() == [("Connect", "s/1"), ("Connect", "s/2")]


def test_a_connection_replaced_by_one_that_is_silent_is_a_gap(bench: Bench) -> None:
    bench.trade("s/1")
    bench.open("s/2")
    bench.close("s/1", 1000, "replaced by s/2")

    assert bench.lines() == [("Connect", "s/1"), ("Disconnect", "s/1")]


def test_a_connection_opened_again_without_a_close_is_a_gap(bench: Bench) -> None:
    bench.open("s/1")
    bench.trade("s/1")
    bench.open("s/1")
    bench.trade("s/1")

    assert bench.lines() == [("Connect", "s/1"), ("Disconnect", "s/1"), ("Connect", "s/1")]


def test_streams_of_two_venues_may_have_the_same_name(bench: Bench) -> None:
    bench.trade("s/1")
    close = Close(1006)
    bench.pipeline.ingest(Record(at=START_NS, venue=frames_bybit.VENUE, stream="s/1", close=close))

    assert bench.lines() == [("Connect", "s/1")]


# -- time and order


def test_time_passes_on_quarter_seconds_of_receipt(bench: Bench) -> None:
    base_ms = START_NS // 10**6
    for after_ms in (0, 1, 249, 250, 499, 1130, 1000, 1260):
        bench.trade(at=START_NS + after_ms * 10**6)

    ticks = [event.time - base_ms for event in bench.engine.heard if isinstance(event, Tick)]
    assert ticks == [0, 250, 500, 750, 1000, 1250]


def test_how_often_time_is_let_pass_makes_no_difference_and_a_long_silence_is_short(
    bench: Bench,
) -> None:
    bench.trade(at=START_NS)
    for after_ms in (0, 700, 720, 1400):
        bench.pipeline.advance(START_NS + after_ms * 10**6)
    often = [event.time for event in bench.engine.heard if isinstance(event, Tick)]
    bench.pipeline.advance(START_NS + 36_000 * SECOND_NS)
    silent = [event.time for event in bench.engine.heard if isinstance(event, Tick)]

    assert often == list(range(often[0], often[-1] + 1, 250))
    assert len(silent) < 600
    assert silent[-1] == START_NS // 10**6 + 36_000_000


def test_time_passes_without_records_and_never_back(bench: Bench) -> None:
    bench.pipeline.advance(START_NS + 300_000_000)
    bench.pipeline.advance(START_NS + 400_000_000)
    bench.pipeline.advance(START_NS)

    assert bench.engine.heard == [Tick(time=START_NS // 10**6 + 250)]


def test_a_tick_comes_before_the_record_that_brings_it(bench: Bench) -> None:
    bench.trade(at=START_NS)
    bench.trade(at=START_NS + SECOND_NS // 4)

    assert [type(event) for event in bench.engine.heard] == [Tick, Connect, Trade, Tick, Trade]


def test_events_are_told_before_they_are_decided_on(bench: Bench) -> None:
    bench.pipeline._on_event = lambda _: bench.engine.heard.append("told")
    bench.trade()

    assert [type(each) for each in bench.engine.heard] == [Tick, Connect, str, Trade]


# -- bugs


def test_a_bug_of_the_engine_ends_everything(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Event) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(bench.engine, "update", fail)
    with pytest.raises(EngineError, match="Tick") as caught:
        bench.trade()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_bug_of_the_wording_ends_everything(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_alert: list[object] = [None]
    monkeypatch.setattr(bench.engine, "update", lambda _: no_alert)
    with pytest.raises(EngineError):
        bench.trade()


def test_a_bug_of_a_venue_is_raised_as_it_is(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(BinanceUsdm, "decode", fail)
    with pytest.raises(ZeroDivisionError):
        bench.trade()


# -- snapshots


def resumed(bench: Bench, *, connected: bool) -> Bench:
    """A second pipeline that goes on from the first one's snapshot."""
    state, engine = read_snapshot(bench.pipeline.snapshot())
    after = Bench()
    after.engine.state = engine
    after.trades = bench.trades
    after.pipeline.resume(state, connected=connected)
    return after


def test_one_venue_whose_part_cannot_be_read_does_not_lose_the_others() -> None:
    before = Bench()
    before.trade()
    state, _ = read_snapshot(before.pipeline.snapshot())
    state.exchanges["bybit-linear"] = b"\xff"

    after = Bench()
    with pytest.raises(ValueError, match="the state of bybit-linear cannot be read"):
        after.pipeline.resume(state, connected=False)
    after.trade()

    assert after.pipeline.exchanges[VENUE].counts["duplicate"] == 1


def test_a_tape_that_goes_on_still_has_its_connections_and_time(bench: Bench) -> None:
    bench.trade(at=START_NS)
    after = resumed(bench, connected=True)
    after.trade(at=START_NS + 1)

    assert [type(event) for event in after.engine.heard] == [Trade]
    after.close("s/1")
    assert after.lines() == [("Disconnect", "s/1")]


def test_a_daemon_that_starts_again_has_neither(bench: Bench) -> None:
    bench.trade(at=START_NS)
    after = resumed(bench, connected=False)
    after.trade(at=START_NS + 1)

    assert [type(event) for event in after.engine.heard] == [Tick, Connect, Trade]


@pytest.mark.parametrize("connected", [True, False])
def test_what_was_heard_before_a_snapshot_stays_known(bench: Bench, *, connected: bool) -> None:
    bench.trade()
    after = resumed(bench, connected=connected)
    after.trades = 0
    after.trade()

    assert not after.written
    assert after.pipeline.exchanges[VENUE].counts == {"duplicate": 1}


def test_what_is_no_snapshot_is_refused(bench: Bench) -> None:
    blob = bench.pipeline.snapshot()
    other_version = blob.replace(b"\xa7version\x01", b"\xa7version\x00")
    for broken in (b"", b"\xc1", blob[: len(blob) // 2], other_version):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with it
            read_snapshot(broken)
