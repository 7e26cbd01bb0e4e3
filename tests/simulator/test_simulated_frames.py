import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import islice
from typing import Any

import pytest

from liqwatch.events import (
    Instrument,
    Liquidation,
    OpenInterest,
    Position,
    PriceKind,
)
from liqwatch.exchanges import EXCHANGES
from liqwatch.exchanges.base import Acknowledged, Refused
from liqwatch.simulator.broadcast import Broadcast, Course
from liqwatch.simulator.frames import Frame, VenueFrames
from liqwatch.simulator.world import ForcedOrder

START_MS = 1_791_565_200_000
VENUES = ["binance-usdm", "bybit-linear", "okx-swap"]


class Lived:
    """A scenario that is over: all its frames, and what really happened."""

    def __init__(self, scenario: str, seed: int) -> None:
        self.broadcast = Broadcast(scenario, seed=seed, start_ms=START_MS)
        self.frames: Sequence[Frame] = self.broadcast.until(self.broadcast.end_ms + 1_000)
        self.truth = self.broadcast.truth()

    def of(self, venue: str, channel: str) -> list[Frame]:
        """Frames of one venue whose topic begins so."""
        return [f for f in self.frames if f.venue == venue and f.topic.startswith(channel)]


@pytest.fixture(scope="module")
def forced() -> list[tuple[ForcedOrder, ...]]:
    """The forced orders of the same cascade, by venue, from the market itself."""
    course = Course("cascade", seed=0, start_ms=START_MS)
    steps = []
    while course.time_ms < course.end_ms:
        steps.append(course.step()[0])
    return [tuple(o for step in steps for o in step.venues[venue].forced) for venue in range(3)]


@pytest.fixture(scope="module")
def cascade() -> Lived:
    return Lived("cascade", seed=0)  # upwards: shorts are liquidated


@pytest.fixture
def fresh() -> dict[str, VenueFrames]:
    broadcast = Broadcast("demo", seed=0, start_ms=START_MS)
    broadcast.until(START_MS + 3_000)
    return {venue.venue: venue for venue in broadcast.venues}


def payloads(lived: Lived, venue: str, channel: str) -> list[dict[str, Any]]:
    return [json.loads(frame.text) for frame in lived.of(venue, channel)]


def test_the_same_seed_gives_the_same_frames_in_whatever_pieces_they_are_taken() -> None:
    whole = Broadcast("demo", seed=3, start_ms=START_MS).until(START_MS + 30_000)
    pieces = Broadcast("demo", seed=3, start_ms=START_MS)
    taken = [f for ms in range(0, 30_001, 100) for f in pieces.until(START_MS + ms)]
    assert taken == whole
    assert whole != Broadcast("demo", seed=4, start_ms=START_MS).until(START_MS + 30_000)


def test_frames_leave_in_order_and_soon_after_their_event(cascade: Lived) -> None:
    leaves = [frame.leave_ms for frame in cascade.frames]
    assert leaves == sorted(leaves)
    for frame in islice(cascade.of("binance-usdm", "btcusdt@aggTrade"), 500):
        lag_ms = frame.leave_ms - json.loads(frame.text)["data"]["T"]
        assert 20 <= lag_ms <= 240  # later only when an earlier frame was


def test_every_frame_means_something_to_the_venue_files(cascade: Lived) -> None:
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for venue in cascade.broadcast.venues:
        exchange = EXCHANGES[venue.venue]()
        for question in venue.bootstrap():
            path, _, query = question.partition("?")
            pairs = dict(pair.split("=") for pair in query.split("&") if pair)
            status, text = venue.rest(path, pairs)
            answer = exchange.decode_rest(venue.rest_host + question, status, text, 1)
            assert [type(event) for event in answer] == [Instrument]
        for frame in cascade.of(venue.venue, ""):
            for event in exchange.decode(frame.text, frame.leave_ms * 1_000_000):
                kinds[venue.venue][type(event).__name__] += 1
        assert exchange.counts.total() < 0.01 * len(cascade.of(venue.venue, ""))
    everywhere = {"Trade", "Liquidation", "MarkPrice"}
    assert set(kinds["binance-usdm"]) == everywhere | {"Funding"}  # open interest by REST only
    assert set(kinds["bybit-linear"]) == everywhere | {"OpenInterest"}  # funding did not change
    assert set(kinds["okx-swap"]) == everywhere | {"OpenInterest", "Funding"}


def test_liquidated_shorts_read_the_same_on_every_venue(cascade: Lived) -> None:
    for venue, channel, price_kind in (
        ("binance-usdm", "!forceOrder@arr", PriceKind.FILL),
        ("bybit-linear", "allLiquidation", PriceKind.BANKRUPTCY),
        ("okx-swap", "liquidation-orders", PriceKind.REFERENCE),
    ):
        exchange = EXCHANGES[venue]()
        source = next(v for v in cascade.broadcast.venues if v.venue == venue)
        for question in source.bootstrap():
            status, text = source.rest(question.partition("?")[0], {})
            exchange.decode_rest(source.rest_host + question, status, text, 1)
        events = [
            event
            for frame in cascade.of(venue, channel)
            for event in exchange.decode(frame.text, frame.leave_ms * 1_000_000)
            if isinstance(event, Liquidation)
        ]
        assert {(event.position, event.price_kind) for event in events} == {
            (Position.SHORT, price_kind)
        }


def test_binance_shows_at_most_one_forced_order_a_second_the_largest(
    cascade: Lived, forced: list[tuple[ForcedOrder, ...]]
) -> None:
    shown = [p["data"] for p in payloads(cascade, "binance-usdm", "!forceOrder@arr")]
    seconds = [order["o"]["T"] // 1000 for order in shown]
    assert len(shown) > 50
    assert len(set(seconds)) == len(seconds)
    assert all(order["E"] == order["o"]["T"] + 1000 for order in shown)
    assert all(float(order["o"]["p"]) > float(order["o"]["ap"]) for order in shown)

    largest: dict[int, float] = defaultdict(float)
    for happened in forced[0]:
        second = happened.time_ms // 1000
        largest[second] = max(largest[second], happened.coins)
    assert sorted(largest) == seconds
    for order in shown:
        expected = largest[order["o"]["T"] // 1000]
        assert float(order["o"]["z"]) == pytest.approx(expected, abs=0.001)


def test_okx_shows_at_most_one_forced_order_a_second(cascade: Lived) -> None:
    shown = payloads(cascade, "okx-swap", "liquidation-orders")
    seconds = [int(p["data"][0]["details"][0]["ts"]) // 1000 for p in shown]
    assert len(shown) > 50
    assert len(set(seconds)) == len(seconds)


def test_bybit_shows_every_forced_order_in_half_second_batches(
    cascade: Lived, forced: list[tuple[ForcedOrder, ...]]
) -> None:
    batches = payloads(cascade, "bybit-linear", "allLiquidation")
    assert all(batch["ts"] % 500 == 0 for batch in batches)
    assert len({batch["ts"] for batch in batches}) == len(batches)
    assert sum(len(batch["data"]) for batch in batches) == len(forced[1]) > 1_000


def test_trade_ids_have_no_holes(cascade: Lived) -> None:
    ids = [p["data"]["a"] for p in payloads(cascade, "binance-usdm", "btcusdt@aggTrade")]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    rows = [p["data"][0] for p in payloads(cascade, "okx-swap", "trades")]
    last = [int(row["tradeId"]) for row in rows]
    first = [int(row["tradeId"]) - int(row["count"]) for row in rows]
    assert first[1:] == last[:-1]


def test_bybit_counts_open_interest_on_both_sides_and_sends_only_what_changed(
    cascade: Lived,
) -> None:
    rows = [p["data"] for p in payloads(cascade, "bybit-linear", "tickers")]
    counted = [row for row in rows if "openInterest" in row]
    assert 0 < len(counted) < len(rows)
    for row in counted:
        assert float(row["openInterest"]) == pytest.approx(2 * float(row["singleOpenInterest"]))
    assert {p["type"] for p in payloads(cascade, "bybit-linear", "tickers")} == {"delta"}


def test_greetings_are_a_ticker_and_some_history(fresh: dict[str, VenueFrames]) -> None:
    assert fresh["binance-usdm"].greeting("!forceOrder@arr") is None
    assert fresh["bybit-linear"].greeting("publicTrade.BTCUSDT") is None
    ticker = json.loads(fresh["bybit-linear"].greeting("tickers.BTCUSDT") or "")
    assert ticker["type"] == "snapshot"
    assert ticker["data"].keys() >= {"lastPrice", "markPrice", "openInterest", "fundingRate"}
    history = json.loads(fresh["okx-swap"].greeting("liquidation-orders:SWAP") or "")
    assert all(int(row["details"][0]["ts"]) < START_MS for row in history["data"])


@pytest.mark.parametrize("venue", VENUES)
def test_everything_the_daemon_asks_for_is_acknowledged(
    venue: str, fresh: dict[str, VenueFrames]
) -> None:
    exchange, source = EXCHANGES[venue](), fresh[venue]
    for endpoint in exchange.endpoints(["BTC", "ETH"]):
        taken: list[str] = []
        for request in endpoint.requests:
            answer = source.answer(request, ())
            taken += answer.topics
            replies = [e for text in answer.replies for e in exchange.decode(text, 1)]
            assert {type(reply) for reply in replies} == {Acknowledged}
        assert len(taken) == len(endpoint.topics)


@pytest.mark.parametrize(
    ("venue", "request_", "words"),
    [
        ("binance-usdm", '{"method":"SUBSCRIBE","params":["nope@aggTrade"],"id":9}', "invalid"),
        ("binance-usdm", "not json", "Invalid JSON"),
        (
            "bybit-linear",
            '{"op":"subscribe","args":["tickers.BTCUSDT","liquidation.BTCUSDT"]}',
            "error:handler not found,topic:liquidation.BTCUSDT",
        ),
        (
            "okx-swap",
            '{"op":"subscribe","args":[{"channel":"liquidations","instId":"ETH-USDT-SWAP"}]}',
            "channel:liquidations,instId:ETH-USDT-SWAP doesn't exist",
        ),
    ],
)
def test_what_is_unknown_is_refused_in_the_venues_words(
    venue: str, request_: str, words: str, fresh: dict[str, VenueFrames]
) -> None:
    answer = fresh[venue].answer(request_, ())
    assert answer.topics == ()
    (reply,) = answer.replies
    assert words in reply
    assert [type(e) for e in EXCHANGES[venue]().decode(reply, 1)] == [Refused]


def test_okx_takes_the_good_topics_of_a_request_with_a_bad_one(
    fresh: dict[str, VenueFrames],
) -> None:
    good = {"channel": "trades", "instId": "BTC-USDT-SWAP"}
    bad = {"channel": "trades", "instId": "XXX-USDT-SWAP"}
    request = json.dumps({"op": "subscribe", "args": [good, bad]})
    assert fresh["okx-swap"].answer(request, ()).topics == ("trades:BTC-USDT-SWAP",)


def test_pings_and_lists_are_answered(fresh: dict[str, VenueFrames]) -> None:
    assert fresh["okx-swap"].answer("ping", ()).replies == ("pong",)
    (pong,) = fresh["bybit-linear"].answer('{"op":"ping","req_id":"7"}', ()).replies
    assert json.loads(pong).items() >= {"ret_msg": "pong", "op": "ping", "req_id": "7"}.items()
    ask = '{"method":"LIST_SUBSCRIPTIONS","id":3}'
    (listed,) = fresh["binance-usdm"].answer(ask, {"b", "a"}).replies
    assert json.loads(listed) == {"result": ["a", "b"], "id": 3}


def test_open_interest_is_answered_by_rest(fresh: dict[str, VenueFrames]) -> None:
    status, text = fresh["binance-usdm"].rest("/fapi/v1/openInterest", {"symbol": "BTCUSDT"})
    url = "https://fapi.binance.com/fapi/v1/openInterest?symbol=BTCUSDT"
    (event,) = EXCHANGES["binance-usdm"]().decode_rest(url, status, text, 1)
    assert isinstance(event, OpenInterest)
    assert event.size > 10_000
    assert fresh["binance-usdm"].rest("/fapi/v1/openInterest", {"symbol": "NOPE"})[0] == 400
    _, text = fresh["okx-swap"].rest("/api/v5/public/open-interest", {"instId": "BTC-USDT-SWAP"})
    assert [row["instId"] for row in json.loads(text)["data"]] == ["BTC-USDT-SWAP"]
    assert {venue.rest("/nothing", {})[0] for venue in fresh.values()} == {404}
