"""Bitfinex's own rules: one connection, ids of channels, the rows of one liquidation, history."""

import frames_bitfinex as frames
import msgspec
import pytest

from liqwatch.events import Liquidation, MarkPrice, Mechanism, Position, Trade
from liqwatch.exchanges.base import Acknowledged, MalformedFrame, Notice
from liqwatch.exchanges.bitfinex import Bitfinex

NOW = frames.TIME


def loaded() -> Bitfinex:
    exchange = Bitfinex()
    for url, body in frames.BOOTSTRAP:
        exchange.decode_rest(url, 200, body, frames.RECEIVED)
    for frame in frames.SUBSCRIBED:
        exchange.decode(frame, frames.RECEIVED)
    exchange.counts.clear()
    return exchange


def forced(
    amount: str,
    price: str = "59400",
    *,
    match: int = 1,
    sold: int = 1,
    position: int = 7,
    time_ms: int = NOW,
) -> str:
    return (
        f'["pos",{position},{time_ms},null,"tBTCF0:USTF0",{amount},61000,null,{match},{sold},'
        f"null,{price}]"
    )


def liquidations(exchange: Bitfinex, *frames_: str) -> list[Liquidation]:
    events = [event for frame in frames_ for event in exchange.decode(frame, frames.RECEIVED)]
    return [event for event in events if isinstance(event, Liquidation)]


def subscribed(channel: int, name: str) -> str:
    return f'{{"event":"subscribed","channel":"trades","chanId":{channel},"symbol":"{name}"}}'


def test_all_liquidations_and_the_coins_are_heard_on_one_connection() -> None:
    (endpoint,) = loaded().endpoints({"BTC"})

    assert endpoint.url == "wss://api-pub.bitfinex.com/ws/2"
    assert endpoint.topics == ("liq:global", "trades:tBTCF0:USTF0", "deriv:tBTCF0:USTF0")
    assert [msgspec.json.decode(request) for request in endpoint.requests] == [
        {"event": "conf", "flags": 98304},
        {"event": "subscribe", "channel": "status", "key": "liq:global"},
        {"event": "subscribe", "channel": "trades", "symbol": "tBTCF0:USTF0"},
        {"event": "subscribe", "channel": "status", "key": "deriv:tBTCF0:USTF0"},
    ]


def test_the_largest_coins_by_open_interest_fill_the_channels_allowed() -> None:
    names = [f"COIN{number:02}F0:USTF0" for number in range(30)]
    pairs = msgspec.json.encode([[[name, [None] * 8] for name in names]]).decode()
    states = [
        [f"t{name}", NOW, *[None] * 13, 100.0, None, None, float(number)]
        for number, name in enumerate(names)
    ]
    exchange = Bitfinex()
    exchange.decode_rest(frames.LIST_URL, 200, pairs, 1)
    body = msgspec.json.encode(states).decode()
    exchange.decode_rest(frames.STATUS_URL, 200, body, frames.RECEIVED)
    (endpoint,) = exchange.endpoints(None)

    assert len(endpoint.topics) == 25
    assert endpoint.topics[1] == "trades:tCOIN29F0:USTF0"
    assert endpoint.topics[-1] == "deriv:tCOIN18F0:USTF0"
    exchange.decode_rest(frames.STATUS_URL, 200, frames.STATUS, frames.RECEIVED)
    assert exchange.endpoints(None) == [endpoint]  # the choice does not change by the minute


def test_an_acknowledgement_names_the_topic_that_was_asked_for() -> None:
    exchange = loaded()
    (endpoint,) = exchange.endpoints(None)
    acknowledged: list[str] = []
    for number, request in enumerate(endpoint.requests[1:]):
        answer = msgspec.json.decode(request) | {"event": "subscribed", "chanId": number}
        for event in exchange.decode(msgspec.json.encode(answer), 1):
            assert isinstance(event, Acknowledged)
            acknowledged += event.topics

    assert tuple(acknowledged) == endpoint.topics


def test_the_rows_of_one_liquidation_count_once_in_any_order() -> None:
    trigger = forced("-8.6", "null", match=0, time_ms=NOW)
    matches = [forced("-4.5", "60510"), forced("-4.1", "60520")]
    told = liquidations(
        loaded(), f"[18,[{matches[0]}]]", f"[18,[{trigger}]]", f"[18,[{matches[1]}]]"
    )

    assert [(event.position, event.size) for event in told] == [
        (Position.SHORT, 4.5),
        (Position.SHORT, 4.1),
    ]


@pytest.mark.parametrize("sold", [0, 1])
def test_a_position_taken_over_is_no_flow_of_the_book(sold: int) -> None:
    rows = [
        forced("0.0392", "null", match=0, sold=sold),
        forced("0.0392", "42735", match=0, sold=sold, time_ms=NOW + 1),
        forced("0.039", "42735", match=1, sold=sold, time_ms=NOW + 5),
    ]
    told = liquidations(loaded(), f"[18,[{','.join(rows)}]]")

    assert [event.size for event in told if event.mechanism is Mechanism.BOOK] == [0.039]
    assert [event.size for event in told if event.mechanism is Mechanism.BACKSTOP] == [0.0392]


def test_a_small_long_is_a_long() -> None:
    (event,) = liquidations(loaded(), f"[18,[{forced('0.0392')}]]")

    assert event.position is Position.LONG


def test_a_liquidation_long_before_its_push_is_history() -> None:
    exchange = loaded()
    frame = (
        f"[18,[{forced('1', position=1, time_ms=NOW - 10_001)},{forced('1', position=2)}],3,{NOW}]"
    )

    assert [event.history for event in liquidations(exchange, frame)] == [True, False]


def test_without_the_time_of_the_push_the_newest_time_of_the_venue_judges() -> None:
    exchange = loaded()
    exchange.decode(f'[17,"te",[1,{NOW},1,60000]]', frames.RECEIVED)
    frame = f"[18,[{forced('1', position=1, time_ms=NOW - 10_001)},{forced('1', position=2)}]]"

    assert [event.history for event in liquidations(exchange, frame)] == [True, False]


def test_what_a_backfill_told_is_a_duplicate_on_the_stream() -> None:
    exchange = loaded()
    (poll,) = exchange.backfill(None, 1_000, 2_000)
    past = exchange.decode_rest(poll.url, 200, f"[[{forced('1')}]]", frames.RECEIVED)

    assert "start=1000&end=2000" in poll.url
    assert [event.history for event in past if isinstance(event, Liquidation)] == [True]
    assert not liquidations(exchange, f"[18,[{forced('1')}]]")
    assert exchange.counts == {"duplicate": 1}


def test_a_channel_that_means_another_pair_is_not_heard_while_connections_may_overlap() -> None:
    exchange = loaded()
    exchange.decode(subscribed(17, "tIOTF0:USTF0"), frames.RECEIVED)
    told = [
        exchange.decode(f'[17,"te",[{number},{NOW},1,0.25]]', frames.RECEIVED + later_s * 10**9)
        for number, later_s in ((1, 0), (2, 19), (3, 20))
    ]

    assert [len(events) for events in told] == [0, 0, 1]
    (event,) = told[2]
    assert isinstance(event, Trade)
    assert event.symbol == "IOTA"  # IOT at this venue


def test_a_channel_that_means_the_same_on_two_connections_is_heard_on_both() -> None:
    exchange = loaded()
    exchange.decode(subscribed(17, "tBTCF0:USTF0"), frames.RECEIVED)

    assert exchange.decode(f'[17,"te",[1,{NOW},1,60000]]', frames.RECEIVED)


def test_young_trades_after_a_subscription_are_told_in_order() -> None:
    exchange = loaded()
    rows = f"[3,{NOW},1,60003],[2,{NOW - 10_000},1,60002],[1,{NOW - 10_001},1,60001]"

    events = exchange.decode(f"[17,[{rows}],1,{NOW}]", frames.RECEIVED)

    assert [event.id for event in events if isinstance(event, Trade)] == ["2", "3"]
    assert exchange.counts == {"history": 1}


def test_a_channel_named_again_is_the_last_to_be_forgotten() -> None:
    exchange = loaded()
    for channel in [*range(100, 4000), 17, *range(4000, 6000)]:
        exchange.decode(subscribed(channel, "tBTCF0:USTF0"), 1)

    assert exchange.decode(f'[17,"te",[1,{NOW},1,60000]]', frames.RECEIVED)


def test_channels_are_forgotten_rather_than_kept_without_bound() -> None:
    exchange = loaded()
    for channel in range(100, 6000):
        exchange.decode(subscribed(channel, "tBTCF0:USTF0"), 1)

    assert len(exchange._channels) == 4096


def test_a_state_told_again_by_rest_is_a_duplicate() -> None:
    exchange = loaded()
    streamed, expected = frames.FRAMES["state of a pair"]
    assert list(exchange.decode(streamed, frames.RECEIVED)) == expected

    events = exchange.decode_rest(frames.STATUS_URL, 200, frames.STATUS, frames.RECEIVED)

    assert not events
    assert exchange.counts == {"duplicate": 2}


def test_one_absurd_time_does_not_silence_a_pair() -> None:
    exchange = loaded()
    frame, _ = frames.FRAMES["state of a pair"]
    exchange.decode(frame.replace(f"[{NOW},", f"[{NOW * 2},"), frames.RECEIVED)

    events = exchange.decode(frame, frames.RECEIVED)

    assert [event.price for event in events if isinstance(event, MarkPrice)] == [60002.5]


@pytest.mark.parametrize("code", [20051, 20060, 20061])
def test_restart_and_maintenance_call_for_another_connection(code: int) -> None:
    frame = f'{{"event":"info","code":{code},"msg":"words"}}'

    assert list(Bitfinex().decode(frame, 1)) == [Notice(f"{code} words")]


def test_a_bad_row_does_not_lose_the_others() -> None:
    exchange = loaded()
    rows = [forced("0", position=1), forced("1", "-5", position=2), forced("1", position=3)]

    assert len(liquidations(exchange, f"[18,[{','.join(rows)}]]")) == 1
    assert exchange.counts == {"malformed_row": 2}


@pytest.mark.parametrize("amount", ["0", "1e-300", "1e400", '"1"', "null"])
def test_a_trade_of_nothing_is_refused(amount: str) -> None:
    with pytest.raises(MalformedFrame):
        loaded().decode(f'[17,"te",[1,{NOW},{amount},60000]]', frames.RECEIVED)


@pytest.mark.parametrize("url", [frames.LIST_URL, frames.STATUS_URL, frames.HISTORY_URL])
@pytest.mark.parametrize("body", ['["error",11010,"ratelimit: error"]', "null", "{}"])
def test_an_error_body_is_refused(url: str, body: str) -> None:
    with pytest.raises(MalformedFrame):
        Bitfinex().decode_rest(url, 200, body, 1)
