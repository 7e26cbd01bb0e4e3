"""Binance's own rules: classes, limits, controls, and what is another market's."""

import frames_binance as frames
import msgspec
import pytest

from liqwatch.events import Funding, MarkPrice
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


def test_it_asks_the_routed_market_class_with_the_liquidations_of_all() -> None:
    (endpoint,) = BinanceUsdm().endpoints({"BTC", "币安人生"})

    assert endpoint.url == "wss://fstream.binance.com/market/stream"
    assert endpoint.topics == (
        "!forceOrder@arr",
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


def test_many_coins_stay_within_the_limits_of_a_connection_and_a_request() -> None:
    endpoints = with_perpetuals(600).endpoints(None)
    topics = [topic for endpoint in endpoints for topic in endpoint.topics]

    assert len(endpoints) == 2
    assert len(topics) == len(set(topics)) == 1201
    for endpoint in endpoints:
        params = [msgspec.json.decode(request)["params"] for request in endpoint.requests]
        assert max(map(len, params)) <= 200
        assert [topic for part in params for topic in part] == list(endpoint.topics)
        assert len(endpoint.topics) <= 1000


@pytest.mark.parametrize(("coins", "interval_s"), [(3, 10.0), (600, 30.0)])
def test_polls_of_open_interest_use_half_of_the_weight_at_most(
    coins: int, interval_s: float
) -> None:
    instruments, *polls = with_perpetuals(coins).polls(None)

    assert instruments.url.endswith("/fapi/v1/exchangeInfo")
    assert len(polls) == coins
    assert {poll.interval_s for poll in polls} == {interval_s}
    assert coins * 60 / interval_s <= 1200


def test_a_poll_spells_other_alphabets_for_an_address() -> None:
    assert (
        BinanceUsdm()
        .polls(["币安人生"])[1]
        .url.endswith("?symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT")
    )


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ('{"result":null,"id":1}', Acknowledged()),
        ('{"result":["!forceOrder@arr"],"id":3}', Acknowledged(("!forceOrder@arr",))),
        (
            '{"error":{"code":2,"msg":"Invalid request: invalid stream"},"id":4}',
            Refused("2 Invalid request: invalid stream"),
        ),
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

    assert exchange.counts == {
        "not_this_market": 3,
        "unknown_instrument": 1,
        "ignored:bookTicker": 1,
    }


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
