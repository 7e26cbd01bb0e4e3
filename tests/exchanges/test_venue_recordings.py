"""Real frames: recordings decode without a surprise, and mean what was worked out by hand."""

import base64
import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import frames_deribit
import frames_htx
import frames_lighter
import msgspec
import pytest
import zstandard

from liqwatch.events import Liquidation, OpenInterest, Trade
from liqwatch.exchanges import EXCHANGES
from liqwatch.exchanges.base import Acknowledged, Alive, Exchange, MalformedFrame, Reply
from liqwatch.exchanges.binance import BinanceUsdm

RECORDINGS = Path(__file__).resolve().parents[2].parent / "shared" / "recordings"
pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="recordings of real exchanges are not beside this checkout"
)


def tape(name: str) -> Iterator[dict[str, Any]]:
    with (RECORDINGS / name).open("rb") as packed:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(packed)):
            yield json.loads(line)


def samples(name: str) -> dict[int, str]:
    """Messages of a sample file by number, as frames."""
    rows = map(json.loads, (RECORDINGS / name).read_text().splitlines())
    return {row["n"]: json.dumps(row.get("frame", row.get("message"))) for row in rows}


def frames_of(name: str, number: int) -> list[str]:
    """One message of a sample file, as the frames that bring it."""
    if name.endswith("hyperliquid-user-fill-liquidation.json"):
        return [(RECORDINGS / name).read_text()]
    if name.endswith("hyperliquid-node-fills.jsonl.zst"):
        return node_frames(list(tape(name))[number - 1])
    return [samples(name)[number]]


def node_frames(block: dict[str, Any]) -> list[str]:
    """What a node of Hyperliquid writes of a block, as its users would be told."""
    return [
        json.dumps({"channel": "userFills", "data": {"user": user, "fills": [fill]}})
        for user, fill in block["events"]
    ]


def replay(exchange: Exchange, name: str) -> list[object]:
    """Everything that a tape gives; a frame that is refused fails the test."""
    events: list[object] = []
    for record in tape(name):
        if "get" in record:
            events += exchange.decode_rest(
                record["get"], record["status"], record["text"], record["at"]
            )
        elif "text" in record:
            events += exchange.decode(record["text"], record["at"])
        elif "b64" in record:
            events += exchange.decode(base64.b64decode(record["b64"]), record["at"])
    return events


# Captures that begin with the contract sizes of a venue, and what the list's address holds.
CONTRACT_SIZES = {
    "binance-coinm": ("captures/binance-coinm-2021.jsonl.zst", "exchangeInfo"),
    "okx-swap": ("captures/okx-swap-2022.jsonl.zst", "SWAP"),
}


def with_contract_sizes(venue: str) -> Exchange:
    exchange = EXCHANGES[venue]()
    if venue in CONTRACT_SIZES:
        name, part = CONTRACT_SIZES[venue]
        record = next(each for each in tape(name) if part in each.get("get", ""))
        exchange.decode_rest(record["get"], record["status"], record["text"], record["at"])
    if venue == "deribit":  # whose captured list does not say yet which perpetuals are inverse
        exchange.decode_rest(frames_deribit.LIST_URL, 200, frames_deribit.LIST, 1)
    if venue == "lighter":  # whose markets are numbers; the list says that 1 is BTC
        exchange.decode_rest(frames_lighter.LIST_URL, 200, frames_lighter.LIST, 1)
    return exchange


def expected_messages() -> list[Any]:
    if not RECORDINGS.is_dir():
        return []
    oracle = json.loads((RECORDINGS / "expected" / "liquidations.json").read_text())
    return [
        pytest.param(message, id=f"{message['file']} {message['n']}")
        for message in oracle["messages"]
        if message["venue"] in EXCHANGES and "events" in message
    ]


@pytest.mark.parametrize("message", expected_messages())
def test_a_sample_gives_the_event_worked_out_by_hand(message: dict[str, Any]) -> None:
    venue = message["venue"]
    exchange = with_contract_sizes(venue)
    received = max((event["time"] for event in message["events"]), default=1) * 1_000_000

    events = [
        msgspec.to_builtins(event)
        for frame in frames_of(message["file"], message["n"])
        for event in exchange.decode(
            frames_htx.WIRE(frame) if venue == frames_htx.VENUE else frame, received
        )
        if isinstance(event, Liquidation)
    ]
    # A row that only starts a liquidation has no price; what is executed is told by others.
    wanted = [event for event in message["events"] if event["price"] is not None]

    assert len(events) == len(wanted)
    for event, expected in zip(events, wanted, strict=True):
        for key in expected.keys() - {"why", "base_tolerance", "role"}:
            want = expected[key]
            number = isinstance(want, int | float) and key != "time"
            tolerance = expected.get("base_tolerance", 1e-6) if key == "size" else 1e-6
            assert event[key] == (pytest.approx(want, rel=tolerance) if number else want), key


def test_what_was_no_market_trade_is_counted_and_no_event() -> None:
    oracle = json.loads((RECORDINGS / "expected" / "liquidations.json").read_text())
    exchange = BinanceUsdm()
    for row in oracle["not_market_trades"]:
        assert not exchange.decode(samples(row["file"])[row["n"]], 1)

    assert exchange.counts == {"not_a_trade:insurance_fund": 1, "not_a_trade:adl": 1}


def test_the_quiet_days_decode_whole() -> None:
    exchange = BinanceUsdm()
    events = replay(exchange, "quiet-2025-12-27.jsonl.zst")
    forced = [event for event in events if isinstance(event, Liquidation)]

    assert len(forced) == 2045
    assert sum(isinstance(event, Trade) for event in events) == 4442
    assert sum(event.notional_usd for event in forced) == pytest.approx(2.05e6, rel=0.01)
    assert "币安人生" in {event.symbol for event in forced}
    assert not exchange.counts.keys() - {"not_this_market"}


@pytest.mark.parametrize(
    ("name", "trades"),
    [("binance-usdm-2021", 91), ("binance-usdm-2024-btcusdt-60s", 2501)],
)
def test_a_capture_of_binance_decodes_whole(name: str, trades: int) -> None:
    exchange = BinanceUsdm()
    events = replay(exchange, f"captures/{name}.jsonl.zst")
    not_trades = sum(n for kind, n in exchange.counts.items() if kind.startswith("not_a_trade"))

    assert sum(isinstance(event, Trade) for event in events) + not_trades == trades


def test_the_captures_of_coin_margined_binance_give_perpetuals_only() -> None:
    exchange = EXCHANGES["binance-coinm"]()
    events = replay(exchange, "captures/binance-coinm-2021.jsonl.zst")
    events += replay(exchange, "captures/binance-coinm-2024-btcusd-30s.jsonl.zst")
    trades = [event for event in events if isinstance(event, Trade)]

    assert len(exchange.instruments) == 18  # of 36 listed, 18 are dated
    assert len(trades) + exchange.counts["not_this_market"] == 51 + 101
    assert {trade.instrument[-5:] for trade in trades} == {"_PERP"}
    # 4 contracts of 100 dollars at 61,804.8
    assert trades[-101].size == pytest.approx(400 / 61_804.8)
    assert exchange.counts["unknown_instrument"] == 0


def test_the_capture_of_bybit_decodes_whole_with_open_interest_counted_once() -> None:
    exchange = EXCHANGES["bybit-linear"]()
    events = replay(exchange, "captures/bybit-linear-2026.jsonl.zst")
    doubled = [
        float(json.loads(record["text"])["data"]["openInterest"])
        for record in tape("captures/bybit-linear-2026.jsonl.zst")
        if '"tickers.' in record.get("text", "") and '"openInterest"' in record["text"]
    ]
    sizes = [event.size for event in events if isinstance(event, OpenInterest)]

    assert sum(isinstance(event, Trade) for event in events) == 327
    assert len(exchange.instruments) == 760  # of 800 listed, 40 are dated
    assert sizes == pytest.approx([each / 2 for each in doubled])


def test_the_capture_of_deribit_decodes_whole_and_holds_no_perpetual() -> None:
    exchange = with_contract_sizes("deribit")
    (acknowledged,) = replay(exchange, "captures/deribit-2021.jsonl.zst")

    assert isinstance(acknowledged, Acknowledged)
    assert len(acknowledged.topics) == 30
    assert exchange.counts["not_this_market"] == 89
    assert exchange.counts["ignored:book"] == 46


def test_the_capture_of_okx_gives_swaps_only() -> None:
    exchange = EXCHANGES["okx-swap"]()
    events = replay(exchange, "captures/okx-swap-2022.jsonl.zst")
    trades = [event for event in events if isinstance(event, Trade)]

    assert trades
    assert {trade.instrument for trade in trades} == {"UNI-USD-SWAP"}
    assert exchange.counts["not_this_market"] > 0
    assert exchange.counts["unknown_instrument"] == 0


def test_the_capture_of_gate_gives_its_contracts() -> None:
    exchange = EXCHANGES["gate-usdt"]()
    replay(exchange, "captures/gate-usdt-2023.jsonl.zst")

    assert len(exchange.instruments) == 302
    assert exchange.instruments["BTC_USDT"].contract_size == 0.0001
    assert all(kind.startswith("ignored:futures.") for kind in exchange.counts)


def test_the_capture_of_bitget_in_its_first_version_is_only_ignored() -> None:
    exchange = EXCHANGES["bitget-usdt"]()
    events = replay(exchange, "captures/bitget-usdt-2022.jsonl.zst")

    assert not [event for event in events if not isinstance(event, Acknowledged)]
    assert all(kind.startswith("ignored:") for kind in exchange.counts)


def test_both_parties_of_every_fill_of_a_node_give_each_liquidation_once() -> None:
    exchange = EXCHANGES["hyperliquid"]()
    fills, events = 0, list[object]()
    for block in tape("samples/hyperliquid-node-fills.jsonl.zst"):
        for frame in node_frames(block):
            events += exchange.decode(frame, 1_761_584_400 * 1_000_000_000)
            fills += 1

    assert len(events) == 1
    assert exchange.counts == {"ordinary_fill": fills - 2, "duplicate": 1}


def test_the_capture_of_bitfinex_holds_no_derivatives() -> None:
    exchange = EXCHANGES["bitfinex"]()
    events = replay(exchange, "captures/bitfinex-2021.jsonl.zst")

    assert {type(event) for event in events} == {Acknowledged, Alive}
    assert sum(isinstance(event, Acknowledged) for event in events) == 21
    assert exchange.counts["history"] == 209  # spot trades before the subscriptions
    assert exchange.counts["not_this_market"] == 1  # the only one of the 31 s


def test_the_capture_of_htx_decodes_whole_and_old_first_trades_are_history() -> None:
    exchange = EXCHANGES["htx-linear"]()
    events = replay(exchange, "captures/htx-linear-2022.jsonl.zst")

    assert len(exchange.instruments) == 121
    assert sum(isinstance(event, Trade) for event in events) == 13
    assert sum(isinstance(event, Reply) for event in events) == 6
    assert exchange.counts == {"history": 4, "ignored:depth.step0": 1588}


def test_the_capture_of_kraken_decodes_whole_without_a_gap_after_the_snapshots() -> None:
    exchange = EXCHANGES["kraken-futures"]()
    events = replay(exchange, "captures/kraken-futures-2021.jsonl.zst")
    trades = [event for event in events if isinstance(event, Trade)]

    assert {trade.instrument for trade in trades} == {"PI_LTCUSD", "PI_ETHUSD"}
    assert sum(isinstance(event, Acknowledged) for event in events) == 30
    assert exchange.counts["history"] == 300  # three perpetuals of ten products
    assert exchange.counts["gap"] == 0


@pytest.mark.parametrize("venue", EXCHANGES)
@pytest.mark.parametrize("name", ["mapper-messages", "liquidation-messages", "frames-2026-10"])
def test_messages_of_all_venues_are_refused_or_decoded(venue: str, name: str) -> None:
    exchange = EXCHANGES[venue]()
    for frame in samples(f"samples/{name}.jsonl").values():
        with contextlib.suppress(MalformedFrame):
            exchange.decode(frame, 1)
