"""What the spot venues share and where they differ: sides, repetitions, coins, silence."""

from types import ModuleType

import frames_binance_spot
import frames_coinbase_spot
import frames_okx_spot
import msgspec
import pytest

from liqwatch.events import Side, Trade
from liqwatch.exchanges import EXCHANGES
from liqwatch.exchanges.base import Exchange, MalformedFrame

BINANCE, COINBASE, OKX = frames_binance_spot, frames_coinbase_spot, frames_okx_spot
ALL = (BINANCE, COINBASE, OKX)
BTC = {BINANCE: "BTCUSDT", COINBASE: "BTC-USD", OKX: "BTC-USDT"}

each_venue = pytest.mark.parametrize("venue", ALL, ids=[one.VENUE for one in ALL])


def loaded(venue: ModuleType) -> Exchange:
    exchange = EXCHANGES[venue.VENUE]()
    exchange.decode_rest(venue.LIST_URL, 200, venue.LIST, venue.RECEIVED)
    exchange.counts.clear()
    return exchange


def heard(exchange: Exchange, frame: str) -> list[tuple[Side, str | None]]:
    events = exchange.decode(frame, BINANCE.RECEIVED)
    return [(event.side, event.id) for event in events if isinstance(event, Trade)]


@each_venue
def test_who_takes_at_the_ask_buys_whatever_the_venue_calls_the_side(venue: ModuleType) -> None:
    assert heard(loaded(venue), venue.at_the_ask(7)) == [(Side.BUY, "7")]


@each_venue
def test_what_two_connections_tell_counts_once_and_what_neither_did_is_a_gap(
    venue: ModuleType,
) -> None:
    exchange = loaded(venue)
    told = [heard(exchange, venue.at_the_ask(number)) for number in (7, 8, 7, 8, 12)]

    assert [len(one) for one in told] == [1, 1, 0, 0, 1]
    assert exchange.counts == {"duplicate": 2, "gap": 3}


def test_what_okx_merges_is_no_gap_and_what_it_merges_again_is_no_news() -> None:
    exchange = loaded(OKX)
    for number, count in ((10, 1), (14, 4), (14, 4)):
        heard(exchange, OKX.rows("BTC-USDT", OKX.row("BTC-USDT", number, "buy", "1", "1", count)))

    assert exchange.counts == {"duplicate": 1}


def test_the_snapshot_of_coinbase_is_no_flow_and_hides_no_trade_that_follows() -> None:
    exchange = loaded(COINBASE)
    trades = [COINBASE.made("BTC-USD", number, "BUY", "60000", "1") for number in (9, 8, 7)]

    assert heard(exchange, COINBASE.told("snapshot", *trades)) == []
    assert exchange.counts == {"history": 3}
    # The old connection is still about to deliver what the snapshot of the new one has.
    assert heard(exchange, COINBASE.told("update", trades[0])) == [(Side.SELL, "9")]


def test_an_event_that_is_neither_snapshot_nor_update_is_refused() -> None:
    with pytest.raises(MalformedFrame) as refused:
        loaded(COINBASE).decode(COINBASE.told("auction"), COINBASE.RECEIVED)

    assert refused.value.kind == "bad_field"


@pytest.mark.parametrize(
    ("venue", "good", "bad"),
    [
        (OKX, OKX.row("BTC-USDT", 7, "buy", "1", "1"), OKX.row("BTC-USDT", 8, "none", "1", "1")),
        (OKX, OKX.row("BTC-USDT", 7, "buy", "1", "1"), OKX.row("BTC-USDT", 8, "buy", "NaN", "1")),
        (COINBASE, COINBASE.made("BTC-USD", 7, "SELL", "1", "1"), '{"trade_id":"8"}'),
        (
            COINBASE,
            COINBASE.made("BTC-USD", 7, "SELL", "1", "1"),
            COINBASE.made("BTC-USD", 8, "SELL", "1", "0"),
        ),
    ],
)
def test_a_bad_row_is_counted_and_does_not_lose_the_others(
    venue: ModuleType, good: str, bad: str
) -> None:
    def frame(*trades: str) -> str:
        if venue is OKX:
            return OKX.rows("BTC-USDT", *trades)
        return COINBASE.told("update", *trades)

    exchange = loaded(venue)

    assert heard(exchange, frame(bad, good)) == [(Side.BUY, "7")]
    assert exchange.counts == {"malformed_row": 1}
    with pytest.raises(MalformedFrame):
        exchange.decode(frame(bad), venue.RECEIVED)


def test_a_bad_trade_of_binance_is_refused() -> None:
    frame = BINANCE.combined("BTCUSDT", 7, buyer_is_maker='"yes"', price="1", size="1")
    with pytest.raises(MalformedFrame) as refused:
        loaded(BINANCE).decode(frame, BINANCE.RECEIVED)

    assert refused.value.kind == "bad_field"


@each_venue
def test_pairs_are_known_and_nobody_is_told_of_contracts(venue: ModuleType) -> None:
    exchange = EXCHANGES[venue.VENUE]()

    assert exchange.decode_rest(venue.LIST_URL, 200, venue.LIST, venue.RECEIVED) == ()
    assert BTC[venue] in exchange.instruments
    assert exchange.polls({"BTC"}) == exchange.bootstrap()


@each_venue
def test_a_coin_without_an_open_pair_with_dollars_is_left_out(venue: ModuleType) -> None:
    exchange = loaded(venue)
    (endpoint,) = exchange.endpoints({"BTC", "OLD", "NEW", "NOSUCHCOIN"})

    assert [topic for topic in endpoint.topics if topic != "heartbeats"] == {
        BINANCE: ["btcusdt@aggTrade"],
        COINBASE: ["market_trades:BTC-USD"],
        OKX: ["trades:BTC-USDT"],
    }[venue]
    assert not exchange.endpoints({"OLD", "NOSUCHCOIN"})


def test_only_where_bitcoin_is_heard_silence_says_something() -> None:
    binance, coinbase = loaded(BINANCE), loaded(COINBASE)

    assert [one.silent_after_s for one in binance.endpoints({"BTC", "SATS"})] == [60.0]
    assert [one.silent_after_s for one in binance.endpoints({"SATS"})] == [None]
    assert [one.silent_after_s for one in coinbase.endpoints({"ETH"})] == [None]


def test_coinbase_wants_a_request_for_each_channel_and_heartbeats_keep_it_open() -> None:
    (endpoint,) = loaded(COINBASE).endpoints({"BTC", "ETH"})

    assert endpoint.url == "wss://advanced-trade-ws.coinbase.com"
    assert [msgspec.json.decode(request) for request in endpoint.requests] == [
        {"type": "subscribe", "channel": "heartbeats"},
        {"type": "subscribe", "channel": "market_trades", "product_ids": ["BTC-USD", "ETH-USD"]},
    ]


def test_binance_is_asked_at_its_host_for_public_data_and_if_that_is_silent_at_the_other() -> None:
    (endpoint,) = loaded(BINANCE).endpoints({"BTC"})

    assert endpoint.url == "wss://data-stream.binance.vision/stream"
    assert endpoint.routes == ("wss://stream.binance.com:9443/stream",)
    assert [msgspec.json.decode(request) for request in endpoint.requests] == [
        {"method": "SUBSCRIBE", "params": ["btcusdt@aggTrade"], "id": 1}
    ]


def test_okx_is_asked_as_for_its_swaps() -> None:
    (endpoint,) = loaded(OKX).endpoints({"BTC"})

    assert endpoint.url == "wss://ws.okx.com:8443/ws/v5/public"
    assert endpoint.heartbeat is not None
    assert [msgspec.json.decode(request) for request in endpoint.requests] == [
        {"op": "subscribe", "args": [{"channel": "trades", "instId": "BTC-USDT"}]}
    ]
