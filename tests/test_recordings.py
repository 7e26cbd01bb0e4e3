"""Real tapes, of venues we know and of others: all replay, and a quiet day stays quiet."""

import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from liqwatch.config import Config
from liqwatch.engine.settings import SymbolSettings
from liqwatch.exchanges import EXCHANGES
from liqwatch.replay import replay

RECORDINGS = Path(__file__).resolve().parents[1].parent / "shared" / "recordings"
QUIET = RECORDINGS / "quiet-2025-12-27.jsonl.zst"
TAPES = [QUIET, *sorted(RECORDINGS.glob("captures/*"))]
# No list of contracts, spot and tests only, a protocol switched off since, no perpetual.
WITHOUT_EVENTS = ("binance-coinm-2024", "bitfinex-2021", "bitget-usdt-2022", "deribit-2021")
pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="recordings of real exchanges are not beside this checkout"
)


def outcome(tape: Path, folder: Path, config: Config | None = None) -> tuple[bytes, bytes]:
    """The alert file and the event file."""
    alerts, events = folder / "alerts.jsonl", folder / "events.jsonl"
    replay([tape], config=config, alerts=alerts, events=events, state=None, speed=None)
    return alerts.read_bytes(), events.read_bytes()


@pytest.mark.parametrize("tape", TAPES, ids=lambda tape: tape.name.partition(".")[0])
def test_every_recording_replays_and_does_so_again(tape: Path, tmp_path: Path) -> None:
    with capture_logs() as logs:
        first = outcome(tape, tmp_path)

    known = tape == QUIET or any(tape.name.startswith(venue) for venue in EXCHANGES)
    told = known and not any(tape.name.startswith(name) for name in WITHOUT_EVENTS)
    assert bool(first[1]) is told, "events come from the venues we know, and only from them"
    kinds = {entry.get("kind") for entry in logs} - {"unknown_instrument"}
    assert kinds == (set() if known else {"unknown_venue"})
    assert outcome(tape, tmp_path) == first


@pytest.mark.parametrize(
    "config",
    [None, Config(symbols=dict.fromkeys(("BTC", "ETH", "SOL"), SymbolSettings()))],
    ids=["every coin", "three coins"],
)
def test_two_quiet_days_raise_no_cascade(config: Config | None, tmp_path: Path) -> None:
    expected = json.loads((RECORDINGS / "expected" / "quiet-2025-12-27.json").read_text())
    alerts, events = outcome(QUIET, tmp_path, config)

    kinds = {json.loads(line)["kind"] for line in alerts.splitlines()}
    assert not kinds & set(expected["forbidden"])
    assert events.count(b'"kind":"liquidation"') == 2045, "it was a tape with forced orders"
