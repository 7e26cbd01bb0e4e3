"""Binance's own rules: classes, limits, controls, and what is another market's."""

import frames_binance as frames
import msgspec
import pytest

from liqwatch.events import Funding, Liquidation, MarkPrice, OpenInterest
from liqwatch.exchanges.base import Acknowledged, MalformedFrame, Refused
from liqwatch.exchanges.binance import BinanceUsdm


def with_perpetuals(count: int) -> BinanceUsdm:
    rows = [
        {
            "symbol": f"C{number}USDT",
            "contractType": "PERPETUAL",
            "status": "TRADING",
            "filters": [{"tickSize": "0.1"}],
        }
        for number in range(count)
    ]
    exchange = BinanceUsdm()
    body = msgspec.json.encode({"symbols": rows}).decode()
    exchange.decode_rest(frames.LIST_URL, 200, body, frames.RECEIVED)
    return exchange


def test_it_asks_the_routed_market_class_with_the_streams_of_the_whole_market() -> None:
    (endpoint,) = BinanceUsdm().endpoints({"BTC", "币安人生"})

    assert endpoint.url == "wss://fstream.binance.com/market/stream"
    assert endpoint.topics == (
        "!forceOrder@arr",
        "!contractInfo",
        "btcusdt@aggTrade",
        "btcusdt@markPrice@1s",
        "币安人生usdt@aggTrade",
        "币安人生usdt@markPrice@1s",
    )
    assert [msgspec.json.decode(request) for request in endpoint.requests] == [
        {"method": "SUBSCRIBE", "params": list(endpoint.topics), "id": 1}
    ]
    assert endpoint.rotate_after_s is not None
    assert endpoint.rotate_after_s < 24 * 3600


def test_a_silent_path_is_tried_on_the_other_one() -> None:
    for endpoint in with_perpetuals(600).endpoints(None):
        assert endpoint.silent_after_s == 30
        assert endpoint.routes == ("wss://fstream.binance.com/stream",)
        # Every connection carries what comes every second, so silence means something.
        assert any(topic.endswith("@markPrice@1s") for topic in endpoint.topics)


def test_many_coins_stay_within_the_limits_of_a_connection_and_a_request() -> None:
    endpoints = with_perpetuals(600).endpoints(None)
    topics = [topic for endpoint in endpoints for topic in endpoint.topics]

    assert len(endpoints) == 2
    assert len(topics) == len(set(topics)) == 1202
    for endpoint in endpoints:
        params = [msgspec.json.decode(request)["params"] for request in endpoint.requests]
        assert max(map(len, endpoint.requests)) <= 4088
        assert [topic for part in params for topic in part] == list(endpoint.topics)
        assert len(endpoint.topics) <= 1000


def test_requests_of_the_longest_names_are_still_short_enough_to_be_answered() -> None:
    (endpoint,) = BinanceUsdm().endpoints({f"1000000BABYDOGE{n:03}" for n in range(250)})

    assert len(endpoint.requests) == 6
    assert max(len(request.encode()) for request in endpoint.requests) <= 4088


@pytest.mark.parametrize(("coins", "interval_s"), [(3, 10.0), (600, 75.0)])
def test_polls_of_open_interest_use_a_quarter_of_the_weight_at_most(
    coins: int, interval_s: float
) -> None:
    instruments, *polls = with_perpetuals(coins).polls(None)

    assert instruments.url.endswith("/fapi/v1/exchangeInfo")
    assert len(polls) == coins
    assert {poll.interval_s for poll in polls} == {interval_s}
    assert (coins + 1) * 60 / interval_s <= 2400 / 4


def test_a_poll_spells_other_alphabets_for_an_address() -> None:
    assert (
        BinanceUsdm()
        .polls(["币安人生"])[1]
        .url.endswith("?symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT")
    )


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ('{"result":["!forceOrder@arr"],"id":3}', Acknowledged(("!forceOrder@arr",))),
        ('{"error":{},"id":4}', Refused("0")),
    ],
)
def test_answers_to_requests_are_understood(frame: str, answer: object) -> None:
    assert BinanceUsdm().decode(frame, 1) == [answer]


def test_what_is_not_of_this_market_is_counted_apart() -> None:
    exchange = BinanceUsdm()
    for name in ("forced orders as a list, the second one coin-margined", "book ticker"):
        exchange.decode(frames.FRAMES[name][0], 1)
    for frame in (
        '{"data":{"e":"aggTrade","a":1,"s":"BTCUSDT","p":"1","q":"1","T":1,"m":true,"st":2}}',
        '{"data":{"e":"aggTrade","a":1,"s":"BTCUSD_PERP","p":"1","q":"1","T":1,"m":true}}',
        '{"data":{"e":"aggTrade","a":1,"s":"ETHBTC","p":"1","q":"1","T":1,"m":true}}',
    ):
        assert not exchange.decode(frame, 1)

    assert exchange.counts == {"not_this_market": 4, "ignored:bookTicker": 1}


@pytest.mark.parametrize(
    "frame",
    [
        '{"e":"markPriceUpdate","E":1,"s":"BTCUSDT","p":"1","st":2}',
        '{"e":"contractInfo","E":1,"s":"BTCUSDT","st":2,"bks":[]}',
        '{"e":"contractInfo","E":1,"s":"BTCUSD_PERP","bks":[]}',
    ],
)
def test_marks_and_margin_tiers_of_the_other_market_are_dropped(frame: str) -> None:
    exchange = BinanceUsdm()

    assert not exchange.decode(frame, 1)
    assert exchange.counts == {"not_this_market": 1}


def aggregate(number: int, name: str = "BTCUSDT") -> str:
    return f'{{"data":{{"e":"aggTrade","a":{number},"s":"{name}","p":"1","q":"1","T":1,"m":true}}}}'


def test_missed_aggregates_are_counted_per_symbol() -> None:
    exchange = BinanceUsdm()
    for frame in (
        aggregate(5),
        aggregate(6),
        aggregate(100, "ETHUSDT"),
        aggregate(9),  # 7 and 8 are missing
        aggregate(9),
        aggregate(8),  # late, by another connection
        aggregate(101, "ETHUSDT"),
        aggregate(5_000, "ETHUSDT"),
    ):
        exchange.decode(frame, 1)

    assert exchange.counts == {"gap": 1 + 4898, "duplicate": 1}


def test_single_trades_leave_holes_for_what_is_no_trade() -> None:
    exchange = BinanceUsdm()
    frame = frames.FRAMES["single trade"][0]

    for number in ("84242137", "84242139"):
        assert exchange.decode(frame.replace("84242137", number), 1)
    assert not exchange.counts


def test_a_forced_order_told_more_than_a_minute_late_is_history() -> None:
    def is_history(mark_ms: int) -> bool:
        exchange = BinanceUsdm()
        mark = frames.FRAMES["mark price"][0].replace("1700000001000", str(mark_ms))
        exchange.decode(mark, frames.RECEIVED)
        (event,) = exchange.decode(frames.FRAMES["forced order, selling"][0], frames.RECEIVED)
        assert isinstance(event, Liquidation)
        return event.history

    ordered_ms = 1_700_000_000_050
    assert not is_history(ordered_ms + 60_000)
    assert is_history(ordered_ms + 60_001)


def test_open_interest_is_worth_the_mark_price_once_it_is_known() -> None:
    exchange = BinanceUsdm()
    url, body, _ = frames.REST["open interest"]
    marks = frames.FRAMES["mark prices as an array, the second one without funding and index"][0]
    exchange.decode(marks, 1)

    (event,) = exchange.decode_rest(url, 200, body, 1)

    assert isinstance(event, OpenInterest)
    assert (event.size, event.notional_usd) == (12_500.0, 12.5 * 0.0125)


def test_the_market_may_stand_beside_the_forced_order() -> None:
    exchange = BinanceUsdm()
    order = '{"s":"BTCUSDT","S":"SELL","ap":"1","z":"1","T":1}'

    assert not exchange.decode(f'{{"e":"forceOrder","E":1,"st":2,"o":{order}}}', 1)
    assert exchange.counts == {"not_this_market": 1}


@pytest.mark.parametrize(
    ("origin", "count"),
    [
        ("ADL", "not_a_trade:adl"),
        ("INSURANCE_FUND", "not_a_trade:insurance_fund"),
        ("NA", "not_a_trade:na"),
        ("SOMETHING_NEW", "not_a_trade:other"),
    ],
)
def test_what_the_book_could_not_take_is_counted_and_no_trade(origin: str, count: str) -> None:
    exchange = BinanceUsdm()
    frame = frames.FRAMES["single trade with the insurance fund"][0]

    assert not exchange.decode(frame.replace("INSURANCE_FUND", origin), 1)
    assert exchange.counts == {count: 1}


def test_the_retail_price_improvement_is_a_trade() -> None:
    frame = frames.FRAMES["single trade"][0].replace("MARKET", "RPI")

    assert len(BinanceUsdm().decode(frame, 1)) == 1


@pytest.mark.parametrize("bad", ['"NaN"', '"inf"', "1e400", '"-1"', "0", "null", '""', "true"])
def test_a_price_that_is_no_price_is_refused(bad: str) -> None:
    frame = frames.FRAMES["aggregate trade, buyer was the maker"][0].replace('"60000.10"', bad)

    with pytest.raises(MalformedFrame) as refused:
        BinanceUsdm().decode(frame, 1)

    assert refused.value.kind == "bad_field"


def test_a_bad_row_does_not_lose_the_others() -> None:
    exchange = BinanceUsdm()
    frame = frames.FRAMES["mark prices as an array, the second one without funding and index"][0]

    events = exchange.decode(frame.replace('"0.0125"', '"-1"'), 1)

    assert [event.instrument for event in events if isinstance(event, MarkPrice)] == ["ETHUSDC"]
    assert exchange.counts["malformed_row"] == 1


def test_funding_is_told_when_rate_or_next_time_changes() -> None:
    exchange = BinanceUsdm()
    frame = frames.FRAMES["mark price"][0]

    def told(text: str) -> bool:
        return any(isinstance(event, Funding) for event in exchange.decode(text, 1))

    assert told(frame)
    assert not told(frame.replace("60001.00", "60002.00"))
    assert told(frame.replace("0.00010000", "0.00020000"))
    assert told(frame.replace("1700006400000", "1700035200000"))


def test_an_error_body_is_refused() -> None:
    body = '{"code":-1003,"msg":"Too many requests"}'

    for url in (frames.LIST_URL, "https://fapi.binance.com/fapi/v1/openInterest?symbol=BTCUSDT"):
        with pytest.raises(MalformedFrame):
            BinanceUsdm().decode_rest(url, 200, body, 1)
