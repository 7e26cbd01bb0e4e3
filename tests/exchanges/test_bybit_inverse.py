"""What is different of Bybit's inverse perpetuals: USD for sizes, and names that tell nothing."""

import frames_bybit_inverse as frames
import pytest

from liqwatch.events import ContractType, OpenInterest
from liqwatch.exchanges.bybit import BybitInverse


def loaded() -> BybitInverse:
    exchange = BybitInverse()
    exchange.decode_rest(frames.LIST_URL, 200, frames.LIST, frames.RECEIVED)
    return exchange


def ticker(fields: str) -> str:
    return (
        '{"topic":"tickers.BTCUSD","type":"delta","ts":1700000000000,"data":{"symbol":"BTCUSD",'
        f"{fields}}}}}"
    )


def test_it_listens_to_inverse_perpetuals_on_their_own_address() -> None:
    (endpoint,) = loaded().endpoints(None)

    assert endpoint.url == "wss://stream.bybit.com/v5/public/inverse"
    assert endpoint.topics == ("publicTrade.BTCUSD", "tickers.BTCUSD", "allLiquidation.BTCUSD")
    assert endpoint.silent_after_s == 30
    assert [poll.url for poll in loaded().polls(None)] == [
        frames.LIST_URL,
        "https://api.bybit.com/v5/market/risk-limit?category=inverse&symbol=BTCUSD",
    ]


def test_only_what_is_listed_as_a_perpetual_is_one() -> None:
    exchange = loaded()
    for name in (
        "trade of a dated future, whose name does not tell",
        "liquidation of a perpetual that is not listed",
    ):
        assert not exchange.decode(frames.FRAMES[name][0], frames.RECEIVED)

    assert list(exchange.instruments) == ["BTCUSD"]
    assert exchange.instruments["BTCUSD"].contract_type is ContractType.INVERSE
    assert exchange.counts == {"not_this_market": 1, "unknown_instrument": 1}


def test_without_a_list_there_are_no_events() -> None:
    exchange = BybitInverse()
    for frame, _ in frames.FRAMES.values():
        assert not exchange.decode(frame, frames.RECEIVED)

    assert exchange.counts == {"unknown_instrument": 5, "not_this_market": 1}


def test_open_interest_is_turned_into_coins_at_the_mark_price_last_told() -> None:
    exchange = loaded()
    exchange.decode(ticker('"markPrice":"50000"'), 1)

    (event,) = exchange.decode(ticker('"singleOpenInterest":"100000000"'), 1)
    (doubled,) = exchange.decode(ticker('"openInterest":"100000000"'), 1)

    assert isinstance(event, OpenInterest)
    assert (event.size, event.notional_usd) == (2000.0, 1e8)
    assert isinstance(doubled, OpenInterest)
    assert (doubled.size, doubled.notional_usd) == (1000.0, 5e7)


@pytest.mark.parametrize("mark", ["", '"markPrice":"",', '"markPrice":"0",'])
def test_open_interest_without_any_mark_price_is_counted(mark: str) -> None:
    exchange = loaded()

    assert not exchange.decode(ticker(f'{mark}"singleOpenInterest":"100000000"'), 1)
    assert exchange.counts == {"no_mark_price_yet": 1}


def test_the_linear_list_is_not_taken() -> None:
    exchange = BybitInverse()
    url = frames.LIST_URL.replace("inverse", "linear")

    assert not exchange.decode_rest(url, 200, frames.LIST, 1)
    assert not exchange.instruments
