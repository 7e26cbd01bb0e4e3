"""Lighter's own rules: replays, positions after a trade, the unit of open interest."""

import frames_lighter as frames
import msgspec
import pytest

from liqwatch.events import (
    AccountPosition,
    Liquidation,
    OpenInterest,
    Position,
    Trade,
)
from liqwatch.exchanges.base import Acknowledged, MalformedFrame
from liqwatch.exchanges.lighter import Lighter

NOW = frames.TIME
SOLD = '"is_maker_ask":false,'
BOUGHT = '"is_maker_ask":true,'


def loaded() -> Lighter:
    exchange = Lighter()
    exchange.decode_rest(frames.LIST_URL, 200, frames.LIST, frames.RECEIVED)
    return exchange


def row(number: int, rest: str = SOLD, *, kind: str = "trade", time_ms: int = NOW) -> str:
    return (
        f'{{"trade_id":{number},"type":"{kind}","market_id":1,"size":"0.5","price":"60000",'
        f'"ask_account_id":7,"bid_account_id":8,{rest}"timestamp":{time_ms}}}'
    )


def tape(*rows: str, kind: str = "update/trade", forced: str = "null") -> str:
    return (
        f'{{"type":"{kind}","channel":"trade:1","trades":[{",".join(rows)}],'
        f'"liquidation_trades":{forced}}}'
    )


def stats(market: int, mark_price: str, open_interest: str) -> str:
    return (
        '{"type":"update/market_stats","channel":"market_stats:all","timestamp":1700000000000,'
        f'"market_stats":{{"{market}":{{"market_id":{market},"mark_price":"{mark_price}",'
        f'"open_interest":"{open_interest}"}}}}}}'
    )


def sizes(exchange: Lighter, frame: str) -> list[float]:
    events = exchange.decode(frame, frames.RECEIVED)
    return [event.size for event in events if isinstance(event, OpenInterest)]


def position(rest: str) -> AccountPosition:
    """What account 7, the seller, holds after it sold 0.5 at 60,000."""
    events = loaded().decode(tape(row(1, rest)), frames.RECEIVED)
    return next(
        each for each in events if isinstance(each, AccountPosition) and each.account == "7"
    )


def test_statistics_and_open_markets_are_heard_on_one_connection() -> None:
    (endpoint,) = loaded().endpoints(None)

    assert endpoint.url == "wss://mainnet.zklighter.elliot.ai/stream"
    assert endpoint.routes == ("wss://mainnet.zklighter.elliot.ai/stream?readonly=true",)
    assert endpoint.topics == ("market_stats/all", "trade/1", "trade/4")
    assert [msgspec.json.decode(request) for request in endpoint.requests] == [
        {"type": "subscribe", "channel": topic} for topic in endpoint.topics
    ]
    assert 60 / endpoint.request_gap_s < 200  # messages a minute
    assert endpoint.protocol_ping_s == 20


@pytest.mark.parametrize("channel", ["trade:1", "trade/1"])
def test_a_channel_is_acknowledged_as_it_was_asked_for(channel: str) -> None:
    frame = f'{{"type":"subscribed/trade","channel":"{channel}"}}'

    assert list(loaded().decode(frame, 1)) == [Acknowledged(("trade/1",))]


def test_a_replay_before_anything_live_was_heard_is_all_history() -> None:
    exchange = loaded()
    forced = f"[{row(2, kind='liquidation')}]"

    _, told = exchange.decode(tape(row(1), kind="subscribed/trade", forced=forced), frames.RECEIVED)

    assert isinstance(told, Liquidation)
    assert told.history
    assert exchange.counts == {"history": 1}


def test_what_a_replay_tells_first_while_another_connection_delivers_is_no_history() -> None:
    exchange = loaded()
    exchange.decode(tape(row(1)), frames.RECEIVED)
    forced = f"[{row(3, kind='liquidation', time_ms=NOW - 10_000)}]"

    replay = tape(row(2), row(1), kind="subscribed/trade", forced=forced)
    _, *events = exchange.decode(replay, frames.RECEIVED)

    assert [event.id for event in events if isinstance(event, Trade)] == ["2", "3"]
    assert [event.history for event in events if isinstance(event, Liquidation)] == [False]
    assert exchange.counts == {"duplicate": 1}


def test_old_rows_of_a_replay_are_history_and_give_no_trades() -> None:
    exchange = loaded()
    exchange.decode(tape(row(9)), frames.RECEIVED)
    forced = f"[{row(3, kind='liquidation', time_ms=NOW - 10_001)}]"

    replay = tape(row(2, time_ms=NOW - 10_001), kind="subscribed/trade", forced=forced)
    _, *events = exchange.decode(replay, frames.RECEIVED)

    assert [type(event) for event in events] == [Liquidation]
    assert exchange.counts == {"history": 1}


def test_a_liquidation_told_again_counts_once() -> None:
    exchange = loaded()
    forced = f"[{row(3, kind='liquidation')}]"
    exchange.decode(tape(kind="subscribed/trade", forced=forced), frames.RECEIVED)

    events = exchange.decode(tape(forced=forced), frames.RECEIVED)

    assert not [event for event in events if isinstance(event, Liquidation)]
    assert exchange.counts == {"duplicate": 1}


def test_the_same_id_in_another_market_is_another_trade() -> None:
    exchange = loaded()
    other = row(3).replace('"market_id":1', '"market_id":7')
    events = [event for each in (row(3), other) for event in exchange.decode(tape(each), 1)]

    assert [event.instrument for event in events if isinstance(event, Trade)] == ["1", "7"]


def test_a_trade_that_is_told_later_to_be_a_liquidation_is_one_trade() -> None:
    exchange = loaded()
    first = exchange.decode(tape(row(3)), frames.RECEIVED)
    second = exchange.decode(tape(forced=f"[{row(3, kind='liquidation')}]"), frames.RECEIVED)

    assert [type(event) for event in [*first, *second]] == [Trade, Liquidation]


def test_a_bad_row_does_not_lose_the_others() -> None:
    exchange = loaded()
    frame = tape(row(1), row(2).replace('"0.5"', '"-1"'), forced=f"[{row(3)}]")

    assert [event.id for event in exchange.decode(frame, 1) if isinstance(event, Trade)] == [
        "1",
        "3",
    ]
    assert exchange.counts == {"malformed_row": 1}


@pytest.mark.parametrize(
    ("kind", "counted"),
    [
        ("deleverage", "deleverage"),
        ("market-settlement", "market-settlement"),
        ("gift", "other"),
    ],
)
def test_what_is_no_market_match_is_counted(kind: str, counted: str) -> None:
    exchange = loaded()

    assert not exchange.decode(tape(row(1, kind=kind)), frames.RECEIVED)
    assert exchange.counts == {f"not_a_trade:{counted}": 1}


def test_closing_a_part_keeps_the_entry_of_the_rest() -> None:
    held = position(
        SOLD + '"taker_position_size_before":"2","taker_entry_quote_before":"110000",'
        '"taker_initial_margin_fraction_before":400,'
    )

    assert (held.position, held.size, held.entry_price) == (Position.LONG, 1.5, 55_000)
    assert held.leverage == 25


def test_adding_to_a_position_averages_its_entry() -> None:
    held = position(
        SOLD + '"taker_position_size_before":"-1.5","taker_entry_quote_before":"93000",'
    )

    assert (held.position, held.size) == (Position.SHORT, 2)
    assert held.entry_price == (93_000 + 30_000) / 2


def test_turning_a_position_round_enters_at_the_price_of_the_trade() -> None:
    held = position(
        SOLD + '"taker_position_size_before":"0.2","taker_entry_quote_before":"11000",'
        '"taker_position_sign_changed":true,'
    )

    assert (held.position, held.size, held.entry_price) == (Position.SHORT, 0.3, 60_000)


def test_closing_a_position_leaves_nothing_on_the_side_it_had() -> None:
    held = position(
        SOLD + '"taker_position_size_before":"0.5","taker_entry_quote_before":"27500",'
        '"taker_position_sign_changed":true,'
    )

    assert (held.position, held.size, held.entry_price) == (Position.LONG, 0, None)


def test_the_maker_of_a_bought_trade_is_the_seller() -> None:
    held = position(BOUGHT + '"maker_position_sign_changed":true,')

    assert (held.position, held.size, held.entry_price) == (Position.SHORT, 0.5, 60_000)


def test_a_position_that_is_not_told_is_not_guessed() -> None:
    events = loaded().decode(tape(row(1)), frames.RECEIVED)

    assert [type(event) for event in events] == [Trade]


def test_a_trade_with_oneself_changes_no_position() -> None:
    held = SOLD + '"taker_position_size_before":"2","maker_position_size_before":"2",'
    frame = tape(row(1, held)).replace('"bid_account_id":8', '"bid_account_id":7')

    assert [type(event) for event in loaded().decode(frame, frames.RECEIVED)] == [Trade]


def test_a_frame_tells_once_what_an_account_holds() -> None:
    events = loaded().decode(
        tape(
            row(2, SOLD + '"taker_position_size_before":"1.5",'),
            row(1, SOLD + '"taker_position_size_before":"2",'),
        ),
        frames.RECEIVED,
    )

    assert [event.size for event in events if isinstance(event, AccountPosition)] == [1.0]


def test_the_unit_of_open_interest_follows_the_list() -> None:
    exchange = loaded()
    assert exchange.open_questions()

    in_dollars = sizes(exchange, stats(1, "60000", "96000000"))
    in_coins = sizes(exchange, stats(1, "60000", "1480.5"))

    assert in_dollars == [1600]
    assert in_coins == [1480.5]
    assert not exchange.open_questions()


def test_a_coin_worth_about_a_dollar_takes_the_unit_of_the_others() -> None:
    body = frames.LIST.replace('"open_interest":0}', '"open_interest":1000000}', 1)
    exchange = Lighter()
    exchange.decode_rest(frames.LIST_URL, 200, body, frames.RECEIVED)

    before = sizes(exchange, stats(7, "2.5", "1500000"))
    sizes(exchange, stats(1, "60000", "90000000"))
    after = sizes(exchange, stats(7, "2.5", "1500000"))

    assert (before, after) == ([], [600_000])
    assert exchange.counts == {"unknown_unit": 1}


def test_without_a_figure_in_the_list_open_interest_is_not_told() -> None:
    exchange = loaded()
    sizes(exchange, stats(1, "60000", "90000000"))

    assert sizes(exchange, stats(7, "2.5", "1500000")) == []


def test_funding_is_told_when_it_changes() -> None:
    exchange = loaded()
    frame = stats(1, "60000", "").replace(
        '"mark_price"', '"current_funding_rate":"0.1","mark_price"'
    )

    assert len(exchange.decode(frame, 1)) == 2
    assert len(exchange.decode(frame, 1)) == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"code":20001,"message":"invalid param"}', "api_error"),
        ('{"order_book_details":[]}', "bad_field"),
        ("<html>", "not_json"),
    ],
)
def test_an_error_body_is_refused(body: str, kind: str) -> None:
    with pytest.raises(MalformedFrame) as refused:
        Lighter().decode_rest(frames.LIST_URL, 200, body, 1)

    assert refused.value.kind == kind
