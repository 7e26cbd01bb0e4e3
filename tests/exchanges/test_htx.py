"""HTX's own rules: gzip frames, two dialects, old first messages, contracts against coins."""

import gzip
from typing import Any

import frames_htx as frames
import msgspec
import pytest

from liqwatch.events import Liquidation, MarketEvent, OpenInterest, Trade
from liqwatch.exchanges.base import Control, MalformedFrame, Reply
from liqwatch.exchanges.htx import HtxLinear

HOUR_MS = 3_600_000


def loaded() -> HtxLinear:
    exchange = HtxLinear()
    exchange.decode_rest(frames.LIST_URL, 200, frames.LIST, frames.RECEIVED)
    exchange.counts.clear()
    return exchange


def heard(
    exchange: HtxLinear, text: str, received: int = frames.RECEIVED
) -> list[MarketEvent | Control]:
    return list(exchange.decode(frames.WIRE(text), received))


def trade(number: int, time_ms: int) -> str:
    return frames.trade_frame(
        f'{{"amount":1,"quantity":0.001,"trade_turnover":60.0,"ts":{time_ms},"id":{number},'
        '"price":60000.0,"direction":"buy"}'
    )


def liquidation(**changed: Any) -> str:
    row = {
        "contract_code": "BTC-USDT",
        "direction": "buy",
        "volume": 2,
        "amount": 0.002,
        "price": 62978.5,
        "trade_turnover": 125.957,
        "created_at": frames.TIME,
    }
    return frames.liquidation_frame(msgspec.json.encode(row | changed).decode())


def test_trades_and_liquidations_are_heard_on_two_sockets() -> None:
    market, notification = loaded().endpoints(None)

    assert market.url == "wss://api.hbdm.com/linear-swap-ws"
    assert market.topics == ("market.BTC-USDT.trade.detail", "market.1000SATS-USDT.trade.detail")
    assert [msgspec.json.decode(request) for request in market.requests] == [
        {"sub": topic, "id": topic} for topic in market.topics
    ]
    assert market.request_gap_s >= 1 / 40
    assert notification.url == "wss://api.hbdm.com/linear-swap-notification"
    assert [msgspec.json.decode(request) for request in notification.requests] == [
        {"op": "sub", "cid": topic, "topic": topic} for topic in notification.topics
    ]
    assert notification.topics == ("public.*.liquidation_orders", "public.*.funding_rate")


def test_only_a_socket_with_the_busiest_coin_may_be_called_silent() -> None:
    with_btc, liquidations = loaded().endpoints(None)
    without, _ = loaded().endpoints({"SATS"})

    assert with_btc.silent_after_s
    assert without.silent_after_s is None
    assert liquidations.silent_after_s is None
    assert {with_btc.idle_timeout_s, liquidations.idle_timeout_s} == {20.0}


def test_a_contract_that_is_not_trading_is_not_subscribed() -> None:
    assert not loaded().endpoints({"GONE"})


@pytest.mark.parametrize("stamp", ['"1789676355591"', "1789676355591", '"not a number"'])
def test_the_stamp_of_a_notification_ping_comes_back_as_it_was(stamp: str) -> None:
    assert heard(HtxLinear(), f'{{"op":"ping","ts":{stamp}}}') == [
        Reply(f'{{"op":"pong","ts":{stamp}}}')
    ]


@pytest.mark.parametrize("stamp", ["1.5", "null", "[]", f'"{"9" * 33}"'])
def test_a_ping_with_another_stamp_is_refused(stamp: str) -> None:
    with pytest.raises(MalformedFrame):
        heard(HtxLinear(), f'{{"op":"ping","ts":{stamp}}}')


def test_text_that_is_not_gzip_is_refused() -> None:
    frame = '{"ping":1700000001990}'
    for each in (frame, frame.encode()):
        with pytest.raises(MalformedFrame) as refused:
            HtxLinear().decode(each, frames.RECEIVED)
        assert refused.value.kind == "not_gzip"


def test_a_bomb_is_refused() -> None:
    with pytest.raises(MalformedFrame) as refused:
        HtxLinear().decode(gzip.compress(bytes(100 << 20)), frames.RECEIVED)

    assert refused.value.kind == "too_large"


def test_an_old_trade_is_counted_and_remembered() -> None:
    exchange = loaded()

    assert not heard(exchange, trade(1, frames.TIME - HOUR_MS))
    assert not heard(exchange, trade(1, frames.TIME))
    assert exchange.counts == {"history": 1, "duplicate": 1}


@pytest.mark.parametrize("our_clock_off_ms", [-HOUR_MS, 0, HOUR_MS])
def test_what_is_old_is_judged_by_the_clock_of_the_pings(our_clock_off_ms: int) -> None:
    exchange = loaded()
    received = frames.RECEIVED + our_clock_off_ms * 1_000_000
    heard(exchange, f'{{"ping":{frames.RECEIVED // 1_000_000}}}', received)

    assert not heard(exchange, trade(1, frames.TIME - 10_000), received)
    assert heard(exchange, trade(2, frames.TIME - 7_000), received)
    (event,) = heard(exchange, liquidation(created_at=frames.TIME - 10_000), received)
    assert isinstance(event, Liquidation)
    assert event.history


def test_after_an_outage_the_first_old_trade_is_history_before_any_ping_has_come() -> None:
    before, after = loaded(), HtxLinear()
    heard(before, f'{{"ping":{frames.RECEIVED // 1_000_000}}}')
    after.restore(before.snapshot())
    an_hour_later = frames.RECEIVED + HOUR_MS * 1_000_000

    assert not heard(after, trade(1, frames.TIME + HOUR_MS // 2), an_hour_later)
    assert after.counts["history"] == 1


def test_a_ping_that_is_no_time_does_not_set_the_clock() -> None:
    exchange = loaded()
    heard(exchange, '{"ping":18212558000}')

    assert heard(exchange, trade(1, frames.TIME))
    assert not heard(exchange, trade(2, frames.TIME - HOUR_MS))


def test_a_short_is_closed_by_buying_five_coins() -> None:
    text = liquidation(
        contract_code="ETH-USDT", volume=500, price=2446.26, amount=5, trade_turnover=12231.3
    )
    (event,) = heard(HtxLinear(), text)

    assert isinstance(event, Liquidation)
    assert (event.position, event.size, event.notional_usd) == ("short", 5, 12231.3)


@pytest.mark.parametrize("price", ["", 0, None])
def test_without_a_price_the_turnover_tells_one(price: object) -> None:
    (event,) = heard(loaded(), liquidation(price=price))

    assert isinstance(event, Liquidation)
    assert event.price == pytest.approx(62978.5)
    assert event.price_kind == "reference"


@pytest.mark.parametrize(
    "changed",
    [
        {"direction": ""},
        {"amount": 0},
        {"trade_turnover": -1},
        {"price": "NaN"},
        {"created_at": "soon"},
    ],
)
def test_a_liquidation_that_is_not_as_documented_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(MalformedFrame):
        heard(loaded(), liquidation(**changed))


def test_a_bad_liquidation_does_not_lose_the_others() -> None:
    exchange = loaded()
    text, expected = frames.FRAMES["liquidations: selling closes a long"]

    assert heard(exchange, text.replace('"sell"', '"both"')) == expected[1:]
    assert exchange.counts == {"malformed_row": 1}


def test_equal_liquidations_of_one_frame_are_several_and_the_frame_again_is_none() -> None:
    exchange = loaded()
    text = liquidation()
    row = text[text.index("[") + 1 : text.rindex("]")]
    frame = frames.liquidation_frame(f"{row},{row}")

    assert len(heard(exchange, frame)) == 2
    assert not heard(exchange, frame)
    assert exchange.counts == {"duplicate": 2}


def test_a_liquidation_heard_live_is_not_told_again_by_the_list_of_past_ones() -> None:
    exchange = loaded()
    url, body, expected = frames.REST["past liquidations tell contracts"]
    heard(exchange, liquidation())

    assert list(exchange.decode_rest(url, 200, body, frames.RECEIVED)) == expected[1:]
    assert exchange.counts == {"duplicate": 1}


def test_past_liquidations_of_unknown_contracts_are_never_guessed() -> None:
    exchange = HtxLinear()
    url, body, _ = frames.REST["past liquidations tell contracts"]

    assert not exchange.decode_rest(url, 200, body, frames.RECEIVED)
    assert exchange.counts == {"unknown_instrument": 2}


def test_a_past_liquidation_whose_two_sides_contradict_each_other_is_uncertain() -> None:
    exchange = loaded()
    url, body, expected = frames.REST["past liquidations tell contracts"]

    events = exchange.decode_rest(url, 200, body.replace('"short"', '"long"'), frames.RECEIVED)

    assert list(events) == expected[1:]
    assert exchange.counts == {"uncertain_side": 1}


def test_after_a_gap_every_contract_is_asked_for_at_most_two_hours() -> None:
    polls = loaded().backfill({"BTC"}, frames.TIME - 24 * HOUR_MS, frames.TIME)

    (poll,) = polls
    assert poll.url == (
        "https://api.hbdm.com/v5/market/liquidation_orders?contract_code=BTC-USDT"
        f"&start_time={frames.TIME - 2 * HOUR_MS}&end_time={frames.TIME}&limit=100"
    )
    assert len(loaded().backfill(None, frames.TIME - 1, frames.TIME)) == 2


def test_open_interest_is_halved_and_that_is_said() -> None:
    exchange = loaded()
    url, body, _ = frames.REST["open interest of both sides"]
    first, *_ = exchange.decode_rest(url, 200, body, frames.RECEIVED)

    assert isinstance(first, OpenInterest)
    assert first.size == pytest.approx(1.0085)
    assert any("open interest" in question for question in exchange.open_questions())


def test_everything_polled_is_understood() -> None:
    exchange = loaded()
    known = {url for url, _, _ in frames.REST.values()}

    assert {poll.url for poll in exchange.polls(None)} <= known
    assert {poll.url for poll in exchange.bootstrap()} <= known


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"status":"error","err_code":1014,"err_msg":"no contract","ts":1}', "api_error"),
        ('{"code":1000,"message":"Parameter error"}', "api_error"),
        ("<html>403</html>", "not_json"),
    ],
)
def test_an_error_body_is_refused(body: str, kind: str) -> None:
    with pytest.raises(MalformedFrame) as refused:
        HtxLinear().decode_rest(frames.LIST_URL, 200, body, 1)

    assert refused.value.kind == kind


def test_trades_need_no_list_since_they_tell_coins() -> None:
    (event,) = heard(HtxLinear(), trade(1, frames.TIME))

    assert isinstance(event, Trade)
    assert (event.symbol, event.size) == ("BTC", 0.001)
