"""Gate's own rules: which side a liquidation of the stream is of, contract sizes, sharding."""

import frames_gate as frames
import msgspec
import pytest
from msgspec.structs import replace

from liqwatch.events import Funding, Liquidation, Position, PriceKind, Trade
from liqwatch.exchanges.base import Acknowledged, Control, MalformedFrame
from liqwatch.exchanges.gate import GateUsdt

NOW_S = frames.TIME // 1000
LATER = frames.RECEIVED + 60_000_000_000  # when the stream has told all that it will
ORDERS_URL = f"{frames.REST_URL}/liq_orders?limit=1000"


def loaded(state: bytes | None = None) -> GateUsdt:
    exchange = GateUsdt()
    exchange.decode_rest(frames.LIST_URL, 200, frames.LIST, frames.RECEIVED)
    if state is not None:
        exchange.restore(state)
    exchange.counts.clear()
    return exchange


def streamed(exchange: GateUsdt, size: float, time: int | None = None) -> list[object]:
    """What a row of the stream gives; liquidations differ by their size."""
    at = time or frames.TIME
    row = f'{{"price":"59400","size":"{size}","time":{at},"contract":"BTC_USDT"}}'
    frame = frames.update("futures.public_liquidates", row)
    return list(exchange.decode(frame, frames.RECEIVED))


def asked(exchange: GateUsdt, *sizes: float, time_s: int = NOW_S) -> list[object]:
    """What rows of liq_orders give; the size is that of the position."""
    rows = [
        f'{{"contract":"BTC_USDT","size":{size},"order_price":"59400","fill_price":"59550",'
        f'"left":0,"time":{time_s}}}'
        for size in sizes
    ]
    body = f"[{','.join(rows)}]"
    return list(exchange.decode_rest(ORDERS_URL, 200, body, LATER))


def calibrated(*, sign_is_position: bool) -> GateUsdt:
    exchange = loaded()
    sizes = [-1, 2, -3, 4, -5]
    for size in sizes:
        streamed(exchange, size)
    asked(exchange, *(size if sign_is_position else -size for size in sizes))
    exchange.counts.clear()
    return exchange


def test_before_the_sign_is_decided_only_rest_tells_liquidations_and_as_history() -> None:
    exchange = loaded()

    assert streamed(exchange, -124) == []
    assert exchange.counts == {"uncertain_side": 1}
    told = frames.liquidation(
        Position.LONG, 124.0, 59550.0, price_kind=PriceKind.FILL, history=True
    )
    assert asked(exchange, 124) == [replace(told, received=LATER)]
    assert exchange.open_questions() == (
        "side of liquidations: 1 of 5 matches between stream and REST",
    )


@pytest.mark.parametrize("sign_is_position", [True, False])
def test_five_matches_decide_whose_side_the_sign_is(sign_is_position: bool) -> None:
    exchange = calibrated(sign_is_position=sign_is_position)
    position = Position.LONG if sign_is_position else Position.SHORT

    assert streamed(exchange, 124) == [
        frames.liquidation(position, 124.0, 59400.0, price_kind=PriceKind.ORDER, history=False)
    ]
    assert exchange.open_questions() == ()


def test_a_live_liquidation_told_again_by_rest_is_a_duplicate() -> None:
    exchange = calibrated(sign_is_position=False)
    streamed(exchange, -124)

    assert asked(exchange, 124, time_s=NOW_S + 2) == []
    assert exchange.counts == {"duplicate": 1}


def test_a_liquidation_that_rest_told_first_is_a_duplicate_in_the_stream() -> None:
    exchange = calibrated(sign_is_position=False)
    asked(exchange, 124)

    assert streamed(exchange, -124) == []
    assert exchange.counts == {"duplicate": 1}


def test_what_rest_tells_at_once_is_left_to_the_stream_which_tells_it_live() -> None:
    exchange = calibrated(sign_is_position=True)
    row = f'[{{"contract":"BTC_USDT","size":9,"order_price":"59400","time":{NOW_S}}}]'

    assert not exchange.decode_rest(ORDERS_URL, 200, row, frames.RECEIVED)
    (live,) = streamed(exchange, 9)
    assert isinstance(live, Liquidation)
    assert not live.history
    assert exchange.counts == {"left_to_stream": 1}


def test_only_rows_of_the_same_size_price_and_time_are_matched() -> None:
    exchange = loaded()
    for size in (-1, -2, -3, -4, -5):
        streamed(exchange, size)
    asked(exchange, 10, 20, 30, 40, 50)
    asked(exchange, 1, 2, 3, 4, 5, time_s=NOW_S + 3)

    assert exchange.open_questions() == (
        "side of liquidations: 0 of 5 matches between stream and REST",
    )


def test_a_size_that_rest_rounds_down_still_matches() -> None:
    exchange = loaded()
    streamed(exchange, -124.5)
    asked(exchange, 124)

    assert "1 of 5" in exchange.open_questions()[0]


def test_matches_that_contradict_reopen_the_question() -> None:
    exchange = calibrated(sign_is_position=True)
    for size in (6, 7, 8):
        streamed(exchange, size)
    asked(exchange, -6, -7, -8)

    assert streamed(exchange, 124) == []
    assert exchange.counts["uncertain_side"] == 1
    assert "disagree" in exchange.open_questions()[0]


def test_rest_is_asked_often_until_the_side_is_decided_and_rarely_after() -> None:
    (before,) = [poll for poll in loaded().polls(None) if poll.url == ORDERS_URL]
    decided = calibrated(sign_is_position=True)
    (after,) = [poll for poll in decided.polls(None) if poll.url == ORDERS_URL]

    assert (before.interval_s, after.interval_s) == (30, 600)


def test_the_calibration_survives_a_restart() -> None:
    halfway = loaded()
    for size in (-1, -2, -3, -4, -5):
        streamed(halfway, size)
    asked(halfway, 1, 2, 3)
    exchange = loaded(halfway.snapshot())

    assert exchange.open_questions() == halfway.open_questions()
    asked(exchange, 4, 5)
    assert exchange.open_questions() == ()


def test_an_order_that_closes_a_part_of_a_position_counts_with_its_own_size() -> None:
    body = (
        '[{"contract":"BTC_USDT","size":1000,"order_size":-300,"order_price":"59400",'
        f'"fill_price":"59550","time":{NOW_S}}}]'
    )
    exchange = loaded()
    streamed(exchange, -300)
    (event,) = exchange.decode_rest(ORDERS_URL, 200, body, LATER)

    assert isinstance(event, Liquidation)
    assert event.position is Position.LONG
    assert event.size == pytest.approx(0.03)
    assert "1 of 5" in exchange.open_questions()[0]


def test_equal_rows_of_one_answer_are_several_liquidations() -> None:
    exchange = loaded()

    assert len(asked(exchange, 7, 7)) == 2
    assert asked(exchange, 7, 7) == []


@pytest.mark.parametrize("time", [NOW_S, frames.TIME])
def test_times_in_seconds_and_in_milliseconds_are_told_apart(time: int) -> None:
    (event,) = streamed(calibrated(sign_is_position=True), 9, time)

    assert isinstance(event, Liquidation)
    assert event.time == frames.TIME


def test_a_liquidation_much_older_than_the_newest_time_of_the_venue_is_history() -> None:
    exchange = calibrated(sign_is_position=True)
    exchange.decode(frames.FRAMES["ticker"][0], frames.RECEIVED)
    (old,) = streamed(exchange, 9, frames.TIME - 10_001)
    (fresh,) = streamed(exchange, 9, frames.TIME - 10_000)

    assert isinstance(old, Liquidation)
    assert isinstance(fresh, Liquidation)
    assert (old.history, fresh.history) == (True, False)


def test_a_liquidation_without_a_size_has_no_side() -> None:
    exchange = loaded()

    assert streamed(exchange, 0) == []
    assert asked(exchange, 0) == []
    assert exchange.counts == {"no_size": 2}


def test_a_gap_is_filled_in_windows_of_the_whole_market() -> None:
    polls = loaded().backfill({"BTC"}, frames.TIME - 1_500_000, frames.TIME)

    assert [poll.url.partition("&")[2] for poll in polls] == [
        f"from={NOW_S - 1500}&to={NOW_S - 900}",
        f"from={NOW_S - 900}&to={NOW_S - 300}",
        f"from={NOW_S - 300}&to={NOW_S}",
    ]
    assert not loaded().backfill(None, frames.TIME, frames.TIME)


def listing_of(count: int) -> str:
    rows = (
        f'{{"name":"C{number}_USDT","quanto_multiplier":"1","order_price_round":"0.1"}}'
        for number in range(count)
    )
    return f"[{','.join(rows)}]"


def test_liquidations_are_heard_once_beside_the_trades_of_the_first_connection() -> None:
    exchange = GateUsdt()
    exchange.decode_rest(frames.LIST_URL, 200, listing_of(450), frames.RECEIVED)
    endpoints = exchange.endpoints(None)

    assert [len(endpoint.topics) for endpoint in endpoints] == [401, 400, 100]
    assert [endpoint.topics.count("futures.public_liquidates:!all") for endpoint in endpoints] == [
        1,
        0,
        0,
    ]
    assert len({topic for endpoint in endpoints for topic in endpoint.topics}) == 901
    for endpoint in endpoints:
        assert ("X-Gate-Size-Decimal", "1") in endpoint.headers
        assert endpoint.silent_after_s == 30
        for request in map(msgspec.json.decode, endpoint.requests):
            assert request.keys() == {"time", "channel", "event", "payload"}
            assert len(request["payload"]) <= 50


def test_a_contract_that_is_being_delisted_is_not_listened_to() -> None:
    assert not loaded().endpoints({"OLD"})


def test_margin_tiers_are_asked_for_page_by_page() -> None:
    exchange = GateUsdt()
    exchange.decode_rest(frames.LIST_URL, 200, listing_of(201), frames.RECEIVED)
    pages = [poll.url for poll in exchange.polls(None) if "risk_limit_tiers" in poll.url]

    assert [url.rpartition("=")[2] for url in pages] == ["0", "100", "200"]


def test_a_bad_tier_loses_the_tiers_of_its_contract_and_no_other() -> None:
    url, body, expected = frames.REST["margin tiers of several contracts"]
    exchange = loaded()

    assert list(
        exchange.decode_rest(url, 200, body.replace('"0.005"', '"x"'), frames.RECEIVED)
    ) == [expected[1]]
    assert exchange.counts == {"malformed_row": 1}


def test_a_contract_without_a_size_is_counted_and_never_guessed() -> None:
    exchange = GateUsdt()
    exchange.decode_rest(frames.LIST_URL, 200, frames.LIST, frames.RECEIVED)

    assert exchange.counts == {"no_contract_size": 1}
    assert not exchange.decode(
        frames.FRAMES["trade of a contract without a size"][0], frames.RECEIVED
    )
    assert exchange.counts["unknown_instrument"] == 1


def test_a_takeover_is_counted_and_its_repetition_is_a_duplicate() -> None:
    exchange = loaded()
    frame, _ = frames.FRAMES["position taken over by the insurance fund"]
    for _ in range(2):
        exchange.decode(frame, frames.RECEIVED)

    assert exchange.counts == {"not_a_trade:internal": 1, "duplicate": 1}


def test_a_bad_trade_does_not_lose_the_others() -> None:
    exchange = loaded()
    frame, expected = frames.FRAMES["trades, sizes as text, times with a fraction"]

    assert list(exchange.decode(frame.replace('"60000.1"', '"NaN"'), frames.RECEIVED)) == [
        expected[1]
    ]
    assert exchange.counts == {"malformed_row": 1}


def test_the_next_funding_is_reckoned_from_the_interval_when_the_list_is_old() -> None:
    exchange = loaded()
    frame, _ = frames.FRAMES["ticker"]
    told = []
    for time in (1_699_977_600_000, 1_699_977_600_001, 1_700_000_000_000, 1_700_006_400_001):
        events = exchange.decode(frame.replace('"t":1700000000000', f'"t":{time}'), frames.RECEIVED)
        told += [event.next_time for event in events if isinstance(event, Funding)]

    assert told == [1_699_977_600_000, 1_700_006_400_000, 1_700_035_200_000]


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        (
            (
                '{"time":1700000000,"time_ms":0,"channel":"futures.trades","event":"subscribe",'
                '"result":{"status":"success"}}'
            ),
            Acknowledged(),
        ),
        (
            (
                '{"time":1700000000,"channel":"futures.trades","event":"subscribe","error":null,'
                '"payload":["BTC_USDT","ETH_USDT"],"result":{"status":"success"}}'
            ),
            Acknowledged(("futures.trades:BTC_USDT", "futures.trades:ETH_USDT")),
        ),
    ],
)
def test_an_acknowledgement_names_what_it_echoes(frame: str, answer: Control) -> None:
    exchange = loaded()

    assert list(exchange.decode(frame, 1)) == [answer]
    assert not exchange.counts


def test_trades_out_of_turn_count_once() -> None:
    exchange = loaded()
    frame, _ = frames.FRAMES["trade without milliseconds, priced per million coins"]
    told = [
        len(exchange.decode(frame.replace('"id":7', f'"id":{number}'), frames.RECEIVED))
        for number in (100, 103, 101, 103, 101)
    ]

    assert told == [1, 1, 1, 0, 0]


def test_an_error_over_rest_is_refused() -> None:
    with pytest.raises(MalformedFrame) as refused:
        loaded().decode_rest(ORDERS_URL, 200, '{"label":"INVALID_PARAM_VALUE"}', frames.RECEIVED)

    assert refused.value.kind == "bad_field"


def test_a_trade_of_a_contract_that_is_not_listed_is_counted() -> None:
    exchange = loaded()
    frame, _ = frames.FRAMES["trade without milliseconds, priced per million coins"]
    events = exchange.decode(frame.replace("MBABYDOGE_USDT", "NEW_USDT"), frames.RECEIVED)

    assert not [event for event in events if isinstance(event, Trade)]
    assert exchange.counts == {"unknown_instrument": 1}


def test_a_tier_without_a_margin_is_refused() -> None:
    url, body, expected = frames.REST["margin tiers of several contracts"]
    exchange = loaded()
    answer = body.replace('"0.005"', '"0"')

    assert list(exchange.decode_rest(url, 200, answer, frames.RECEIVED)) == [expected[1]]
    assert exchange.counts == {"malformed_row": 1}
