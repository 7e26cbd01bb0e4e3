from itertools import islice, pairwise
from pathlib import Path

import msgspec
import pytest

from liqwatch.records import Close, Record
from liqwatch.simulator.broadcast import Broadcast
from liqwatch.simulator.seeds import generator
from liqwatch.simulator.simulate import START_MS, records, simulate
from liqwatch.simulator.truth import Truth
from liqwatch.sources.tape import TapeReader


@pytest.fixture(scope="module")
def outage(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Record], Truth]:
    folder = tmp_path_factory.mktemp("outage")
    tape, truth = folder / "tape.jsonl.zst", folder / "truth.json"
    simulate(seed=0, scenario="outage", out=tape, truth=truth)
    return list(TapeReader(tape)), msgspec.json.decode(truth.read_bytes(), type=Truth)


def first_records(count: int) -> list[Record]:
    broadcast = Broadcast("demo", seed=5, start_ms=START_MS)
    return list(islice(records(broadcast, generator(5, "client")), count))


def test_the_same_seed_writes_the_same_tape() -> None:
    assert first_records(2_000) == first_records(2_000)


def test_the_tape_is_written_while_the_market_goes_on() -> None:
    broadcast = Broadcast("demo", seed=5, start_ms=START_MS)
    list(islice(records(broadcast, generator(5, "client")), 500))
    assert broadcast.truth().end_ms < START_MS + 60_000


def test_a_tape_is_in_order_of_receipt(outage: tuple[list[Record], Truth]) -> None:
    times = [record.at for record in outage[0]]
    assert times == sorted(times)


def test_contracts_are_known_before_the_first_frame(outage: tuple[list[Record], Truth]) -> None:
    firsts = outage[0][:3]
    assert {record.venue for record in firsts} == {"binance-usdm", "bybit-linear", "okx-swap"}
    assert all(record.get is not None and record.status == 200 for record in firsts)


def test_each_connection_is_opened_asked_and_closed(outage: tuple[list[Record], Truth]) -> None:
    streams = {record.stream for record in outage[0] if record.stream}
    assert len(streams) == 5  # one of them reconnected
    for stream in streams:
        lines = [record for record in outage[0] if record.stream == stream]
        assert lines[0].open is not None
        assert lines[1].sent is not None
        assert lines[-1].close is not None


def test_binance_open_interest_is_polled(outage: tuple[list[Record], Truth]) -> None:
    polls = [r.at for r in outage[0] if r.get and "/fapi/v1/openInterest?symbol=BTCUSDT" in r.get]
    gaps_s = [(after - before) / 1e9 for before, after in pairwise(polls)]
    assert all(9 < gap_s < 11 for gap_s in gaps_s)


def test_the_outage_silences_the_complete_feed_for_twenty_seconds(
    outage: tuple[list[Record], Truth],
) -> None:
    tape, truth = outage
    (lost,) = [r for r in tape if r.close is not None and r.close != Close(1000)]
    assert lost.venue == "bybit-linear"
    onset_ms = next(leg.onset_ms for leg in truth.legs if not leg.minor)
    assert lost.at // 1_000_000 - onset_ms == pytest.approx(4_000, abs=200)
    shown = [r.at for r in tape if r.text and "allLiquidation" in r.text and '"ts"' in r.text]
    after = min(at for at in shown if at > lost.at)
    assert (after - lost.at) / 1e9 == pytest.approx(20, abs=0.8)


def test_an_unknown_scenario_is_a_key_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        simulate(seed=1, scenario="moon", out=tmp_path / "a.jsonl", truth=tmp_path / "b.json")
