"""Liquidations and gaps are kept for ever, whatever the process and the disk do."""

import csv
import errno
import subprocess
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
import structlog

from liqwatch.events import (
    Completeness,
    Connect,
    Disconnect,
    Liquidation,
    Position,
    PriceKind,
    Side,
    Trade,
)
from liqwatch.store import archive as archive_module
from liqwatch.store.archive import Archive
from liqwatch.store.parquet import ArchiveError, Table, export, pack

NOON_MS = 1_778_760_000_000  # 2026-05-14 12:00 UTC
DAY_MS = 86_400_000


def liquidation(time_ms: int, *, venue: str = "bybit-linear", symbol: str = "BTC") -> Liquidation:
    return Liquidation(
        venue=venue,
        symbol=symbol,
        instrument=f"{symbol}USDT",
        time=time_ms,
        received=time_ms * 1_000_000,
        position=Position.LONG,
        size=1.5,
        price=60_000.0,
        price_kind=PriceKind.BANKRUPTCY,
        notional_usd=90_000.0,
        completeness=Completeness.FULL,
    )


def lost(time_ms: int, stream: str = "v/1", reason: str = "1006") -> Disconnect:
    return Disconnect("v", time_ms, time_ms * 1_000_000, stream, reason)


def back(time_ms: int, stream: str = "v/2") -> Connect:
    return Connect("v", time_ms, time_ms * 1_000_000, stream)


def rows(folder: Path, table: Table = Table.LIQUIDATIONS, **asked: Any) -> list[dict[str, str]]:
    out = folder.parent / "out.csv"
    count = export(folder, out, table, **asked)
    with out.open() as file:
        found = list(csv.DictReader(file))
    assert len(found) == count
    return found


def pack_all(archive: Archive) -> None:
    for journal in archive.finished():
        pack(journal)


Open = Callable[..., Archive]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Open archives; a process that ends closes their files."""
    archives: list[Archive] = []

    def open_one(folder: Path, now_ms: int = NOON_MS) -> Archive:
        archives.append(Archive(folder, now_ms=now_ms, log=structlog.get_logger()))
        return archives[-1]

    yield open_one
    for archive in archives:
        archive._close_file()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def test_liquidations_are_kept_and_trades_are_not(folder: Path, opened: Open) -> None:
    archive = opened(folder)
    archive.write(liquidation(NOON_MS))
    archive.write(Trade("v", "BTC", "BTCUSDT", NOON_MS, 1, 60_000.0, 1.0, Side.BUY))
    archive.flush(NOON_MS)

    (row,) = rows(folder)
    assert row == {
        "venue": "bybit-linear",
        "symbol": "BTC",
        "instrument": "BTCUSDT",
        "time": str(NOON_MS),
        "received": str(NOON_MS * 1_000_000),
        "position": "long",
        "size": "1.5",
        "price": "60000.0",
        "price_kind": "bankruptcy",
        "notional_usd": "90000.0",
        "completeness": "full",
        "mechanism": "book",
        "history": "false",
    }


def test_a_day_that_is_over_becomes_parquet_with_a_checksum(folder: Path, opened: Open) -> None:
    archive = opened(folder)
    for time_ms in (NOON_MS, NOON_MS + 1, NOON_MS + DAY_MS):
        archive.write(liquidation(time_ms))
        archive.flush(time_ms)
    before = rows(folder)

    pack_all(archive)

    assert [path.name for path in (folder / "journal").iterdir()] == ["2026-05-15.jsonl"]
    assert len(list(folder.glob("liquidations/day=2026-05-14/*.parquet"))) == 1
    assert len(list(folder.glob("gaps/day=2026-05-14/*.parquet"))) == 1
    assert rows(folder) == before
    check = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    assert subprocess.run(check, cwd=folder, check=False).returncode == 0  # noqa: S603 - our own words


def test_packing_again_what_was_left_half_done_changes_nothing(folder: Path, opened: Open) -> None:
    archive = opened(folder)
    archive.write(liquidation(NOON_MS))
    archive.flush(NOON_MS)
    archive.flush(NOON_MS + DAY_MS)
    (journal,) = (folder / "journal").iterdir()
    text = journal.read_bytes()

    pack(journal)
    journal.write_bytes(text)
    pack(journal)

    assert len(rows(folder)) == 1


def test_a_second_journal_of_a_day_overwrites_nothing(folder: Path, opened: Open) -> None:
    for n in range(2):
        archive = opened(folder)
        archive.write(liquidation(NOON_MS + n))
        archive.flush(NOON_MS)
        pack(folder / "journal" / "2026-05-14.jsonl")

    assert [int(row["time"]) - NOON_MS for row in rows(folder)] == [0, 1]


def test_half_a_line_of_a_killed_process_costs_only_itself(folder: Path, opened: Open) -> None:
    archive = opened(folder)
    archive.write(liquidation(NOON_MS))
    archive.flush(NOON_MS)
    journal = folder / "journal" / "2026-05-14.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"kind":"liquidation","ven')

    again = opened(folder)
    again.write(liquidation(NOON_MS + 1))
    again.flush(NOON_MS + 1)

    assert [int(row["time"]) - NOON_MS for row in rows(folder)] == [0, 1]


def test_a_gap_begins_with_a_loss_and_ends_with_the_next_stream(folder: Path, opened: Open) -> None:
    archive = opened(folder)
    for event in (lost(NOON_MS, "v/1"), lost(NOON_MS + 1, "v/2"), back(NOON_MS + 5, "v/3")):
        archive.write(event)
        archive.flush(NOON_MS)

    gaps = rows(folder, Table.GAPS)
    assert [(row["stream"], row["ended"]) for row in gaps] == [
        ("v/1", str(NOON_MS + 5)),
        ("v/2", ""),
    ]


def test_the_first_connection_of_all_ends_no_gap(folder: Path, opened: Open) -> None:
    archive = opened(folder)
    archive.write(back(NOON_MS))
    archive.write(liquidation(NOON_MS))
    archive.flush(NOON_MS)

    assert not rows(folder, Table.GAPS)


def test_a_gap_over_midnight_is_one_gap(folder: Path, opened: Open) -> None:
    archive = opened(folder)
    archive.write(lost(NOON_MS))
    archive.flush(NOON_MS)
    archive.write(back(NOON_MS + DAY_MS))
    archive.flush(NOON_MS + DAY_MS)
    pack_all(archive)

    (gap,) = rows(folder, Table.GAPS)
    assert int(gap["ended"]) - int(gap["began"]) == DAY_MS


def test_the_time_between_two_runs_is_a_gap_of_all_venues(folder: Path, opened: Open) -> None:
    opened(folder).close(NOON_MS)
    later = opened(folder, NOON_MS + 60_000)
    later.flush(NOON_MS + 60_000)

    (gap,) = rows(folder, Table.GAPS)
    assert (gap["venue"], gap["reason"]) == ("all", "not running")
    assert int(gap["ended"]) - int(gap["began"]) == 60_000


def test_a_gap_that_is_open_at_the_end_ends_there_since_then_nobody_is_heard(
    folder: Path, opened: Open
) -> None:
    archive = opened(folder)
    archive.write(lost(NOON_MS, reason="1000 stopped"))
    archive.close(NOON_MS + 5)

    (gap,) = rows(folder, Table.GAPS)
    assert int(gap["ended"]) - int(gap["began"]) == 5


def test_a_killed_process_was_last_there_when_it_last_flushed(folder: Path, opened: Open) -> None:
    killed = opened(folder)
    for seconds in range(30):
        killed.flush(NOON_MS + seconds * 1000)
    later = opened(folder, NOON_MS + 60_000)
    later.flush(NOON_MS + 60_000)

    (gap,) = rows(folder, Table.GAPS)
    assert int(gap["began"]) == NOON_MS + 29_000


def test_an_export_takes_only_what_is_asked_for(folder: Path, opened: Open) -> None:
    archive = opened(folder)
    for n, (venue, symbol) in enumerate(
        [("bybit-linear", "BTC"), ("okx-swap", "BTC"), ("okx-swap", "ETH"), ("okx-swap", "ETH")]
    ):
        archive.write(liquidation(NOON_MS + n, venue=venue, symbol=symbol))
    archive.flush(NOON_MS)

    def times(**asked: Any) -> list[int]:
        return [int(row["time"]) - NOON_MS for row in rows(folder, **asked)]

    assert times(venues=["okx-swap"]) == [1, 2, 3]
    assert times(symbols=["ETH", "SOL"]) == [2, 3]
    assert times(symbols=["BTC"], venues=["okx-swap"]) == [1]
    assert times(since_ms=NOON_MS + 1, until_ms=NOON_MS + 3) == [1, 2]
    assert times(symbols=["x' OR 1=1 --"]) == []


def test_where_nothing_is_kept_an_export_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="nothing is kept there"):
        export(tmp_path, tmp_path / "out.csv", Table.GAPS)


def test_a_full_disk_is_said_once_and_nothing_is_lost_or_doubled(
    folder: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = True

    class Disk(FileIO):
        def write(self, lines: Any) -> int:
            if full:
                super().write(lines[: len(lines) // 2])  # half of it still fits
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(lines)

    monkeypatch.setattr(archive_module, "FileIO", Disk)
    archive = opened(folder)
    with structlog.testing.capture_logs() as logs:
        for n in range(3):
            archive.write(liquidation(NOON_MS + n))
            archive.flush(NOON_MS + n)
        full = False
        archive.flush(NOON_MS + 3)

    assert [int(row["time"]) - NOON_MS for row in rows(folder)] == [0, 1, 2]
    assert [entry["event"] for entry in logs] == [
        "cannot keep liquidations",
        "keeping liquidations again",
    ]
