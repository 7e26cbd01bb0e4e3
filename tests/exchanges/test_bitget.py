"""Bitget's own rules: whose side, amounts in USDT, history, the unit over REST, sharding."""

import frames_bitget as frames
import msgspec
import pytest
from msgspec.structs import replace

from liqwatch.events import Liquidation, Position
from liqwatch.exchanges.base import Acknowledged, MalformedFrame
from liqwatch.exchanges.bitget import BitgetUsdt

NOW = frames.TIME
PAGE_URL = f"{frames.MARKET}/liquidations?category=USDT-FUTURES&limit=100"
PRICE = 50_000.0
LATER = frames.RECEIVED + 60_000_000_000  # when the stream has told all that it will


def loaded(state: bytes | None = None) -> BitgetUsdt:
    exchange = BitgetUsdt()
    exchange.decode_rest(frames.LIST_URL, 200, frames.LIST, frames.RECEIVED)
    if state is not None:
        exchange.restore(state)
    exchange.counts.clear()
    return exchange


def row(amount: float, time: int, price: float = PRICE) -> str:
    return (
        f'{{"symbol":"BTCUSDT","side":"buy","price":"{price}","amount":"{amount}","ts":"{time}"}}'
    )


def streamed(
    exchange: BitgetUsdt, usdt: float, time: int = NOW, price: float = PRICE
) -> list[object]:
    frame = frames.push("liquidation", row(usdt, time, price))
    return list(exchange.decode(frame, frames.RECEIVED))


def asked(
    exchange: BitgetUsdt,
    amount: float,
    time: int = NOW,
    price: float = PRICE,
    received: int = LATER,
) -> list[object]:
    body = f'{{"code":"00000","msg":"success","data":{{"list":[{row(amount, time, price)}]}}}}'
    return list(exchange.decode_rest(PAGE_URL, 200, body, received))


def calibrated(*, is_usdt: bool) -> BitgetUsdt:
    exchange = loaded()
    for number in range(5):
        streamed(exchange, 1000.0, NOW - number)
        asked(exchange, 1000.0 if is_usdt else 1000.0 / PRICE, NOW - number)
    exchange.counts.clear()
    return exchange


def test_the_side_is_the_position_and_the_amount_is_usdt() -> None:
    (event,) = streamed(loaded(), 1000.0)

    assert event == frames.liquidation(Position.LONG, 0.02, PRICE, 1000.0)


def test_a_liquidation_is_history_only_when_later_than_the_venue_delivers() -> None:
    exchange = loaded()
    exchange.decode(frames.FRAMES["trade"][0], frames.RECEIVED)
    (late,) = streamed(exchange, 1.0, NOW - 30_000)
    (old,) = streamed(exchange, 1.0, NOW - 30_001)

    assert isinstance(late, Liquidation)
    assert isinstance(old, Liquidation)
    assert (late.history, old.history) == (False, True)


def test_rows_out_of_order_keep_their_own_times() -> None:
    frame = frames.push("liquidation", row(1.0, NOW), row(2.0, NOW - 10_000))
    events = loaded().decode(frame, frames.RECEIVED)

    assert [event.time for event in events if isinstance(event, Liquidation)] == [NOW, NOW - 10_000]


def test_until_the_unit_is_decided_rest_gives_no_events() -> None:
    exchange = loaded()

    assert asked(exchange, 1000.0) == []
    assert exchange.counts == {"uncertain_unit": 1}
    assert exchange.open_questions() == (
        "unit of liquidations over REST: 0 of 5 matches between stream and REST",
    )


@pytest.mark.parametrize(("is_usdt", "amount"), [(True, 500.0), (False, 0.01)])
def test_five_matches_decide_the_unit(is_usdt: bool, amount: float) -> None:
    exchange = calibrated(is_usdt=is_usdt)

    told = frames.liquidation(Position.LONG, 0.01, PRICE, 500.0, history=True)
    assert asked(exchange, amount) == [replace(told, received=LATER)]
    assert exchange.open_questions() == ()


def test_a_liquidation_told_by_both_sources_is_told_once_whichever_comes_first() -> None:
    exchange = calibrated(is_usdt=True)

    assert len(streamed(exchange, 7.0, NOW + 1)) == 1
    assert asked(exchange, 7.0, NOW + 1) == []
    assert len(asked(exchange, 8.0, NOW + 2)) == 1
    assert streamed(exchange, 8.0, NOW + 2) == []
    assert exchange.counts == {"duplicate": 2}


def test_what_rest_tells_before_the_stream_had_its_20_s_is_left_to_the_stream() -> None:
    exchange = calibrated(is_usdt=True)

    assert not asked(exchange, 7.0, NOW + 1, received=frames.RECEIVED + 20_000_000_000)
    (live,) = streamed(exchange, 7.0, NOW + 1)
    assert isinstance(live, Liquidation)
    assert not live.history
    assert exchange.counts == {"left_to_stream": 1}


def test_a_liquidation_that_rest_told_in_an_unknown_unit_is_still_told_by_the_stream() -> None:
    exchange = loaded()
    asked(exchange, 0.02)

    assert len(streamed(exchange, 1000.0)) == 1
    assert "1 of 5" in exchange.open_questions()[0]


def test_at_a_price_of_one_nothing_is_learned_of_the_unit() -> None:
    exchange = loaded()
    streamed(exchange, 1000.0, price=1.0)
    asked(exchange, 1000.0, price=1.0)

    assert "0 of 5" in exchange.open_questions()[0]


def test_the_calibration_survives_a_restart() -> None:
    exchange = loaded(calibrated(is_usdt=False).snapshot())

    assert exchange.open_questions() == ()


def test_rest_is_asked_often_until_the_unit_is_decided_and_rarely_after() -> None:
    intervals = [
        poll.interval_s
        for exchange in (loaded(), calibrated(is_usdt=True))
        for poll in exchange.polls(None)
        if poll.url == PAGE_URL
    ]

    assert intervals == [60, 600]


def test_the_first_push_of_trades_is_history_and_hides_no_later_trade() -> None:
    exchange = loaded()
    first = frames.push(
        "publicTrade", frames.trade(91), frames.trade(92), symbol="BTCUSDT", action="snapshot"
    )

    assert not exchange.decode(first, frames.RECEIVED)
    assert exchange.counts == {"history": 2}
    assert len(exchange.decode(frames.FRAMES["trade"][0], frames.RECEIVED)) == 1


def listing_of(count: int) -> str:
    rows = (
        f'{{"symbol":"C{number}USDT","type":"perpetual","status":"online","priceMultiplier":"1"}}'
        for number in range(count)
    )
    return f'{{"code":"00000","msg":"success","data":[{",".join(rows)}]}}'


def test_channels_are_spread_over_connections_with_liquidations_beside_the_first_trades() -> None:
    exchange = BitgetUsdt()
    exchange.decode_rest(frames.LIST_URL, 200, listing_of(250), frames.RECEIVED)
    endpoints = exchange.endpoints(None)

    assert [len(endpoint.topics) for endpoint in endpoints] == [200, 200, 101]
    assert endpoints[0].topics[:3] == (
        "publicTrade:C0USDT",
        "ticker:C0USDT",
        "liquidation:usdt-futures",
    )
    for endpoint in endpoints:
        assert len(endpoint.requests) <= 240
        assert endpoint.request_gap_s >= 0.1
        assert endpoint.rotate_after_s is not None
        assert endpoint.rotate_after_s < 24 * 3600
        assert endpoint.heartbeat is not None
        assert (endpoint.heartbeat.text, endpoint.heartbeat.interval_s) == ("ping", 25)


def test_an_acknowledgement_names_the_topic_that_was_asked_for() -> None:
    exchange = loaded()
    (endpoint,) = exchange.endpoints(None)
    acknowledged: list[str] = []
    for request in map(msgspec.json.decode, endpoint.requests):
        for argument in request["args"]:
            frame = msgspec.json.encode({"event": "subscribe", "arg": argument, "connId": "x"})
            for answer in exchange.decode(frame, 1):
                assert isinstance(answer, Acknowledged)
                acknowledged += answer.topics

    assert tuple(acknowledged) == endpoint.topics


def test_a_gap_is_filled_coin_by_coin_if_they_are_few() -> None:
    exchange = BitgetUsdt()
    exchange.decode_rest(frames.LIST_URL, 200, listing_of(51), frames.RECEIVED)
    few = [poll.url for poll in exchange.backfill({"C1", "C2"}, NOW - 60_000, NOW)]
    (every,) = exchange.backfill(None, NOW - 60_000, NOW)

    assert few == [f"{PAGE_URL}&symbol=C1USDT", f"{PAGE_URL}&symbol=C2USDT"]
    assert every.url == PAGE_URL


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"code":"40034","msg":"Parameter does not exist","data":null}', "api_error"),
        ('{"code":"00000"}', "api_error"),
        ("<html>", "not_json"),
    ],
)
def test_an_error_over_rest_is_refused(body: str, kind: str) -> None:
    with pytest.raises(MalformedFrame) as refused:
        loaded().decode_rest(frames.LIST_URL, 200, body, frames.RECEIVED)

    assert refused.value.kind == kind


def test_an_answer_of_another_market_is_not_taken() -> None:
    exchange = BitgetUsdt()
    url = frames.LIST_URL.replace("USDT-FUTURES", "COIN-FUTURES")

    assert not exchange.decode_rest(url, 200, frames.LIST, frames.RECEIVED)
    assert not exchange.instruments


def test_a_bad_row_does_not_lose_the_others() -> None:
    exchange = loaded()
    frame, expected = frames.FRAMES["liquidations of a long and a short"]

    assert list(exchange.decode(frame.replace('"121.2"', '"1e400"', 1), frames.RECEIVED)) == [
        expected[0]
    ]
    assert exchange.counts == {"malformed_row": 1, "not_this_market": 1}
