"""Real frames: recordings decode without a surprise, and mean what was worked out by hand."""

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from liqwatch.events import Liquidation, OpenInterest, Trade
from liqwatch.exchanges import EXCHANGES
from liqwatch.exchanges.base import Exchange, MalformedFrame
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
    return events


def okx_with_instruments() -> Exchange:
    exchange = EXCHANGES["okx-swap"]()
    for record in tape("captures/okx-swap-2022.jsonl.zst"):
        if "get" in record and "SWAP" in record["get"]:
            exchange.decode_rest(record["get"], record["status"], record["text"], record["at"])
            break
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
    exchange = okx_with_instruments() if venue == "okx-swap" else EXCHANGES[venue]()
    frame = samples(message["file"])[message["n"]]
    received = max((event["time"] for event in message["events"]), default=1) * 1_000_000

    events = [msgspec.to_builtins(event) for event in exchange.decode(frame, received)]

    assert len(events) == len(message["events"])
    for event, expected in zip(events, message["events"], strict=True):
        for key in expected.keys() - {"why"}:
            want = expected[key]
            number = isinstance(want, int | float) and key != "time"
            assert event[key] == (pytest.approx(want, rel=1e-6) if number else want), key


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


def test_the_capture_of_okx_gives_swaps_only() -> None:
    exchange = EXCHANGES["okx-swap"]()
    events = replay(exchange, "captures/okx-swap-2022.jsonl.zst")
    trades = [event for event in events if isinstance(event, Trade)]

    assert trades
    assert {trade.instrument for trade in trades} == {"UNI-USD-SWAP"}
    assert exchange.counts["not_this_market"] > 0
    assert exchange.counts["unknown_instrument"] == 0


@pytest.mark.parametrize("venue", EXCHANGES)
@pytest.mark.parametrize("name", ["mapper-messages", "liquidation-messages", "frames-2026-10"])
def test_messages_of_all_venues_are_refused_or_decoded(venue: str, name: str) -> None:
    exchange = EXCHANGES[venue]()
    for frame in samples(f"samples/{name}.jsonl").values():
        with contextlib.suppress(MalformedFrame):
            exchange.decode(frame, 1)
