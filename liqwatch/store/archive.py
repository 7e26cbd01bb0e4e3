"""Liquidations and gaps, kept for ever: a journal for today, Parquet for every day before.

A Parquet file cannot be read until it is finished, so a day is written as JSON Lines, which a
killed process leaves readable, and packed (`parquet.py`) when it is over:

    journal/2026-11-22.jsonl
    liquidations/day=2026-11-21/4f1a….parquet     rows as in the event file
    gaps/day=2026-11-21/4f1a….parquet             when which stream was not heard
    SHA256SUMS

Days are those of receipt, in UTC.
"""

import os
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from errno import ENOSPC
from io import SEEK_END, FileIO
from pathlib import Path

import msgspec
from structlog.typing import FilteringBoundLogger

from liqwatch.events import Connect, Disconnect, Event, Liquidation

_WAITING = 200_000  # rows held in memory while the disk takes none
_MS = 1_000_000  # in ns
_ALL = "all"
_ALIVE = "alive"


class Gap(msgspec.Struct, frozen=True, tag_field="kind", tag="gap"):
    """Between these times (ms) a stream of a venue, or all of them, was not heard.

    It is written when it begins, without an end, and again when it is over. One that stays without
    an end was open when the process was killed: "not running" follows.
    """

    venue: str
    stream: str
    began: int
    ended: int | None
    reason: str


class Archive:
    """Keeps what passes through `write`; anything but liquidations and the two ends of a gap is let
    go.

    What was written reaches the operating system with `flush`: call it every second. A full disk
    stops nothing: it is said once, and rows wait in memory until it takes them. Raises OSError only
    when `folder` cannot be made.
    """

    def __init__(self, folder: Path, *, now_ms: int, log: FilteringBoundLogger) -> None:
        (folder / "journal").mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._log = log
        self._waiting: deque[Liquidation | Gap] = deque(maxlen=_WAITING)
        self._file: FileIO | None = None
        self._day = ""
        self._open_gaps: dict[str, list[Gap]] = {}  # by venue, those that began first in front
        self._failing = False
        self._since_last_time(now_ms)

    def write(self, event: Event) -> None:
        """Keep one event, if it is of those that are kept."""
        kind = type(event)
        if kind is Liquidation:
            self._waiting.append(event)  # type: ignore[arg-type]  # isinstance would cost every trade
        elif kind is Disconnect:
            self._gap_begins(event)  # type: ignore[arg-type]  # as above
        elif kind is Connect:
            self._gap_ends(event)  # type: ignore[arg-type]  # as above

    def flush(self, now_ms: int) -> None:
        """Give everything to the operating system."""
        try:
            if self._waiting:
                self._write_waiting(now_ms)
            self._still_alive(now_ms)
        except OSError as error:
            self._give_up(error)

    def close(self, now_ms: int) -> None:
        """Write the last rows; from now on, nobody is heard until we are back."""
        for gaps in self._open_gaps.values():
            self._waiting += [msgspec.structs.replace(gap, ended=now_ms) for gap in gaps]
        self.flush(now_ms)
        self._close_file()

    def _still_alive(self, now_ms: int) -> None:
        """Note that we listen, so that a later start knows since when nobody did.

        In the file's own time: it is never half written, and needs no room on a full disk.
        """
        alive = self._folder / _ALIVE
        alive.touch()
        os.utime(alive, ns=(now_ms * _MS, now_ms * _MS))

    def finished(self) -> list[Path]:
        """The journals of days that are over."""
        journals = sorted((self._folder / "journal").glob("*.jsonl"))
        return [journal for journal in journals if journal.stem < self._day]

    def _since_last_time(self, now_ms: int) -> None:
        self._day = _day(now_ms)
        try:
            last_ms = (self._folder / _ALIVE).stat().st_mtime_ns // _MS
        except FileNotFoundError:
            return
        if last_ms < now_ms:
            self._waiting.append(Gap(_ALL, _ALL, last_ms, now_ms, "not running"))

    def _gap_begins(self, lost: Disconnect) -> None:
        gap = Gap(lost.venue, lost.stream, lost.received // _MS, None, lost.reason)
        self._open_gaps.setdefault(lost.venue, []).append(gap)
        self._waiting.append(gap)

    def _gap_ends(self, back: Connect) -> None:
        # A new stream has a new name; it takes the place of the one that was lost first.
        if gaps := self._open_gaps.get(back.venue):
            self._waiting.append(msgspec.structs.replace(gaps.pop(0), ended=back.received // _MS))

    def _write_waiting(self, now_ms: int) -> None:
        day = _day(now_ms)
        if self._file is None or day > self._day:
            self._close_file()
            self._day = max(day, self._day)
            self._file = _append_to(self._folder / "journal" / f"{self._day}.jsonl")
        _write_whole(self._file, msgspec.json.Encoder().encode_lines(self._waiting))
        self._waiting.clear()
        if self._failing:
            self._failing = False
            self._log.info("keeping liquidations again")

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None

    def _give_up(self, error: OSError) -> None:
        self._close_file()
        if not self._failing:
            self._failing = True
            why = error.strerror or str(error)
            self._log.warning("cannot keep liquidations", folder=str(self._folder), reason=why)


def _write_whole(file: FileIO, lines: bytes) -> None:
    """Write all or nothing: what is half there would be there twice after the next attempt."""
    before = file.seek(0, SEEK_END)
    try:
        if file.write(lines) < len(lines):
            raise OSError(ENOSPC, os.strerror(ENOSPC))
    except OSError:
        with suppress(OSError):
            file.truncate(before)
        raise


def _append_to(journal: Path) -> FileIO:
    file = FileIO(journal, "a+")
    if file.tell() > 0:
        file.seek(-1, SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")  # a killed process left half a line: it stays alone
    return file


def _day(now_ms: int) -> str:
    return datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%d")
