"""Paradex's own rules: binary frames, typed trades, take-overs by the insurance fund."""

import frames_paradex as frames
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwatch.events import Instrument, Liquidation, MarginTiers, Trade
from liqwatch.exchanges.base import MalformedFrame
from liqwatch.exchanges.paradex import Paradex

NO_NUMBER = -(2**63)


def loaded() -> Paradex:
    exchange = Paradex()
    exchange.decode_rest(frames.LIST_URL, 200, frames.LIST, frames.RECEIVED)
    exchange.counts.clear()
    return exchange


def kinds(exchange: Paradex, text: str) -> list[str]:
    return [type(event).__name__ for event in exchange.decode(frames.WIRE(text), frames.RECEIVED)]


def test_one_subscription_asks_for_all_trades_in_binary() -> None:
    (endpoint,) = loaded().endpoints({"BTC"})

    assert endpoint.url == "wss://ws.api.prod.paradex.trade/v1?sbeSchemaId=1&sbeSchemaVersion=1"
    assert endpoint.routes == ("wss://ws.api.prod.paradex.trade/v1",)
    assert endpoint.topics == ("trades.ALL",)
    assert [msgspec.json.decode(request) for request in endpoint.requests] == [
        {"jsonrpc": "2.0", "method": "subscribe", "params": {"channel": "trades.ALL"}, "id": 1}
    ]
    assert endpoint.protocol_ping_s
    assert endpoint.silent_after_s


@given(cut=st.integers(0, len(frames.packed(1)) // 2 - 1))
def test_a_binary_trade_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(MalformedFrame):
        loaded().decode(bytes.fromhex(frames.packed(1))[:cut], frames.RECEIVED)


def test_another_schema_is_refused() -> None:
    frame = bytearray.fromhex(frames.packed(1))
    frame[4] = 2

    with pytest.raises(MalformedFrame):
        loaded().decode(bytes(frame), frames.RECEIVED)


@pytest.mark.parametrize("value", [0.0, -1.0, NO_NUMBER / 1e8])
def test_a_binary_trade_without_a_price_or_size_is_refused(value: float) -> None:
    for text in (frames.packed(1, price=value), frames.packed(1, size=value)):
        with pytest.raises(MalformedFrame) as refused:
            kinds(loaded(), text)

        assert refused.value.kind == "bad_field"


def test_a_binary_trade_whose_block_is_too_short_for_its_fields_is_refused() -> None:
    frame = bytearray.fromhex(frames.packed(1))
    frame[0] = 49

    with pytest.raises(MalformedFrame):
        loaded().decode(bytes(frame), frames.RECEIVED)


def test_what_both_forms_tell_counts_once() -> None:
    exchange = loaded()
    number = 1_700_000_000_000_201_709_233_240_002
    low = number % 2**64

    assert kinds(exchange, frames.trade(str(number))) == ["Trade"]
    assert not kinds(exchange, frames.packed(low if low < 2**63 else low - 2**64))
    assert exchange.counts == {"duplicate": 1}


def test_an_id_is_unique_only_among_trades_of_its_type_and_market() -> None:
    exchange = loaded()

    assert kinds(exchange, frames.packed(1)) == ["Trade"]
    assert kinds(exchange, frames.packed(1, kind=5)) == ["Trade"]
    assert kinds(exchange, frames.packed(1, market="ETH-USD-PERP")) == ["Trade"]
    assert not kinds(exchange, frames.packed(1))


def test_a_position_taken_over_by_the_insurance_fund_is_no_trade() -> None:
    (event,) = loaded().decode(
        frames.WIRE(frames.packed(1, side=2, kind=2, seq=0)), frames.RECEIVED
    )

    assert isinstance(event, Liquidation)
    assert (event.position, event.mechanism) == ("long", "backstop")


def test_a_liquidation_with_a_number_of_the_order_book_is_a_trade_too() -> None:
    trade, liquidation = loaded().decode(frames.WIRE(frames.packed(1, kind=2)), frames.RECEIVED)

    assert isinstance(trade, Trade)
    assert isinstance(liquidation, Liquidation)
    assert (trade.price, trade.time) == (liquidation.price, liquidation.time)
    assert (liquidation.position, liquidation.mechanism) == ("short", "book")


@pytest.mark.parametrize(
    ("kind", "counted"),
    [
        ("UNWIND_TRANSFER", "not_a_trade:unwind_transfer"),
        ("SETTLE_MARKET", "not_a_trade:settle_market"),
        ("BLOCK_TRADE", "not_a_trade:block_trade"),
        ("GIFT", "ignored:GIFT"),
    ],
)
def test_what_is_no_match_on_the_book_is_counted(kind: str, counted: str) -> None:
    exchange = loaded()

    assert not kinds(exchange, frames.trade(trade_type=kind))
    assert exchange.counts == {counted: 1}


@pytest.mark.parametrize(
    ("market", "symbol", "size"),
    [
        ("kBONK-USD-PERP", "BONK", 500.0),
        ("KAITO-USD-PERP", "KAITO", 0.5),
        ("k-USD-PERP", "K", 0.5),
    ],
)
def test_a_small_k_before_a_capital_letter_means_thousands(
    market: str, symbol: str, size: float
) -> None:
    (event,) = loaded().decode(frames.WIRE(frames.packed(1, market=market)), frames.RECEIVED)

    assert isinstance(event, Trade)
    assert (event.symbol, event.size) == (symbol, size)


@pytest.mark.parametrize("market", ["BTC-USD-80000-C", "USDC-USD", "BTC-EUR-PERP", "-USD-PERP"])
def test_what_is_no_perpetual_in_dollars_is_counted(market: str) -> None:
    exchange = loaded()

    assert not kinds(exchange, frames.packed(1, market=market))
    assert exchange.counts == {"not_this_market": 1}


def test_past_trades_repeat_nothing_that_was_heard_live() -> None:
    exchange = loaded()
    url, body, expected = frames.REST["past trades"]
    kinds(exchange, frames.packed(12345644, kind=2, seq=0))

    assert expected
    assert not exchange.decode_rest(url, 200, body, frames.RECEIVED)
    assert exchange.counts == {"history": 1, "duplicate": 1}


def test_after_a_gap_the_trades_of_each_market_are_asked_for() -> None:
    assert [poll.url for poll in loaded().backfill({"BTC"}, 5, 6)] == [
        "https://api.prod.paradex.trade/v1/trades?market=BTC-USD-PERP&start_at=5&end_at=6"
    ]
    assert len(loaded().backfill(None, 5, 6)) == 2


def test_margins_that_grow_with_the_position_are_not_told_as_one_tier() -> None:
    events = Paradex().decode_rest(frames.LIST_URL, 200, frames.LIST, 1)
    tiers = [event.instrument for event in events if isinstance(event, MarginTiers)]

    assert tiers == ["BTC-USD-PERP"]


@pytest.mark.parametrize("margin", ['"imf_base":""', '"imf_base":"0"', '"imf_bass":"1"'])
def test_without_a_margin_a_market_is_still_listed(margin: str) -> None:
    body = frames.LIST.replace('"imf_base":"0.02"', margin)
    events = Paradex().decode_rest(frames.LIST_URL, 200, body, 1)

    assert all(isinstance(event, Instrument) for event in events)
    assert len(events) == 2


def test_the_funding_period_of_the_list_survives_a_restart() -> None:
    before, after = loaded(), Paradex()
    after.restore(before.snapshot())
    url, body, expected = frames.REST["summaries"]

    assert list(after.decode_rest(url, 200, body, frames.RECEIVED)) == expected


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"error":"VALIDATION_ERROR","message":"bad market"}', "bad_field"),
        ('{"results":[]}', "empty_list"),
        ("<html>", "not_json"),
    ],
)
def test_an_error_body_is_refused(body: str, kind: str) -> None:
    with pytest.raises(MalformedFrame) as refused:
        Paradex().decode_rest(frames.LIST_URL, 200, body, 1)

    assert refused.value.kind == kind
