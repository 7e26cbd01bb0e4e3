"""Deribit's own rules: who was liquidated, what is no match, gaps, partial acknowledgements."""

import frames_deribit as frames
import msgspec
import pytest

from liqwatch.events import Funding, Liquidation, Position, Trade
from liqwatch.exchanges.base import Acknowledged, MalformedFrame
from liqwatch.exchanges.deribit import Deribit


def loaded() -> Deribit:
    exchange = Deribit()
    exchange.decode_rest(frames.LIST_URL, 200, frames.LIST, frames.RECEIVED)
    return exchange


def trade(number: int, **fields: object) -> str:
    row = {
        "instrument_name": "BTC-PERPETUAL",
        "trade_seq": number,
        "trade_id": str(number),
        "timestamp": frames.TIME,
        "price": 60000.0,
        "amount": 600.0,
        "direction": "sell",
    }
    return frames.trades(msgspec.json.encode(row | fields).decode())


def told(exchange: Deribit, frame: str) -> list[Liquidation]:
    events = exchange.decode(frame, frames.RECEIVED)
    return [event for event in events if isinstance(event, Liquidation)]


def test_one_connection_brings_all_trades_and_the_tickers_of_open_perpetuals() -> None:
    (endpoint,) = loaded().endpoints(None)
    requests = [msgspec.json.decode(request) for request in endpoint.requests]

    assert endpoint.url == "wss://www.deribit.com/ws/api/v2"
    assert endpoint.topics == (
        "trades.future.any.100ms",
        "ticker.BTC-PERPETUAL.agg2",
        "ticker.ETH_USDC-PERPETUAL.agg2",
    )
    assert [request["method"] for request in requests] == [
        "public/set_heartbeat",
        "public/subscribe",
    ]
    assert requests[0]["params"]["interval"] >= 10
    assert requests[1]["params"] == {"channels": list(endpoint.topics)}
    assert endpoint.request_gap_s >= 0.3
    assert endpoint.silent_after_s == 30
    assert endpoint.idle_timeout_s > 2 * requests[0]["params"]["interval"]


def test_both_perpetuals_of_a_coin_are_listened_to_the_inverse_one_first() -> None:
    exchange = Deribit()
    both = frames.LIST.replace("ETH_USDC-PERPETUAL", "BTC_USDC-PERPETUAL").replace(
        '"base_currency":"ETH"', '"base_currency":"BTC"'
    )
    exchange.decode_rest(frames.LIST_URL, 200, both, 1)

    (endpoint,) = exchange.endpoints({"BTC"})

    assert endpoint.topics[1:] == (
        "ticker.BTC-PERPETUAL.agg2",
        "ticker.BTC_USDC-PERPETUAL.agg2",
    )


def test_many_perpetuals_are_asked_for_in_requests_of_at_most_500_channels() -> None:
    exchange = Deribit()
    row = frames.LIST[frames.LIST.index("[") + 1 : frames.LIST.index("},") + 1]
    rows = [row.replace("BTC", f"COIN{number}X") for number in range(700)]
    exchange.decode_rest(frames.LIST_URL, 200, f'{{"result":[{",".join(rows)}]}}', 1)

    (endpoint,) = exchange.endpoints(None)
    requests = [msgspec.json.decode(request) for request in endpoint.requests]

    assert [len(request["params"].get("channels", "")) for request in requests] == [0, 500, 201]
    assert len({request["id"] for request in requests}) == 3


@pytest.mark.parametrize(
    ("flag", "direction", "positions"),
    [
        ("T", "sell", [Position.LONG]),
        ("T", "buy", [Position.SHORT]),
        ("M", "buy", [Position.LONG]),
        ("M", "sell", [Position.SHORT]),
        ("MT", "sell", [Position.LONG, Position.SHORT]),
        ("MT", "buy", [Position.SHORT, Position.LONG]),
    ],
)
def test_a_forced_sale_closes_a_long_whoever_was_the_taker(
    flag: str, direction: str, positions: list[Position]
) -> None:
    liquidations = told(loaded(), trade(1, liquidation=flag, direction=direction))

    assert [event.position for event in liquidations] == positions


def test_an_unknown_flag_leaves_the_trade_and_is_counted() -> None:
    exchange = loaded()

    (event,) = exchange.decode(trade(1, liquidation="X"), frames.RECEIVED)

    assert isinstance(event, Trade)
    assert exchange.counts == {"uncertain_side": 1}


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"block_trade_id": "BLOCK-1"}, "block"),
        ({"block_rfq_id": 5}, "block"),
        ({"combo_id": "BTC-FS-25DEC26_PERP"}, "combo"),
        ({"combo_trade_id": "43"}, "combo"),
        ({"combo_trade_id": 43}, "combo"),
    ],
)
def test_what_was_not_matched_on_the_book_is_no_trade(fields: dict[str, object], kind: str) -> None:
    exchange = loaded()

    assert not exchange.decode(trade(1, **fields), frames.RECEIVED)
    assert exchange.counts == {f"not_a_trade:{kind}": 1}


def test_numbers_that_were_skipped_are_counted_as_gap_block_trades_included() -> None:
    exchange = loaded()
    for number, fields in ((10, {}), (11, {"block_trade_id": "BLOCK-1"}), (12, {}), (20, {})):
        exchange.decode(trade(number, **fields), frames.RECEIVED)

    assert exchange.counts == {"not_a_trade:block": 1, "gap": 7}


def test_a_trade_heard_twice_is_no_gap() -> None:
    exchange = loaded()
    for number in (10, 11, 10, 11):
        exchange.decode(trade(number), frames.RECEIVED)

    assert exchange.counts == {"duplicate": 2}


def test_a_bad_trade_does_not_lose_the_others() -> None:
    exchange = loaded()
    good = trade(1)
    bad = good.replace("60000.0", '"NaN"')
    rows = [text[text.index("[") + 1 : text.rindex("]")] for text in (bad, good)]

    (event,) = exchange.decode(frames.trades(*rows), frames.RECEIVED)

    assert isinstance(event, Trade)
    assert exchange.counts == {"malformed_row": 1}


def test_a_liquidation_told_late_is_history() -> None:
    exchange = loaded()
    exchange.decode(trade(1), frames.RECEIVED)

    (late,) = told(exchange, trade(2, timestamp=frames.TIME - 10_001, liquidation="T"))
    (timely,) = told(exchange, trade(3, timestamp=frames.TIME - 10_000, liquidation="T"))

    assert (late.history, timely.history) == (True, False)


def test_after_a_gap_the_last_trades_of_each_perpetual_are_asked_for() -> None:
    address = "https://www.deribit.com/api/v2/public/get_last_trades_by_instrument_and_time"
    span = "start_timestamp=1000&end_timestamp=2000&count=1000&sorting=desc"

    assert [poll.url for poll in loaded().backfill(None, 1000, 2000)] == [
        f"{address}?{span}&instrument_name=BTC-PERPETUAL",
        f"{address}?{span}&instrument_name=ETH_USDC-PERPETUAL",
    ]


def test_what_was_missed_does_not_keep_the_stream_from_telling_its_trades() -> None:
    exchange = loaded()
    url, body, _ = frames.REST["trades that were missed, one of them forced"]

    exchange.decode_rest(url, 200, body, frames.RECEIVED)
    events = exchange.decode(trade(502, liquidation="T", direction="buy"), frames.RECEIVED)

    assert [type(event) for event in events] == [Trade]
    assert exchange.counts == {"history": 2, "duplicate": 1}


def test_what_is_missed_only_seconds_ago_is_left_to_the_stream() -> None:
    exchange = loaded()
    url, body, _ = frames.REST["trades that were missed, one of them forced"]
    young = body.replace("1699999990000", str(frames.TIME))

    assert not exchange.decode_rest(url, 200, young, frames.RECEIVED)
    events = exchange.decode(trade(502, liquidation="T", direction="buy"), frames.RECEIVED)
    assert [type(event) for event in events] == [Trade, Liquidation]
    assert exchange.counts == {"left_to_stream": 2}


def test_an_answer_that_has_more_is_counted() -> None:
    exchange = loaded()
    url, body, _ = frames.REST["trades that were missed, one of them forced"]
    exchange.decode_rest(url, 200, body.replace('"has_more":false', '"has_more":true'), 1)

    assert exchange.counts["backfill_cut_off"] == 1


def test_a_perpetual_that_is_neither_linear_nor_inverse_is_not_guessed() -> None:
    exchange = Deribit()
    exchange.decode_rest(
        frames.LIST_URL, 200, frames.LIST.replace('"instrument_type":"reversed",', "", 1), 1
    )

    assert "BTC-PERPETUAL" not in exchange.instruments
    assert exchange.counts == {"malformed_row": 1}


def test_without_a_list_nothing_is_guessed() -> None:
    exchange = Deribit()
    for name in ("trades of an inverse and of a linear perpetual", "trade of a dated future"):
        assert not exchange.decode(frames.FRAMES[name][0], frames.RECEIVED)

    assert exchange.counts == {"unknown_instrument": 2, "not_this_market": 1}


def test_funding_is_told_when_it_changes() -> None:
    exchange = loaded()
    frame, _ = frames.FRAMES["ticker of an inverse perpetual"]
    told_rates = [
        [event.rate for event in exchange.decode(text, 1) if isinstance(event, Funding)]
        for text in (frame, frame, frame.replace("0.0000211", "0.00003"))
    ]

    assert told_rates == [[0.0000211], [], [0.00003]]


def test_an_acknowledgement_names_what_was_accepted_and_only_that() -> None:
    (endpoint,) = loaded().endpoints(None)
    accepted = list(reversed(endpoint.topics[:2]))
    frame = msgspec.json.encode({"jsonrpc": "2.0", "id": 2, "result": accepted})

    (answer,) = loaded().decode(frame, 1)

    assert isinstance(answer, Acknowledged)
    assert set(answer.topics) == set(endpoint.topics) - {"ticker.ETH_USDC-PERPETUAL.agg2"}


def test_an_error_body_is_refused() -> None:
    body = '{"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid params"},"testnet":false}'

    with pytest.raises(MalformedFrame) as refused:
        Deribit().decode_rest(frames.LIST_URL, 200, body, 1)

    assert refused.value.kind == "api_error"
