"""dYdX's own rules: connections, message ids, the past after a subscription, times as text."""

import frames_dydx as frames
import msgspec
import pytest

from liqwatch.events import Liquidation, Trade
from liqwatch.exchanges.base import Acknowledged, MalformedFrame, Refused
from liqwatch.exchanges.dydx import Dydx

NOW = "2023-11-14T22:13:20.000Z"
TEN_SECONDS_AGO = "2023-11-14T22:13:10.000Z"
OLDER = "2023-11-14T22:13:09.999Z"


def row(number: str, created_at: str = NOW, kind: str = "LIMIT") -> str:
    return (
        f'{{"id":"{number}","size":"0.5","price":"60000","side":"SELL","type":"{kind}",'
        f'"createdAt":"{created_at}"}}'
    )


def frame(*rows: str, kind: str = "channel_data") -> str:
    return (
        f'{{"type":"{kind}","id":"BTC-USD","channel":"v4_trades",'
        f'"contents":{{"trades":[{",".join(rows)}]}}}}'
    )


def test_thirty_two_markets_are_heard_a_connection_the_first_with_oracle_prices() -> None:
    coins = [f"COIN{number:02}" for number in range(70)]
    endpoints = Dydx().endpoints(coins)

    assert [len(endpoint.topics) for endpoint in endpoints] == [33, 32, 6]
    assert endpoints[0].topics[:2] == ("v4_markets", "v4_trades:COIN00-USD")
    assert [msgspec.json.decode(request) for request in endpoints[0].requests[:2]] == [
        {"type": "subscribe", "channel": "v4_markets", "batched": True},
        {"type": "subscribe", "channel": "v4_trades", "batched": True, "id": "COIN00-USD"},
    ]
    assert [endpoint.silent_after_s for endpoint in endpoints] == [60, None, None]
    for endpoint in endpoints:
        assert 1 / endpoint.request_gap_s < 2  # subscriptions a second
        assert endpoint.heartbeat is not None
        assert endpoint.heartbeat.interval_s < endpoint.idle_timeout_s


def test_an_acknowledgement_names_the_topic_that_was_asked_for() -> None:
    exchange = Dydx()
    (endpoint,) = exchange.endpoints({"BTC", "ETH"})
    acknowledged: list[str] = []
    for request in endpoint.requests:
        asked = msgspec.json.decode(request)
        answer = asked | {"type": "subscribed", "contents": {"trades": [], "markets": {}}}
        for event in exchange.decode(msgspec.json.encode(answer), 1):
            assert isinstance(event, Acknowledged)
            acknowledged += event.topics

    assert tuple(acknowledged) == endpoint.topics


def test_only_markets_that_are_open_are_heard() -> None:
    exchange = Dydx()
    exchange.decode_rest(frames.LIST_URL, 200, frames.LIST, frames.RECEIVED)
    (endpoint,) = exchange.endpoints(None)

    assert endpoint.topics == ("v4_markets", "v4_trades:BTC-USD")
    assert exchange.instruments.keys() == {"BTC-USD", "PUP-USD"}


def test_a_token_that_calls_itself_btc_is_not_btc() -> None:
    exchange = Dydx()
    prices, expected = frames.FRAMES["oracle prices"]
    name = "BTC,RAYDIUM,3QGW-USD"

    assert expected
    assert not exchange.decode(prices.replace("BTC-USD", name), frames.RECEIVED)
    assert exchange.counts == {"not_this_market": 1}


def test_messages_left_out_are_counted_by_connection() -> None:
    exchange = Dydx()
    for connection, number in [("a", 0), ("b", 7), ("a", 1), ("b", 8), ("a", 5), ("b", 9)]:
        exchange.decode(
            f'{{"type":"pong","connection_id":"{connection}","message_id":{number}}}', 1
        )

    assert exchange.counts == {"gap": 3}


def test_the_past_before_anything_live_was_heard_is_all_history() -> None:
    exchange = Dydx()
    past = frame(row("2", kind="LIQUIDATED"), row("1"), kind="subscribed")

    _, told = exchange.decode(past, frames.RECEIVED)

    assert isinstance(told, Liquidation)
    assert told.history
    assert exchange.counts == {"history": 1}


def test_what_the_past_tells_first_while_another_connection_delivers_is_no_history() -> None:
    exchange = Dydx()
    exchange.decode(frame(row("9")), frames.RECEIVED)
    past = frame(
        row("10"),
        row("9"),
        row("8", TEN_SECONDS_AGO, "LIQUIDATED"),
        row("7", OLDER, "LIQUIDATED"),
        row("6", OLDER),
        kind="subscribed",
    )

    _, *events = exchange.decode(past, frames.RECEIVED)

    assert [event.id for event in events if isinstance(event, Trade)] == ["8", "10"]
    assert [event.history for event in events if isinstance(event, Liquidation)] == [True, False]
    assert exchange.counts == {"duplicate": 1, "history": 1}


def test_a_liquidation_of_the_past_told_again_counts_once() -> None:
    exchange = Dydx()
    exchange.decode(frame(row("1", kind="LIQUIDATED"), kind="subscribed"), frames.RECEIVED)

    events = exchange.decode(frame(row("1", kind="LIQUIDATED")), frames.RECEIVED)

    assert [type(event) for event in events] == [Trade]
    assert exchange.counts == {"duplicate": 1}


def test_a_liquidation_that_arrives_late_is_history() -> None:
    exchange = Dydx()
    exchange.decode(frame(row("9")), frames.RECEIVED)

    _, told = exchange.decode(frame(row("8", OLDER, "LIQUIDATED")), frames.RECEIVED)

    assert isinstance(told, Liquidation)
    assert told.history


@pytest.mark.parametrize(("kind", "counted"), [("DELEVERAGED", "deleveraged"), ("GIFT", "other")])
def test_what_is_no_market_match_is_counted(kind: str, counted: str) -> None:
    exchange = Dydx()

    assert not exchange.decode(frame(row("1", kind=kind)), frames.RECEIVED)
    assert exchange.counts == {f"not_a_trade:{counted}": 1}


def test_a_row_without_id_and_type_is_a_trade_that_counts_once() -> None:
    exchange = Dydx()
    old_form = frame(row("1").replace('"id":"1",', "").replace('"type":"LIMIT",', ""))

    (event,) = exchange.decode(old_form, frames.RECEIVED)

    assert isinstance(event, Trade)
    assert event.id is None
    assert not exchange.decode(old_form, frames.RECEIVED)


@pytest.mark.parametrize(
    "time", ["2023-11-14T22:13:20.000", "1969-12-31T23:59:59Z", "9999-12-31T00:00:00Z", "now"]
)
def test_a_time_nobody_can_use_is_refused(time: str) -> None:
    with pytest.raises(MalformedFrame) as refused:
        Dydx().decode(frame(row("1", time)), 1)

    assert refused.value.kind == "bad_field"


def test_a_bad_row_does_not_lose_the_others() -> None:
    exchange = Dydx()
    events = exchange.decode(frame(row("1").replace("0.5", "-1"), row("2")), frames.RECEIVED)

    assert [event.id for event in events if isinstance(event, Trade)] == ["2"]
    assert exchange.counts == {"malformed_row": 1}


def test_a_refusal_that_names_its_channel_names_the_topic() -> None:
    frame = '{"type":"error","message":"Invalid id","channel":"v4_trades","id":"FOO-USD"}'

    assert list(Dydx().decode(frame, 1)) == [Refused("Invalid id", ("v4_trades:FOO-USD",))]
