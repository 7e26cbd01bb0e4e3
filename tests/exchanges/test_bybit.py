"""Bybit's own rules: pages, limits, controls, deltas, doubled open interest."""

import frames_bybit as frames
import msgspec
import pytest

from liqwatch.events import Funding, MarginTier, MarginTiers, OpenInterest, Trade
from liqwatch.exchanges.base import Acknowledged, Alive, MalformedFrame, Refused
from liqwatch.exchanges.bybit import BybitLinear


def page(names: list[str], cursor: str) -> str:
    rows = [
        {
            "symbol": name,
            "contractType": "LinearPerpetual",
            "status": "Trading",
            "priceFilter": {"tickSize": "0.1"},
        }
        for name in names
    ]
    return msgspec.json.encode(
        {"retCode": 0, "retMsg": "OK", "result": {"list": rows, "nextPageCursor": cursor}}
    ).decode()


def test_it_asks_for_three_topics_per_coin_and_pings_in_text() -> None:
    (endpoint,) = BybitLinear().endpoints({"BTC"})

    assert endpoint.url == "wss://stream.bybit.com/v5/public/linear"
    assert endpoint.topics == ("publicTrade.BTCUSDT", "tickers.BTCUSDT", "allLiquidation.BTCUSDT")
    assert [msgspec.json.decode(request) for request in endpoint.requests] == [
        {"op": "subscribe", "args": list(endpoint.topics)}
    ]
    assert endpoint.heartbeat is not None
    assert (endpoint.heartbeat.text, endpoint.heartbeat.interval_s) == ('{"op":"ping"}', 20)
    assert endpoint.silent_after_s == 30


def test_a_refused_topic_is_not_asked_for_again_for_the_sake_of_the_others() -> None:
    exchange = BybitLinear()
    refusal = {"success": False, "ret_msg": "error:handler not found,topic:tickers.BTCUSDT"}
    exchange.decode(msgspec.json.encode(refusal), 1)

    (endpoint,) = exchange.endpoints({"BTC"})

    assert endpoint.topics == ("publicTrade.BTCUSDT", "allLiquidation.BTCUSDT")


def test_many_coins_stay_within_the_limits_of_a_connection_and_a_request() -> None:
    exchange = BybitLinear()
    names = [f"COIN{number}USDT" for number in range(900)]
    exchange.decode_rest(frames.LIST_URL, 200, page(names, ""), 1)

    endpoints = exchange.endpoints(None)
    topics = [topic for endpoint in endpoints for topic in endpoint.topics]

    assert len(endpoints) > 1
    assert len(topics) == len(set(topics)) == 2700
    for endpoint in endpoints:
        args = [msgspec.json.decode(request)["args"] for request in endpoint.requests]
        assert [topic for part in args for topic in part] == list(endpoint.topics)
        assert max(map(len, args)) <= 200
        assert len(msgspec.json.encode(endpoint.topics)) < 21_000
        kinds = [topic.partition(".")[0] for topic in endpoint.topics]
        assert kinds.count("publicTrade") == kinds.count("allLiquidation") > 0


def test_pages_of_instruments_are_asked_for_until_all_are_in() -> None:
    exchange = BybitLinear()
    (first,) = exchange.bootstrap()

    exchange.decode_rest(first.url, 200, page(["AUSDT"], "first%3DB&x"), 1)  # half escaped
    _, second = exchange.bootstrap()
    exchange.decode_rest(second.url, 200, page(["BUSDT"], "third"), 1)
    third = exchange.bootstrap()[2]
    exchange.decode_rest(third.url, 200, page(["CUSDT"], ""), 1)

    assert [poll.url for poll in exchange.bootstrap()] == [first.url, second.url, third.url]
    assert second.url.endswith("&cursor=first%3DB%26x")
    assert list(exchange.instruments) == ["AUSDT", "BUSDT", "CUSDT"]


def test_a_list_that_is_loaded_again_forgets_nothing_before_its_last_page() -> None:
    exchange = BybitLinear()
    url = frames.LIST_URL
    exchange.decode_rest(url, 200, page(["AUSDT", "BUSDT"], "second"), 1)
    exchange.decode_rest(f"{url}&cursor=second", 200, page(["CUSDT"], ""), 1)

    exchange.decode_rest(url, 200, page(["AUSDT"], "second"), 2)
    between = set(exchange.instruments)
    exchange.decode_rest(f"{url}&cursor=second", 200, page(["DUSDT"], ""), 2)

    assert between == {"AUSDT", "BUSDT", "CUSDT"}
    assert set(exchange.instruments) == {"AUSDT", "DUSDT"}


def test_a_last_page_may_say_so_with_null() -> None:
    exchange = BybitLinear()
    exchange.decode_rest(frames.LIST_URL, 200, page(["AUSDT"], "").replace('""', "null"), 1)

    assert [poll.url for poll in exchange.bootstrap()] == [frames.LIST_URL]


def test_pages_without_end_are_given_up() -> None:
    exchange = BybitLinear()
    for number in range(100):
        exchange.decode_rest(exchange.bootstrap()[-1].url, 200, page(["AUSDT"], str(number)), 1)

    assert len(exchange.bootstrap()) <= 21


def test_pages_that_go_in_circles_are_given_up() -> None:
    exchange = BybitLinear()
    for _ in range(3):
        exchange.decode_rest(exchange.bootstrap()[-1].url, 200, page(["AUSDT"], "same"), 1)

    assert len(exchange.bootstrap()) <= 21


@pytest.mark.parametrize(
    ("frame", "answers"),
    [
        (
            '{"success":true,"ret_msg":"","conn_id":"c","req_id":"","op":"subscribe"}',
            [Acknowledged()],
        ),
        (
            (
                '{"success":false,"ret_msg":"error:handler not found,topic:liquidation.BTCUSDT",'
                '"conn_id":"c","req_id":"","op":"subscribe"}'
            ),
            [
                Refused(
                    "error:handler not found,topic:liquidation.BTCUSDT", ("liquidation.BTCUSDT",)
                )
            ],
        ),
        ('{"success":true,"ret_msg":"pong","conn_id":"c","req_id":"","op":"ping"}', [Alive()]),
        ('{"args":["1672916271846"],"op":"pong"}', [Alive()]),
    ],
)
def test_answers_to_requests_are_understood(frame: str, answers: list[object]) -> None:
    exchange = BybitLinear()

    assert list(exchange.decode(frame, 1)) == answers
    assert not exchange.counts


def test_block_trades_and_dated_futures_are_counted_apart() -> None:
    exchange = BybitLinear()
    for name in ("trades, the third one a block trade", "trade of a dated future"):
        exchange.decode(frames.FRAMES[name][0], 1)

    assert exchange.counts == {"block_trade": 1, "not_this_market": 1}


@pytest.mark.parametrize("bad", ['"NaN"', "1e400", '"-0.01"', "null", "[]"])
def test_a_bad_trade_does_not_lose_the_others(bad: str) -> None:
    exchange = BybitLinear()
    frame = frames.FRAMES["trades, the third one a block trade"][0].replace('"0.010"', bad)

    events = exchange.decode(frame, 1)

    assert [event.price for event in events if isinstance(event, Trade)] == [60000.0]
    assert exchange.counts["malformed_row"] == 1


def test_a_batch_without_a_good_row_is_refused() -> None:
    frame = frames.FRAMES["trade per 1,000 coins"][0].replace('"500"', '"-500"')

    with pytest.raises(MalformedFrame) as refused:
        BybitLinear().decode(frame, 1)

    assert refused.value.kind == "bad_field"


def test_a_bad_liquidation_does_not_lose_the_others() -> None:
    exchange = BybitLinear()
    name = "liquidations: every row counts, the side is the position's"

    events = exchange.decode(frames.FRAMES[name][0].replace('"Buy"', '"Long"'), frames.RECEIVED)

    assert list(events) == frames.FRAMES[name][1][1:]
    assert exchange.counts["malformed_row"] == 1


def test_equal_liquidations_of_one_frame_are_several_and_the_frame_again_is_none() -> None:
    exchange = BybitLinear()
    row = '{"T":1700000000100,"s":"BTCUSDT","S":"Buy","v":"0.001","p":"59400.00"}'
    frame = f'{{"topic":"allLiquidation.BTCUSDT","ts":1700000000500,"data":[{row},{row}]}}'

    assert len(exchange.decode(frame, 1)) == 2
    assert not exchange.decode(frame, 1)
    assert exchange.counts == {"duplicate": 2}


def test_open_interest_that_counts_both_sides_is_halved() -> None:
    frame = (
        '{"topic":"tickers.BTCUSDT","type":"delta","ts":1,"data":{"symbol":"BTCUSDT",'
        '"openInterest":"48001","openInterestValue":"2880060000"}}'
    )

    (event,) = BybitLinear().decode(frame, 1)

    assert isinstance(event, OpenInterest)
    assert (event.size, event.notional_usd) == (24000.5, 1440030000.0)


def test_funding_of_a_delta_keeps_what_was_told_before() -> None:
    exchange = BybitLinear()
    exchange.decode(frames.FRAMES["ticker snapshot"][0], 1)
    delta = (
        '{"topic":"tickers.BTCUSDT","type":"delta","ts":5,"data":{"symbol":"BTCUSDT",'
        '"fundingRate":"0.0002"}}'
    )

    (event,) = exchange.decode(delta, 1)

    assert isinstance(event, Funding)
    assert (event.rate, event.interval_hours, event.next_time) == (0.0002, 8.0, 1_700_006_400_000)
    assert not exchange.decode(delta, 1)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"retCode":10006,"retMsg":"Too many visits!","result":{}}', "api_error"),
        ('{"retCode":0,"retMsg":"OK"}', "api_error"),
        ("<html>403</html>", "not_json"),
    ],
)
def test_an_error_body_is_refused(body: str, kind: str) -> None:
    with pytest.raises(MalformedFrame) as refused:
        BybitLinear().decode_rest(frames.LIST_URL, 200, body, 1)

    assert refused.value.kind == kind


def test_a_list_of_another_category_is_not_taken() -> None:
    exchange = BybitLinear()
    url = frames.LIST_URL.replace("linear", "inverse")

    assert not exchange.decode_rest(url, 200, frames.LIST, 1)
    assert not exchange.instruments


def risk_limit(**changes: str) -> str:
    row = {
        "symbol": "BTCUSDT",
        "riskLimitValue": "2000000",
        "maintenanceMargin": "0.005",
        "initialMargin": "0.01",
        "maxLeverage": "100.00",
    }
    return msgspec.json.encode(
        {"retCode": 0, "retMsg": "OK", "result": {"list": [row | changes]}}
    ).decode()


TIERS_URL = "https://api.bybit.com/v5/market/risk-limit?category=linear&symbol=BTCUSDT"


def tiers(body: str) -> tuple[MarginTier, ...]:
    exchange = BybitLinear()
    exchange.decode_rest(frames.LIST_URL, 200, frames.LIST, 1)
    (event,) = exchange.decode_rest(TIERS_URL, 200, body, 1)
    assert isinstance(event, MarginTiers)
    return event.tiers


@pytest.mark.parametrize(
    ("initial", "maintenance", "leverage"),
    [("0.01", "0.005", "100.00"), ("1", "0.5", "100.00"), ("0.0066", "0.005", "150.00")],
)
def test_a_margin_rate_is_a_share_whether_told_as_decimal_or_in_percent(
    initial: str, maintenance: str, leverage: str
) -> None:
    (tier,) = tiers(
        risk_limit(initialMargin=initial, maintenanceMargin=maintenance, maxLeverage=leverage)
    )

    assert (tier.rate, tier.max_leverage) == (0.005, float(leverage))


def test_a_margin_rate_of_unclear_scale_is_refused() -> None:
    with pytest.raises(MalformedFrame) as refused:
        tiers(risk_limit(initialMargin="0.1", maxLeverage="100"))

    assert refused.value.kind == "unclear_scale"


def test_a_deduction_that_is_not_told_is_none_but_in_the_lowest_tier() -> None:
    assert tiers(risk_limit())[0].amount is None
    assert tiers(risk_limit(isLowestRisk="1", mmDeduction=""))[0].amount == 0
    assert tiers(risk_limit(mmDeduction="510"))[0].amount == 510


def test_margin_tiers_of_what_is_not_listed_are_counted() -> None:
    exchange = BybitLinear()

    assert not exchange.decode_rest(TIERS_URL, 200, risk_limit(), 1)
    assert exchange.counts == {"unknown_instrument": 1}


def test_margin_tiers_are_asked_for_by_coin_every_few_hours() -> None:
    exchange = BybitLinear()
    exchange.decode_rest(frames.LIST_URL, 200, frames.LIST, 1)

    assert [(poll.url, poll.interval_s) for poll in exchange.polls({"BTC"})] == [
        (frames.LIST_URL, 3600),
        (TIERS_URL, 14_400),
    ]
