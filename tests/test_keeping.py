"""What the daemon keeps: tapes for some days, liquidations for ever."""

import subprocess
from pathlib import Path

import structlog

from liqwatch.clock import Clock
from liqwatch.events import Disconnect
from liqwatch.keeping import TIDY_S, Keeping
from liqwatch.records import Record
from liqwatch.sources.recorder import RecordingSettings, tidy
from liqwatch.sources.tape import TapeReader

HOUR_NS = 3_600 * 10**9
NOON_NS = 494_100 * HOUR_NS  # 2026-05-14 12:00 UTC


class SetClock(Clock):
    """A clock that a test sets."""

    def __init__(self, now_ns: int) -> None:
        self.at_ns = now_ns

    def now_ns(self) -> int:
        return self.at_ns

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


def record(at_ns: int) -> Record:
    return Record(at=at_ns, venue="v", stream="v/1", text="x" * 1000)


def make(folder: Path, clock: Clock, settings: RecordingSettings) -> Keeping:
    return Keeping(folder, settings, log=structlog.get_logger(), clock=clock)


def tidied(keeping: Keeping) -> None:
    for _ in range(TIDY_S):
        keeping.flush()
    if keeping._tidying is not None:
        keeping._tidying.join()


def test_every_record_is_on_a_tape_and_finished_tapes_have_checksums(tmp_path: Path) -> None:
    clock = SetClock(NOON_NS)
    keeping = make(tmp_path, clock, RecordingSettings(min_free_gb=0, tape_days=3650))
    for hour in range(3):
        clock.at_ns = NOON_NS + hour * HOUR_NS
        keeping.write(record(clock.at_ns))
    tidied(keeping)

    sums = (tmp_path / "tapes" / "SHA256SUMS").read_text()
    assert [line.split()[1] for line in sums.splitlines()] == [
        "2026-05-14T12.jsonl.zst",
        "2026-05-14T13.jsonl.zst",
    ]
    check = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    folder = tmp_path / "tapes"
    assert subprocess.run(check, cwd=folder, check=False).returncode == 0  # noqa: S603 - our own words
    keeping.close()
    assert sum(len(list(TapeReader(tape))) for tape in tmp_path.rglob("*.zst")) == 3


def test_without_tapes_only_the_archive_is_there(tmp_path: Path) -> None:
    keeping = make(tmp_path, SetClock(NOON_NS), RecordingSettings(tapes=False))
    keeping.write(record(NOON_NS))
    tidied(keeping)
    keeping.close()

    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def tapes(folder: Path, *sizes: int) -> list[Path]:
    made = [folder / f"2026-05-14T{hour:02}.jsonl.zst" for hour in range(len(sizes))]
    for path, size in zip(made, sizes, strict=True):
        path.write_bytes(bytes(size))
    return made


def test_the_oldest_tapes_go_when_all_together_are_too_large(tmp_path: Path) -> None:
    made = tapes(tmp_path, 1_000_000, 1_000_000, 1_500_000)

    tidy(made, RecordingSettings(tapes_gb=0.0026, min_free_gb=0), now_ms=0)

    assert [path.exists() for path in made] == [False, True, True]
    assert len((tmp_path / "SHA256SUMS").read_text().splitlines()) == 2


def test_tapes_older_than_their_days_go_with_their_checksums(tmp_path: Path) -> None:
    made = tapes(tmp_path, 10, 10)
    tidy(made, RecordingSettings(min_free_gb=0), now_ms=0)

    in_two_days_ms = int((made[0].stat().st_mtime + 2 * 86_400) * 1000)
    tidy(made, RecordingSettings(tape_days=1, min_free_gb=0), now_ms=in_two_days_ms)

    assert not any(path.exists() for path in made)
    assert (tmp_path / "SHA256SUMS").read_text() == ""


def test_a_disk_with_too_little_left_is_treated_as_full(tmp_path: Path) -> None:
    keeping = make(tmp_path, SetClock(NOON_NS), RecordingSettings(min_free_gb=1e6))
    with structlog.testing.capture_logs() as logs:
        keeping.write(record(NOON_NS))
        tidied(keeping)
        keeping.close()

    assert not list(tmp_path.rglob("*.zst"))
    assert [entry["event"] for entry in logs] == ["cannot record"]
    assert "GB free" in logs[0]["reason"]


def test_a_day_that_is_over_is_packed(tmp_path: Path) -> None:
    clock = SetClock(NOON_NS)
    keeping = make(tmp_path, clock, RecordingSettings(tapes=False))
    for hours in (0, 24):
        clock.at_ns = NOON_NS + hours * HOUR_NS
        lost = Disconnect("v", 1, clock.at_ns, "v/1", "1006")
        keeping.archive.write(lost)
        tidied(keeping)
    keeping.close()

    assert len(list(tmp_path.glob("archive/gaps/day=2026-05-14/*.parquet"))) == 1
    assert [path.name for path in tmp_path.glob("archive/journal/*")] == ["2026-05-15.jsonl"]


def test_a_journal_that_cannot_be_packed_is_told_and_left_alone(tmp_path: Path) -> None:
    journal = tmp_path / "archive" / "journal" / "2026-05-01.jsonl"
    journal.mkdir(parents=True)
    keeping = make(tmp_path, SetClock(NOON_NS), RecordingSettings(tapes=False))
    with structlog.testing.capture_logs() as logs:
        tidied(keeping)
        keeping.close()

    assert [entry["event"] for entry in logs] == ["recordings cannot be tidied"]
    assert "directory" in logs[0]["reason"]
