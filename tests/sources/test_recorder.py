"""Hourly tapes, and a disk that is full."""

import errno
from pathlib import Path
from typing import IO

import pytest
import structlog
from structlog.testing import capture_logs

from liqwatch.records import Record
from liqwatch.sources.recorder import Recorder
from liqwatch.sources.tape import TapeReader, TapeWriter

HOUR_NS = 3_600 * 10**9
SECOND_NS = 10**9
NOON_NS = 494_100 * HOUR_NS  # 2026-05-14 12:00 UTC


def record(at_ns: int) -> Record:
    return Record(at=at_ns, venue="v", stream="v/1", text="x")


def make(directory: Path) -> Recorder:
    return Recorder(directory, note="test", log=structlog.get_logger())


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """A disk that is full while the list says so."""
    full = [False]
    flush = TapeWriter.flush

    def try_to_flush(tape: TapeWriter) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(tape)

    monkeypatch.setattr(TapeWriter, "flush", try_to_flush)
    return full


def test_each_hour_has_a_tape_named_after_it(tmp_path: Path) -> None:
    recorder = make(tmp_path / "new" / "folder")

    for at_ns in (NOON_NS, NOON_NS + HOUR_NS - 1, NOON_NS + HOUR_NS, NOON_NS + 3 * HOUR_NS):
        recorder.write(record(at_ns))
    recorder.close()

    tapes = {path.name: len(list(TapeReader(path))) for path in tmp_path.rglob("*.zst")}
    assert tapes == {
        "2026-05-14T12.jsonl.zst": 2,
        "2026-05-14T13.jsonl.zst": 1,
        "2026-05-14T15.jsonl.zst": 1,
    }
    assert recorder.lost == 0


def test_a_tape_that_exists_is_left_alone_and_the_new_one_numbered(tmp_path: Path) -> None:
    for _ in range(3):
        recorder = make(tmp_path)
        recorder.write(record(NOON_NS))
        recorder.close()

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "2026-05-14T12-2.jsonl.zst",
        "2026-05-14T12-3.jsonl.zst",
        "2026-05-14T12.jsonl.zst",
    ]


def test_a_flush_makes_the_last_record_readable(tmp_path: Path) -> None:
    recorder = make(tmp_path)
    recorder.write(record(NOON_NS))

    recorder.flush()

    assert list(TapeReader(tmp_path / "2026-05-14T12.jsonl.zst")) == [record(NOON_NS)]
    recorder.close()


def test_a_full_disk_is_told_once_counted_and_survived(
    tmp_path: Path, full_disk: list[bool]
) -> None:
    with capture_logs() as logs:
        recorder = make(tmp_path)
        recorder.write(record(NOON_NS))
        recorder.flush()
        full_disk[0] = True
        for second in range(1, 26):
            recorder.write(record(NOON_NS + second * SECOND_NS))
            recorder.flush()
        full_disk[0] = False
        for second in range(26, 60):
            recorder.write(record(NOON_NS + second * SECOND_NS))
        recorder.close()

    kept = [r.at for path in sorted(tmp_path.iterdir()) for r in TapeReader(path)]
    assert sorted(kept) == [NOON_NS, *(NOON_NS + s * SECOND_NS for s in range(31, 60))]
    assert recorder.lost == 30
    assert [(log["event"], log["log_level"]) for log in logs] == [
        ("cannot record", "warning"),
        ("recording again", "info"),
    ]
    assert "No space left" in logs[0]["reason"]
    assert logs[1]["records_lost"] == 30


def test_a_disk_that_fills_inside_an_hour_leaves_a_readable_tape(
    tmp_path: Path, full_disk: list[bool]
) -> None:
    recorder = make(tmp_path)
    recorder.write(record(NOON_NS))
    recorder.flush()
    recorder.write(record(NOON_NS + 1))
    full_disk[0] = True

    recorder.flush()

    (path,) = tmp_path.iterdir()
    assert list(TapeReader(path)) == [record(NOON_NS)]
    assert recorder.lost == 1
    recorder.close()


def test_a_full_disk_leaves_no_empty_tapes_behind(tmp_path: Path, full_disk: list[bool]) -> None:
    full_disk[0] = True
    recorder = make(tmp_path)

    for second in range(60):
        recorder.write(record(NOON_NS + second * SECOND_NS))
    recorder.close()

    assert list(tmp_path.iterdir()) == []
    assert recorder.lost == 60


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_really_full_device_is_an_os_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def open_full(path: Path, mode: str) -> IO[bytes]:
        opened(path, mode).close()
        return opened(Path("/dev/full"), "wb")

    monkeypatch.setattr(Path, "open", open_full)

    for suffix in (".jsonl", ".jsonl.gz", ".jsonl.zst"):
        with pytest.raises(OSError, match="No space left"):
            TapeWriter(tmp_path / f"tape{suffix}", note="", created_ns=NOON_NS)

    assert list(tmp_path.iterdir()) == []
