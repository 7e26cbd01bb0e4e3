"""OKX's own rules: contracts, history, controls, text pings."""

import frames_okx as frames
import msgspec
import pytest

from liqwatch.events import Liquidation
from liqwatch.exchanges.base import Acknowledged, Alive, MalformedFrame, Notice, Refused
from liqwatch.exchanges.okx import OkxSwap

NOW = frames.TIME


def loaded() -> OkxSwap:
    exchange = OkxSwap()
    exchange.decode_rest(frames.LIST_URL, 200, frames.LIST, frames.RECEIVED)
    exchange.counts.clear()
    return exchange


def liquidation(time_ms: int, size: str = "1") -> str:
    return (
        '{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"details":[{"bkPx":'
        f'"59000","posSide":"long","side":"sell","sz":"{size}","ts":"{time_ms}"}}],'
        '"instId":"BTC-USDT-SWAP","instType":"SWAP"}]}'
    )


def mark_price(time_ms: int) -> str:
    return (
        '{"arg":{"channel":"mark-price","instId":"BTC-USDT-SWAP"},"data":[{"instId":'
        f'"BTC-USDT-SWAP","markPx":"60000","ts":"{time_ms}"}}]}}'
    )


def test_it_asks_for_all_channels_on_one_connection_liquidations_last() -> None:
    (endpoint,) = loaded().endpoints({"BTC", "PEPE"})

    assert endpoint.url == "wss://ws.okx.com:8443/ws/v5/public"
    assert endpoint.topics == (
        "trades:BTC-USDT-SWAP",
        "mark-price:BTC-USDT-SWAP",
        "open-interest:BTC-USDT-SWAP",
        "funding-rate:BTC-USDT-SWAP",
        "liquidation-orders:SWAP",
    )
    (request,) = map(msgspec.json.decode, endpoint.requests)
    assert request["op"] == "subscribe"
    assert request["args"][0] == {"channel": "trades", "instId": "BTC-USDT-SWAP"}
    assert request["args"][-1] == {"channel": "liquidation-orders", "instType": "SWAP"}
    assert endpoint.heartbeat is not None
    assert endpoint.heartbeat.text == "ping"
    assert endpoint.heartbeat.interval_s < 30


def test_many_swaps_are_spread_over_connections_within_the_limits_of_each() -> None:
    endpoints = OkxSwap().endpoints({f"COIN{number}" for number in range(400)})
    topics = [topic for endpoint in endpoints for topic in endpoint.topics]

    assert len(endpoints) == 4
    assert len(topics) == len(set(topics)) == 1601
    assert [endpoint.topics[-1] == "liquidation-orders:SWAP" for endpoint in endpoints] == [
        True,
        False,
        False,
        False,
    ]
    for endpoint in endpoints:
        assert endpoint.silent_after_s == 30
        assert any(topic.startswith("trades:") for topic in endpoint.topics)
        assert max(len(request.encode()) for request in endpoint.requests) < 65_536
        assert len(endpoint.requests) < 480


@pytest.mark.parametrize(
    ("frame", "answers"),
    [
        (
            (
                '{"id":"1","event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT-SWAP"},'
                '"connId":"a4d3ae55"}'
            ),
            [Acknowledged(("trades:BTC-USDT-SWAP",))],
        ),
        (
            '{"event":"subscribe","arg":{"channel":"liquidation-orders","instType":"SWAP"}}',
            [Acknowledged(("liquidation-orders:SWAP",))],
        ),
        (
            (
                '{"event":"error","code":"60018",'
                '"msg":"channel:trades,instId:XXX-USDT-SWAP doesn\'t exist"}'
            ),
            [
                Refused(
                    "60018 channel:trades,instId:XXX-USDT-SWAP doesn't exist",
                    ("trades:XXX-USDT-SWAP",),
                )
            ],
        ),
        (
            '{"id":"1512","event":"error","code":"60012","msg":"Invalid request: {}","connId":"a"}',
            [Refused("60012 Invalid request: {}")],
        ),
        (
            (
                '{"event":"notice","code":"64008","msg":"The connection will soon be closed.",'
                '"connId":"a4d3ae55"}'
            ),
            [Notice("64008 The connection will soon be closed.")],
        ),
        ("pong", [Alive()]),
    ],
)
def test_answers_to_requests_are_understood(frame: str, answers: list[object]) -> None:
    exchange = OkxSwap()

    assert list(exchange.decode(frame, 1)) == answers
    assert list(exchange.decode(frame.encode(), 1)) == answers
    assert not exchange.counts


def test_an_acknowledgement_names_the_topic_that_was_asked_for() -> None:
    exchange = loaded()
    (endpoint,) = exchange.endpoints(None)  # few enough swaps for one connection
    acknowledged: list[str] = []
    for request in endpoint.requests:
        for argument in msgspec.json.decode(request)["args"]:
            frame = msgspec.json.encode({"event": "subscribe", "arg": argument})
            for answer in exchange.decode(frame, 1):
                assert isinstance(answer, Acknowledged)
                acknowledged += answer.topics

    assert tuple(acknowledged) == endpoint.topics


def told(exchange: OkxSwap, frame: str, received: int = frames.RECEIVED) -> Liquidation:
    (event,) = exchange.decode(frame, received)
    assert isinstance(event, Liquidation)
    return event


def test_a_liquidation_older_than_the_newest_time_of_the_venue_is_history() -> None:
    exchange = loaded()
    exchange.decode(mark_price(NOW), frames.RECEIVED)

    assert told(exchange, liquidation(NOW - 10_001)).history
    assert not told(exchange, liquidation(NOW - 10_000)).history


def test_our_own_clock_judges_only_until_the_venue_has_told_a_time() -> None:
    clock_an_hour_fast_ns = (NOW + 3_600_000) * 1_000_000
    exchange = loaded()

    assert told(exchange, liquidation(NOW, "1"), clock_an_hour_fast_ns).history
    exchange.decode(mark_price(NOW), clock_an_hour_fast_ns)
    assert not told(exchange, liquidation(NOW, "2"), clock_an_hour_fast_ns).history


def test_a_time_from_the_future_does_not_make_everything_history() -> None:
    exchange = loaded()
    exchange.decode(mark_price(NOW + 86_400_000), frames.RECEIVED)

    assert not told(exchange, liquidation(NOW)).history


def test_history_is_remembered_so_that_its_repetition_is_a_duplicate() -> None:
    exchange = loaded()
    exchange.decode(mark_price(NOW), frames.RECEIVED)

    assert told(exchange, liquidation(NOW - 60_000)).history
    assert not exchange.decode(liquidation(NOW - 60_000), frames.RECEIVED)
    assert exchange.counts == {"duplicate": 1}


def test_without_contract_sizes_nothing_is_guessed() -> None:
    exchange = OkxSwap()
    for frame, _ in frames.FRAMES.values():
        assert set(exchange.decode(frame, frames.RECEIVED)) <= {Alive()}

    assert exchange.counts["unknown_instrument"] == 10
    assert exchange.counts["not_this_market"] == 1


def test_a_bad_detail_does_not_lose_the_others() -> None:
    exchange = loaded()
    frame, expected = frames.FRAMES["liquidations of two instruments"]

    events = exchange.decode(frame.replace('"59400.0"', '""'), frames.RECEIVED)

    assert list(events) == expected[1:]
    assert exchange.counts == {"malformed_row": 1}


def test_an_uncertain_side_is_no_event() -> None:
    exchange = loaded()
    exchange.decode(
        frames.FRAMES["liquidation whose two sides contradict each other"][0], frames.RECEIVED
    )

    assert exchange.counts == {"uncertain_side": 1}


def test_a_trade_out_of_turn_counts_once() -> None:
    exchange = loaded()
    frame, _ = frames.FRAMES["trade merged of three"]
    numbers = [130639474, 130639480, 130639477, 130639480, 130639477]

    events = [
        len(exchange.decode(frame.replace("130639474", str(number)), frames.RECEIVED))
        for number in numbers
    ]

    assert events == [1, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"code":"50011","msg":"Too Many Requests","data":[]}', "api_error"),
        ('{"code":0}', "bad_field"),
        ("<html>", "not_json"),
    ],
)
def test_an_error_body_is_refused(body: str, kind: str) -> None:
    with pytest.raises(MalformedFrame) as refused:
        OkxSwap().decode_rest(frames.LIST_URL, 200, body, 1)

    assert refused.value.kind == kind


def test_a_list_of_futures_is_not_taken() -> None:
    exchange = OkxSwap()
    url = frames.LIST_URL.replace("SWAP", "FUTURES")

    assert not exchange.decode_rest(url, 200, frames.LIST, 1)
    assert not exchange.instruments


def test_a_liquidation_of_an_inverse_swap_is_worth_its_contracts() -> None:
    events = loaded().decode(frames.FRAMES["liquidations of two instruments"][0], frames.RECEIVED)
    (inverse,) = [
        event
        for event in events
        if isinstance(event, Liquidation) and event.instrument == "BTC-USD-SWAP"
    ]

    assert (inverse.notional_usd, inverse.size) == (10 * 100, 10 * 100 / 50_000)


def trade(number: int, count: int = 1, name: str = "BTC-USDT-SWAP") -> str:
    return (
        f'{{"arg":{{"channel":"trades","instId":"{name}"}},"data":[{{"instId":"{name}",'
        f'"tradeId":"{number}","count":"{count}","px":"60000","sz":"1","side":"buy",'
        '"ts":"1700000000000"}]}'
    )


def test_ids_that_were_skipped_are_counted_as_gap_until_they_come_late() -> None:
    exchange = loaded()
    gaps = []
    for number, count in ((100, 1), (103, 3), (110, 2), (111, 1), (111, 1), (106, 1), (112, 1)):
        exchange.decode(trade(number, count), frames.RECEIVED)
        gaps.append(exchange.counts["gap"])

    assert gaps == [0, 0, 5, 5, 5, 4, 4]


def test_the_gap_of_one_instrument_is_none_of_another() -> None:
    exchange = loaded()
    exchange.decode(trade(100), frames.RECEIVED)
    exchange.decode(trade(500, name="BTC-USD-SWAP"), frames.RECEIVED)

    assert exchange.counts["gap"] == 0


def test_margin_tiers_are_asked_for_five_families_at_a_time() -> None:
    polls = OkxSwap().polls({f"COIN{number}" for number in range(7)})

    assert [poll.url.partition("instFamily=")[2].count(",") for poll in polls] == [0, 4, 1]
    assert polls[2].url == (
        "https://www.okx.com/api/v5/public/position-tiers?instType=SWAP&tdMode=isolated"
        "&instFamily=COIN5-USDT,COIN6-USDT"
    )
    assert [poll.interval_s for poll in polls] == [3600, 14_400, 14_400]


@pytest.mark.parametrize("mmr", ['""', '"NaN"', "null", '"-1"'])
def test_a_ladder_with_a_hole_is_refused(mmr: str) -> None:
    url, body, _ = frames.REST["margin tiers of two families, caps in contracts, not in order"]

    with pytest.raises(MalformedFrame) as refused:
        loaded().decode_rest(url, 200, body.replace('"0.005"', mmr), 1)

    assert refused.value.kind == "bad_field"


def test_margin_tiers_of_what_is_not_listed_are_counted() -> None:
    exchange = OkxSwap()
    url, body, _ = frames.REST["margin tiers of two families, caps in contracts, not in order"]

    assert not exchange.decode_rest(url, 200, body, 1)
    assert exchange.counts == {"unknown_instrument": 2}


def test_after_a_gap_every_live_swap_of_the_coins_is_asked_those_listened_to_first() -> None:
    address = "https://www.okx.com/api/v5/public/liquidation-orders?instType=SWAP&state=filled"

    assert [poll.url for poll in loaded().backfill({"BTC", "PEPE"}, NOW, NOW + 60_000)] == [
        f"{address}&before={NOW}&instFamily=BTC-USDT",
        f"{address}&before={NOW}&instFamily=BTC-USD",
    ]
    assert len(loaded().backfill(None, NOW, NOW + 60_000)) == 2


def test_a_liquidation_over_rest_is_history_and_its_live_copy_a_duplicate() -> None:
    exchange = loaded()
    url, body, _ = frames.REST["liquidations that were missed"]

    (event,) = exchange.decode_rest(url, 200, body, frames.RECEIVED)

    assert isinstance(event, Liquidation)
    assert event.history
    assert not exchange.decode(liquidation(NOW - 10_000, "100"), frames.RECEIVED)
    assert exchange.counts == {"duplicate": 1}


def test_a_liquidation_that_rest_tells_at_once_is_left_to_the_stream() -> None:
    exchange = loaded()
    url, body, _ = frames.REST["liquidations that were missed"]

    young = body.replace("1699999990000", str(NOW))
    assert not exchange.decode_rest(url, 200, young, frames.RECEIVED)
    (event,) = exchange.decode(liquidation(NOW, "100"), frames.RECEIVED)

    assert isinstance(event, Liquidation)
    assert not event.history
    assert exchange.counts == {"left_to_stream": 1}
