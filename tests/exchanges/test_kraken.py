"""Kraken's own rules: units by prefix, forced trades, snapshots of the past, numbered trades."""

import frames_kraken as frames
import msgspec
import pytest

from liqwatch.events import Liquidation, MarginTiers, Trade
from liqwatch.exchanges.base import Acknowledged, MalformedFrame
from liqwatch.exchanges.kraken import KrakenFutures


def loaded() -> KrakenFutures:
    exchange = KrakenFutures()
    exchange.decode_rest(frames.LIST_URL, 200, frames.LIST, frames.RECEIVED)
    exchange.counts.clear()
    return exchange


def kinds(exchange: KrakenFutures, frame: str) -> list[str]:
    return [type(event).__name__ for event in exchange.decode(frame, frames.RECEIVED)]


def listing(name: str, *levels: str) -> str:
    return (
        f'{{"result":"success","instruments":[{{"symbol":"{name}","tickSize":1.0,"contractSize":1,'
        f'"tradeable":true,"marginLevels":[{",".join(levels)}]}}]}}'
    )


def test_trades_tickers_and_heartbeats_come_on_one_connection() -> None:
    (endpoint,) = loaded().endpoints(None)

    assert endpoint.url == "wss://futures.kraken.com/ws/v1"
    assert endpoint.topics == (
        "heartbeat",
        "trade:PF_XBTUSD",
        "trade:PI_XRPUSD",
        "ticker:PF_XBTUSD",
        "ticker:PI_XRPUSD",
    )
    assert [msgspec.json.decode(request) for request in endpoint.requests] == [
        {"event": "subscribe", "feed": "heartbeat"},
        {"event": "subscribe", "feed": "trade", "product_ids": ["PF_XBTUSD", "PI_XRPUSD"]},
        {"event": "subscribe", "feed": "ticker", "product_ids": ["PF_XBTUSD", "PI_XRPUSD"]},
    ]
    assert endpoint.protocol_ping_s
    assert endpoint.protocol_ping_s < 60


def test_the_linear_perpetual_is_heard_and_the_inverse_one_where_there_is_no_other() -> None:
    exchange = loaded()

    assert [poll.url.partition("=")[2] for poll in exchange.backfill(None, 0, 1)] == [
        "PF_XBTUSD",
        "PI_XRPUSD",
    ]
    assert not exchange.endpoints({"OLD"})  # not tradeable any more


def test_only_a_connection_with_the_busiest_coin_may_be_called_silent() -> None:
    (with_btc,) = loaded().endpoints({"BTC"})
    (without,) = loaded().endpoints({"XRP"})

    assert with_btc.silent_after_s
    assert without.silent_after_s is None


def test_an_acknowledgement_names_the_topic_that_was_asked_for() -> None:
    exchange = loaded()
    (endpoint,) = exchange.endpoints(None)
    acknowledged: set[str] = set()
    for request in map(msgspec.json.decode, endpoint.requests):
        for product in request.get("product_ids", [None]):
            answer = {"event": "subscribed", "feed": request["feed"]}
            answer |= {"product_ids": [product]} if product else {}
            (control,) = exchange.decode(msgspec.json.encode(answer), 1)
            assert isinstance(control, Acknowledged)
            acknowledged |= set(control.topics)

    assert acknowledged == set(endpoint.topics)


def test_units_follow_the_prefix_even_before_the_list_has_come() -> None:
    exchange = KrakenFutures()
    events = [
        *exchange.decode(frames.trade("u-1", qty=0.0113), 1),
        *exchange.decode(frames.trade("u-2", product_id='"PI_XBTUSD"', qty=15000), 1),
    ]

    assert [event.size for event in events if isinstance(event, Trade)] == [0.0113, 0.25]


def test_a_contract_size_that_is_listed_counts() -> None:
    exchange = KrakenFutures()
    body = frames.LIST.replace('"contractSize":1', '"contractSize":10', 2)
    exchange.decode_rest(frames.LIST_URL, 200, body, 1)
    forced = '"liquidation"'
    sizes = [
        (event.size, event.notional_usd)
        for frame in (
            frames.trade("u-1", type=forced, qty=2.0),
            frames.trade("u-2", type=forced, product_id='"PI_XBTUSD"', qty=15000),
        )
        for event in exchange.decode(frame, 1)
        if isinstance(event, Liquidation)
    ]

    assert sizes == [(20.0, 1_200_000.0), (2.5, 150_000.0)]


def test_a_forced_trade_is_a_trade_and_a_liquidation_at_the_same_price_and_time() -> None:
    trade, liquidation = loaded().decode(
        frames.trade("f-1", type='"liquidation"', side='"sell"'), frames.RECEIVED
    )

    assert isinstance(trade, Trade)
    assert isinstance(liquidation, Liquidation)
    assert (trade.price, trade.time) == (liquidation.price, liquidation.time)
    assert (trade.side, liquidation.position) == ("sell", "long")


@pytest.mark.parametrize(
    ("kind", "counted"),
    [
        ("block", "not_a_trade:block"),
        ("assignment", "not_a_trade:assignment"),
        ("gift", "ignored:gift"),
    ],
)
def test_what_is_no_match_on_the_book_is_counted(kind: str, counted: str) -> None:
    exchange = loaded()

    assert not kinds(exchange, frames.trade("n-1", type=f'"{kind}"'))
    assert exchange.counts == {counted: 1}


def test_a_liquidation_of_the_snapshot_is_told_once_and_as_history() -> None:
    exchange = loaded()
    forced = frames.trade("s-2", type='"liquidation"', seq=2)
    frame = frames.snapshot(forced, frames.trade("s-1", seq=1))

    (event,) = exchange.decode(frame, frames.RECEIVED)
    assert isinstance(event, Liquidation)
    assert event.history
    assert not kinds(exchange, frame)
    assert not kinds(exchange, forced)
    assert exchange.counts == {"history": 2, "duplicate": 2}


def test_of_a_snapshot_after_a_gap_only_what_is_ten_seconds_old_is_history() -> None:
    exchange = loaded()
    kinds(exchange, frames.trade("s-1", time=frames.TIME))
    forced = '"liquidation"'
    young = frames.trade("s-3", type=forced, time=frames.TIME - 10_000)
    old = frames.trade("s-2", type=forced, time=frames.TIME - 10_001)

    events = exchange.decode(frames.snapshot(young, old), frames.RECEIVED)
    assert [(type(e), e.history) for e in events if isinstance(e, Liquidation)] == [
        (Liquidation, True),
        (Liquidation, False),
    ]
    assert not kinds(exchange, young)


def test_a_forced_trade_that_rest_tells_at_once_is_left_to_the_stream() -> None:
    exchange = loaded()
    url, body, _ = frames.REST["last trades, newest first"]
    young = body.replace("22:13:00.000Z", "22:13:20.000Z")

    assert not exchange.decode_rest(url, 200, young, frames.RECEIVED)
    assert exchange.counts == {"left_to_stream": 1, "history": 1}
    live = frames.trade("h-2", type='"liquidation"', seq=3)
    assert kinds(exchange, live) == ["Trade", "Liquidation"]


def test_a_fill_that_another_connection_showed_as_history_is_still_heard_live() -> None:
    exchange = loaded()
    fill = frames.trade("s-1", seq=1)
    kinds(exchange, frames.snapshot(fill))

    assert kinds(exchange, fill) == ["Trade"]
    assert not kinds(exchange, fill)


def test_trades_that_were_missed_are_counted() -> None:
    exchange = loaded()
    for seq in (5, 6, 9, 10):
        kinds(exchange, frames.trade(f"g-{seq}", seq=seq))
    assert exchange.counts == {"gap": 2}

    kinds(exchange, frames.trade("other", seq=500, product_id='"PI_XRPUSD"'))
    assert exchange.counts == {"gap": 2}


def test_a_snapshot_after_a_gap_shows_what_is_missing() -> None:
    exchange = loaded()
    kinds(exchange, frames.trade("g-10", seq=10))
    before = frames.BEFORE
    newest_first = [frames.trade(f"g-{seq}", seq=seq, time=before) for seq in (15, 14, 13)]
    kinds(exchange, frames.snapshot(*newest_first))
    kinds(exchange, frames.trade("g-16", seq=16))

    assert exchange.counts == {"gap": 2, "history": 3}


def test_numbering_that_starts_anew_is_no_gap() -> None:
    exchange = loaded()
    for uid, seq in (("r-1", 9_000_000), ("r-2", 1), ("r-3", 2), ("r-4", 9_000_000)):
        assert kinds(exchange, frames.trade(uid, seq=seq)) == ["Trade"]

    assert not exchange.counts


def test_past_trades_repeat_nothing_that_was_heard_live() -> None:
    exchange = loaded()
    url, body, expected = frames.REST["last trades, newest first"]
    kinds(exchange, frames.trade("h-2", type='"liquidation"', seq=3))

    assert expected
    assert not exchange.decode_rest(url, 200, body, frames.RECEIVED)
    assert exchange.counts == {"history": 1, "duplicate": 1}


@pytest.mark.parametrize("time", ["2023-11-14T22:13:20.000", "1960-01-01T00:00:00Z", "yesterday"])
def test_a_past_trade_without_a_certain_time_is_refused(time: str) -> None:
    url, body, _ = frames.REST["last trades, newest first"]
    one = body.replace("2023-11-14T22:13:00.000Z", time, 1)
    exchange = loaded()

    assert not exchange.decode_rest(url, 200, one, frames.RECEIVED)
    assert exchange.counts == {"malformed_row": 1, "history": 1}


def test_funding_that_did_not_change_is_not_told_again() -> None:
    exchange = loaded()
    frame = frames.FRAMES["ticker of a linear perpetual"][0]

    assert kinds(exchange, frame) == ["MarkPrice", "OpenInterest", "Funding"]
    assert kinds(exchange, frame) == ["MarkPrice", "OpenInterest"]


def test_open_interest_in_dollars_needs_a_price_to_be_coins() -> None:
    frame = frames.FRAMES["ticker of an inverse perpetual"][0].replace("60000.0", "0")

    assert kinds(loaded(), frame) == ["Funding"]


def test_margin_levels_in_contracts_of_a_linear_perpetual_are_coins() -> None:
    levels = (
        '{"contracts":0,"initialMargin":0.02,"maintenanceMargin":0.01}',
        '{"contracts":100,"initialMargin":0.04,"maintenanceMargin":0.02}',
    )
    _, tiers = KrakenFutures().decode_rest(frames.LIST_URL, 200, listing("PF_XBTUSD", *levels), 1)

    assert isinstance(tiers, MarginTiers)
    assert (tiers.unit, tiers.tiers[0].cap) == ("coin", 100)


def test_margin_levels_that_do_not_rise_are_refused() -> None:
    level = '{"contracts":5,"initialMargin":0.02,"maintenanceMargin":0.01}'

    with pytest.raises(MalformedFrame):
        KrakenFutures().decode_rest(frames.LIST_URL, 200, listing("PI_XBTUSD", level, level), 1)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"result":"error","error":"apiLimitExceeded"}', "api_error"),
        ('{"result":"success"}', "empty_list"),
        ("<html>", "not_json"),
    ],
)
def test_an_error_body_is_refused(body: str, kind: str) -> None:
    with pytest.raises(MalformedFrame) as refused:
        KrakenFutures().decode_rest(frames.LIST_URL, 200, body, 1)

    assert refused.value.kind == kind
