"""Dead feeds from the tape to the message: records in, alerts with their text out."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import frames_binance
import frames_bybit
import pytest
from msgspec.structs import replace

from liqwatch.alerts import Alert, Kind
from liqwatch.engine import feeds
from liqwatch.engine.pace import FeedState
from liqwatch.exchanges import EXCHANGES
from liqwatch.exchanges.base import Channel
from liqwatch.pipeline import Pipeline, promises
from liqwatch.records import Close, Record
from liqwatch.replay import assemble
from liqwatch.sources.tape import TapeReader

START_NS = frames_binance.RECEIVED
SECOND_NS = 1_000_000_000
QUIET = (
    Path(__file__).resolve().parents[1].parent
    / "shared"
    / "recordings"
    / ("quiet-2025-12-27.jsonl.zst")
)
BINANCE, BYBIT = frames_binance.VENUE, frames_bybit.VENUE


def binance(second: int) -> Record:
    # Aggregate-Trade-Streams of developers.binance.com, USDⓈ-M futures.
    at = START_NS + second * SECOND_NS
    text = (
        f'{{"e":"aggTrade","E":{at // 10**6},"a":{second + 1},"s":"BTCUSDT","p":"60000.10",'
        f'"q":"0.250","f":1,"l":1,"T":{at // 10**6},"m":true,"st":1}}'
    )
    return Record(at=at, venue=BINANCE, stream="b/1", text=text)


def bybit(second: int, stream: str = "y/1") -> Record:
    # v5/websocket/public/trade of bybit-exchange.github.io/docs.
    at = START_NS + second * SECOND_NS + 1
    text = (
        f'{{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":{at // 10**6},"data":[{{'
        f'"T":{at // 10**6},"s":"BTCUSDT","S":"Buy","v":"0.001","p":"60000.50","L":"PlusTick",'
        f'"i":"20f43950-d8dd-5b31-9112-{second:012}","BT":false,"seq":{second + 1}}}]}}'
    )
    return Record(at=at, venue=BYBIT, stream=stream, text=text)


def acknowledged(second: int, stream: str = "y/1") -> list[Record]:
    # v5/ws/connect of bybit-exchange.github.io/docs.
    at = START_NS + second * SECOND_NS
    ack = '{"success":true,"ret_msg":"","conn_id":"2324d924","req_id":"","op":"subscribe"}'
    opened = Record(
        at=at, venue=BYBIT, stream=stream, open="wss://stream.bybit.com/v5/public/linear"
    )
    return [opened, Record(at=at, venue=BYBIT, stream=stream, text=ack)]


def pipeline(told: list[Alert], snapshot: bytes | None = None) -> Pipeline:
    return assemble(None, snapshot, on_alerts=told.extend, on_event=None)


def decide(records: Sequence[Record]) -> list[Alert]:
    told: list[Alert] = []
    one = pipeline(told)
    for record in records:
        one.ingest(record)
    return told


def dead_route() -> Iterator[Record]:
    """Bybit takes the subscription and stays silent; after two minutes it delivers."""
    yield from acknowledged(0)
    for second in range(240):
        yield binance(second)
        if second >= 120:
            yield bybit(second)


def test_a_dead_route_is_told_of_and_its_return_too() -> None:
    degraded, recovered = decide(list(dead_route()))

    assert degraded.time - START_NS // 10**6 <= 60_000
    assert degraded.text.split("\n") == [
        "• FEED DEGRADED: bybit-linear · WARNING",
        "Takes the subscription and delivers nothing",
        "Silent for 0:58",
        "Still heard: binance-usdm",
        "#MARKET #feed #MARKET2214",
    ]
    assert recovered.kind is Kind.FEED_RECOVERED
    assert recovered.text.startswith("• FEED RECOVERED: bybit-linear after 1:1")
    assert recovered.episode == degraded.episode


@pytest.mark.parametrize("cut_s", [1, 30, 56, 58, 61, 121, 131])
def test_a_cut_anywhere_changes_nothing_that_is_told(cut_s: int) -> None:
    records = list(dead_route())
    cut = next(n for n, one in enumerate(records) if one.at >= START_NS + cut_s * SECOND_NS)
    told: list[Alert] = []
    first = pipeline(told)
    for record in records[:cut]:
        first.ingest(record)
    second = pipeline(told, first.snapshot())
    for record in records[cut:]:
        second.ingest(record)

    assert told == decide(records)


@pytest.mark.parametrize("off_s", [3600, -3600])
def test_where_our_clock_is_wrong_the_same_is_told_at_the_same_time(off_s: int) -> None:
    off = [replace(record, at=record.at + off_s * SECOND_NS) for record in dead_route()]

    assert [one.id for one in decide(off)] == [one.id for one in decide(list(dead_route()))]


def test_a_live_run_that_ticks_through_silence_tells_what_a_replay_tells() -> None:
    def records() -> Iterator[Record]:
        """Both venues end at once; what is left is the end of their connections, and a retry."""
        for second in range(100):
            yield binance(second)
            yield bybit(second)
        for second, venue, stream in ((130, BINANCE, "b/1"), (131, BYBIT, "y/1")):
            at = START_NS + second * SECOND_NS
            yield Record(at=at, venue=venue, stream=stream, close=Close(1006, "silent"))
        yield Record(at=START_NS + 170 * SECOND_NS, venue=BYBIT, stream="y/2", close=Close(1006))
        yield from acknowledged(200, "y/3")

    told: list[Alert] = []
    live = pipeline(told)
    now_ns = START_NS
    for record in records():
        while now_ns + SECOND_NS // 4 <= record.at:
            now_ns += SECOND_NS // 4
            live.advance(now_ns)
        live.ingest(record)

    assert told == decide(list(records()))
    assert [one.text.split("\n")[:2] for one in told] == [
        ["• FEEDS DEGRADED: all 2 venues · WARNING", "Nothing is heard from any venue"]
    ]


def test_connections_that_are_not_to_be_had_are_told_of_with_the_reason() -> None:
    def records() -> Iterator[Record]:
        for second in range(90):
            yield binance(second)
            if second % 20 == 3:
                at = START_NS + second * SECOND_NS + 2
                reason = Close(1006, "HTTP 451: the venue does not serve this address")
                yield Record(at=at, venue=BYBIT, stream=f"y/{second}", close=reason)

    [alert] = decide(list(records()))
    assert "HTTP 451: the venue does not serve this address" in alert.text


def test_a_refused_request_is_a_reason_only_where_nothing_is_delivered() -> None:
    def records(*, delivering: bool) -> Iterator[Record]:
        for second in range(90):
            yield binance(second)
            if delivering:
                yield bybit(second)
            at = START_NS + second * SECOND_NS + 2
            yield Record(at=at, venue=BYBIT, get=frames_bybit.LIST_URL, status=403, text="no")

    assert decide(list(records(delivering=True))) == []
    [alert] = decide(list(records(delivering=False)))
    assert alert.evidence["reason"] == "HTTP 403"


def test_a_connection_replaced_by_another_is_no_loss() -> None:
    def records() -> Iterator[Record]:
        for second in range(200):
            yield binance(second)
            yield bybit(second, "y/1" if second < 100 else "y/2")
            if second == 101:
                at = START_NS + second * SECOND_NS + 2
                close = Close(1000, "replaced by y/2")
                yield Record(at=at, venue=BYBIT, stream="y/1", close=close)

    assert decide(list(records())) == []


def test_a_daemon_that_starts_again_expects_nothing_of_connections_long_gone() -> None:
    told: list[Alert] = []
    before = pipeline(told)
    for second in range(100):
        before.ingest(binance(second))
        before.ingest(bybit(second))
    again = pipeline(told, before.snapshot())
    again.engine.interrupted()
    assert again.engine.feeds() == []
    for second in range(5000, 5100):
        again.ingest(binance(second))

    assert told == []
    assert {feed.venue for feed in again.engine.feeds()} == {BINANCE}


def test_where_a_recording_ends_and_another_begins_nothing_was_silent() -> None:
    def records() -> Iterator[Record]:
        for begin in (0, 5000):
            for second in range(begin, begin + 100):
                yield binance(second)
                yield bybit(second)
            for venue, stream in ((BINANCE, "b/1"), (BYBIT, "y/1")):
                at = START_NS + (begin + 130) * SECOND_NS
                yield Record(at=at, venue=venue, stream=stream, close=Close(1000))

    assert decide(list(records())) == []


@pytest.mark.skipif(
    not QUIET.is_file(), reason="recordings of real exchanges are not beside this checkout"
)
def test_two_quiet_days_with_hours_between_them_raise_nothing() -> None:
    assert decide(list(TapeReader(QUIET))) == []


def test_trades_of_the_future_are_no_sign_of_life() -> None:
    def records() -> Iterator[Record]:
        for second in range(300):
            yield binance(second)
            if second < 100:
                yield bybit(second)
            elif second == 100:
                yield replace(bybit(86_400), at=START_NS + second * SECOND_NS + 2)

    [alert] = decide(list(records()))
    assert alert.evidence["venue"] == BYBIT


def test_feeds_speak_of_channels_by_the_names_the_venues_promise() -> None:
    assert set(feeds.CHANNELS) <= set(Channel)
    for venue, promise in promises(EXCHANGES).items():
        must = {feeds.TRADES} if promise.spot else {feeds.TRADES, feeds.LIQUIDATIONS}
        assert must <= promise.channels, venue
        assert promise.completeness is EXCHANGES[venue].completeness


def test_the_health_of_each_feed_can_be_asked_for() -> None:
    told: list[Alert] = []
    one = pipeline(told)
    for second in range(20):
        one.ingest(binance(second))
    health = {feed.channel: feed for feed in one.engine.feeds()}

    assert health["trades"].state is FeedState.LIVE
    assert health["liquidations"].state is FeedState.QUIET
    assert set(health) == {"trades", "liquidations", "open interest", "mark price", "funding"}
