"""COIN-M's own rules: contracts in dollars, names with an underscore, an unverified path."""

import frames_binance_coinm as frames
import msgspec
import pytest

from liqwatch.events import Liquidation, OpenInterest, Trade
from liqwatch.exchanges.base import MalformedFrame
from liqwatch.exchanges.binance_coinm import BinanceCoinm


def loaded(listing: str = frames.LIST) -> BinanceCoinm:
    exchange = BinanceCoinm()
    exchange.decode_rest(frames.LIST_URL, 200, listing, frames.RECEIVED)
    return exchange


def test_it_asks_the_documented_path_first_and_the_routed_one_when_that_is_silent() -> None:
    (endpoint,) = loaded().endpoints(None)

    assert endpoint.url == "wss://dstream.binance.com/stream"
    assert endpoint.routes == ("wss://dstream.binance.com/market/stream",)
    assert endpoint.silent_after_s == 30
    # Trades and marks beside the quiet liquidations tell whether the path delivers.
    assert endpoint.topics == (
        "!forceOrder@arr",
        "btcusd_perp@aggTrade",
        "btcusd_perp@markPrice@1s",
        "ethusd_perp@aggTrade",
        "ethusd_perp@markPrice@1s",
    )
    assert endpoint.rotate_after_s is not None
    assert endpoint.rotate_after_s < 24 * 3600


def test_a_connection_has_200_streams_at_most() -> None:
    endpoints = BinanceCoinm().endpoints({f"C{number}" for number in range(150)})
    topics = [topic for endpoint in endpoints for topic in endpoint.topics]

    assert len(set(topics)) == len(topics) == 301
    assert max(len(endpoint.topics) for endpoint in endpoints) <= 200
    assert len(endpoints) == 2


def test_polls_stay_within_a_quarter_of_the_weight_shared_with_the_other_market() -> None:
    instruments, *polls = BinanceCoinm().polls({f"C{number}" for number in range(600)})

    assert instruments.url == frames.LIST_URL
    assert polls[0].url.startswith(
        "https://dapi.binance.com/dapi/v1/openInterest?symbol=C0USD_PERP"
    )
    assert sum(60 / poll.interval_s for poll in [instruments, *polls]) <= 2400 / 4


def test_open_interest_in_contracts_becomes_coins_by_the_mark_price() -> None:
    exchange = loaded()
    url, body, _ = frames.REST["open interest before any price"]

    assert not exchange.decode_rest(url, 200, body, 1)
    assert exchange.counts["no_price_yet"] == 1
    exchange.decode(frames.FRAMES["mark price"][0], frames.RECEIVED)
    (event,) = exchange.decode_rest(url, 200, body, 1)

    assert isinstance(event, OpenInterest)
    assert event.size == pytest.approx(15_279 * 100 / 60_001)
    assert event.notional_usd == 15_279 * 100


def test_the_documented_forced_order_is_worth_its_contracts() -> None:
    (event,) = loaded().decode(
        '{"e":"forceOrder","E":1594622954023,"o":{"s":"BTCUSD_200925","ps":"BTCUSD","S":"SELL",'
        '"o":"LIMIT","f":"IOC","q":"3","p":"9314.5","ap":"9352.7","X":"FILLED","l":"3","z":"3",'
        '"T":1594622954021}}',
        1,
    )

    assert isinstance(event, Liquidation)
    assert event.notional_usd == 300
    assert event.size == pytest.approx(0.0320763, rel=1e-5)
    assert event.symbol == "BTC"


def test_without_contract_sizes_nothing_is_guessed() -> None:
    exchange = BinanceCoinm()
    for name, (frame, _) in frames.FRAMES.items():
        if "subscriptions" not in name and "request" not in name:
            assert not exchange.decode(frame, frames.RECEIVED)

    assert exchange.counts["unknown_instrument"] == 7
    assert exchange.counts["not_this_market"] == 4


def test_a_listing_without_contract_size_is_left_out() -> None:
    exchange = loaded(frames.LIST.replace('"contractSize":10,', "", 1))

    assert exchange.instruments.keys() == {"BTCUSD_PERP", "OLDUSD_PERP"}
    assert exchange.counts == {"malformed_row": 1}


def test_a_contract_size_that_changes_counts_from_then_on() -> None:
    exchange = loaded()
    frame = frames.FRAMES["aggregate trade of 30 contracts, buyer was the maker"][0]
    exchange.decode(frame, 1)

    changed = frames.LIST.replace('"contractSize":100', '"contractSize":10')
    exchange.decode_rest(frames.LIST_URL, 200, changed, 1)
    (event,) = exchange.decode(frame.replace('"a":424242', '"a":424243'), 1)

    assert isinstance(event, Trade)
    assert event.size == 30 * 10 / 60_000


def test_what_is_not_of_this_market_is_counted_apart() -> None:
    exchange = loaded()
    for frame in (
        frames.FRAMES["forced order of the other market"][0],
        '{"data":{"e":"aggTrade","a":1,"s":"BTCUSD_PERP","p":"1","q":"1","T":1,"m":true,"st":1}}',
        '{"data":{"e":"aggTrade","a":1,"s":"BTCUSDT","p":"1","q":"1","T":1,"m":true}}',
        frames.FRAMES["trade of a contract whose size is not known"][0],
    ):
        assert not exchange.decode(frame, 1)

    assert exchange.counts == {"not_this_market": 3, "unknown_instrument": 1}


def test_missed_aggregates_are_counted() -> None:
    exchange = loaded()
    frame = frames.FRAMES["aggregate trade of 30 contracts, buyer was the maker"][0]
    for number in (424242, 424243, 424250):
        exchange.decode(frame.replace("424242", str(number)), 1)

    assert exchange.counts == {"gap": 6}


@pytest.mark.parametrize("bad", ["0", "-100", '"NaN"', "1e400", "null"])
def test_a_contract_size_that_is_no_number_is_refused(bad: str) -> None:
    body = msgspec.json.encode({"symbols": [msgspec.json.decode(frames.LIST)["symbols"][0]]})
    with pytest.raises(MalformedFrame):
        loaded(body.decode().replace('"contractSize":100', f'"contractSize":{bad}'))
