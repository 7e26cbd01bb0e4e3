"""Everything that arrives, kept in hourly tapes: checksums, retention, a disk that is full."""

import errno
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta
from structlog.typing import FilteringBoundLogger

from liqwatch.checksums import add_checksums, drop_checksums
from liqwatch.records import Record
from liqwatch.sources.tape import TapeWriter

_SECOND_NS = 1_000_000_000
_HOUR_NS = 3_600 * _SECOND_NS
_RETRY_NS = 10 * _SECOND_NS
_GB = 1_000_000_000


class RecordingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of what the venues send, beside their liquidations, which are kept for ever."""

    tapes: bool = True
    """Keep every raw frame, for replay."""

    tape_days: Annotated[float, Meta(gt=0, le=3650)] = 7
    """Tapes older than this are deleted."""

    tapes_gb: Annotated[float, Meta(gt=0, le=1e6)] = 20
    """The oldest tapes are deleted when all together are larger."""

    min_free_gb: Annotated[float, Meta(ge=0, le=1e6)] = 1
    """With less than this free on the disk, tapes make room, so that alerts and state have it."""


class Recorder:
    """Keep everything that arrives in hourly tapes, `2026-11-22T14.jsonl.zst` (hours in UTC).

    A full disk, or one with less than `min_free_gb` left, stops nothing: it is said once, `lost`
    counts the records that could not be kept, and every ten seconds a new tape is tried. Call
    `flush` every second: a quiet market writes nothing by itself. Raises OSError only when
    `directory` cannot be made.
    """

    def __init__(
        self,
        directory: Path,
        *,
        note: str,
        log: FilteringBoundLogger,
        min_free_gb: float = 0.0,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.lost = 0
        self._directory = directory
        self._note = note
        self._log = log
        self._min_free_bytes = min_free_gb * _GB
        self._writer: TapeWriter | None = None
        self._path: Path | None = None
        self._at_ns = 0
        self._hour_end_ns = 0
        self._retry_at_ns = 0
        self._failing = False

    def write(self, record: Record) -> None:
        """Keep one record, if the disk takes it."""
        self._at_ns = record.at
        if record.at < self._retry_at_ns:
            self.lost += 1
            return
        try:
            self._writer_at(record.at).write(record)
        except OSError as error:
            self._give_up(error)

    def flush(self) -> None:
        """Make sure that what was written survives the process."""
        try:
            if self._writer is not None:
                self._writer.flush()
                self._leave_room()
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """Finish the tape."""
        try:
            if self._writer is not None:
                self._writer.close()
        except OSError as error:
            self._give_up(error)
        self._writer = None

    def finished(self) -> list[Path]:
        """Every tape of the folder but the one being written, oldest first."""
        return [path for path in tapes_in(self._directory) if path != self._path]

    def _writer_at(self, at_ns: int) -> TapeWriter:
        if self._writer is not None and at_ns < self._hour_end_ns:
            return self._writer
        self.close()
        self._writer = self._new_tape(at_ns)
        self._hour_end_ns = at_ns - at_ns % _HOUR_NS + _HOUR_NS
        if self._failing:
            self._failing = False
            self._log.info("recording again", records_lost=self.lost)
        return self._writer

    def _new_tape(self, at_ns: int) -> TapeWriter:
        hour = datetime.fromtimestamp(at_ns // _SECOND_NS, UTC).strftime("%Y-%m-%dT%H")
        names = chain([hour], (f"{hour}-{n}" for n in count(2)))
        paths = (self._directory / f"{name}.jsonl.zst" for name in names)
        path = next(path for path in paths if not path.exists())
        self._leave_room()
        writer = TapeWriter(path, note=self._note, created_ns=at_ns)
        self._path = path
        return writer

    def _leave_room(self) -> None:
        if shutil.disk_usage(self._directory).free < self._min_free_bytes:
            why = f"less than {self._min_free_bytes / _GB:g} GB free"
            raise OSError(errno.ENOSPC, why)

    def _give_up(self, error: OSError) -> None:
        self.lost += 1 if self._writer is None else self._writer.unflushed
        if self._writer is not None:
            self._writer.abandon()
        self._writer = None
        self._retry_at_ns = self._at_ns + _RETRY_NS
        if not self._failing:
            self._failing = True
            why = error.strerror or str(error)
            self._log.warning("cannot record", directory=str(self._directory), reason=why)


def tapes_in(folder: Path) -> list[Path]:
    """Return the tapes that a recorder has left in a folder, oldest first."""
    return sorted(folder.glob("*.jsonl.zst"), key=_age)


def tidy(tapes: Sequence[Path], settings: RecordingSettings, *, now_ms: int) -> None:
    """Keep as many of the finished tapes as the settings allow, the newest, each with its checksum.

    Takes as long as reading them: run it beside the loop. Raises OSError.
    """
    if not tapes:
        return
    folder = tapes[0].parent
    gone = _too_many(tapes, settings, now_ms)
    for tape in gone:
        tape.unlink(missing_ok=True)
    drop_checksums(folder, gone)
    add_checksums(folder, tapes[len(gone) :])


def _too_many(tapes: Sequence[Path], settings: RecordingSettings, now_ms: int) -> Sequence[Path]:
    """The oldest, up to the first that may stay."""
    sizes = [tape.stat().st_size for tape in tapes]
    excess = sum(sizes) - settings.tapes_gb * _GB
    missing = settings.min_free_gb * _GB - shutil.disk_usage(tapes[0].parent).free
    oldest_ms = now_ms - settings.tape_days * 86_400_000
    for n, (tape, size) in enumerate(zip(tapes, sizes, strict=True)):
        if excess <= 0 and missing <= 0 and tape.stat().st_mtime * 1000 >= oldest_ms:
            return tapes[:n]
        excess -= size
        missing -= size
    return tapes


def _age(tape: Path) -> tuple[str, int]:
    """Hour and number of a tape, by its name: `2026-11-22T14-2.jsonl.zst` is the second of 14 h."""
    day_and_hour, _, number = tape.name.removesuffix(".jsonl.zst").partition("T")
    hour, _, again = number.partition("-")
    return f"{day_and_hour}T{hour}", int(again) if again.isdecimal() else 1
