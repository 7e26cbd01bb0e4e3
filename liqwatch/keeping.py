"""What the daemon keeps of all it hears: frames for some days, liquidations and gaps for ever."""

import subprocess
import sys
import threading
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from liqwatch.clock import Clock, WallClock
from liqwatch.records import Record
from liqwatch.sources.recorder import Recorder, RecordingSettings, tidy
from liqwatch.store.archive import Archive

TAPES, ARCHIVE = "tapes", "archive"
TIDY_S = 60


class Keeping:
    """Tapes and archive in a state folder, with what is to be done about them every minute.

    Whatever the disk does, nothing here raises once it is made (OSError until then).
    """

    def __init__(
        self,
        folder: Path,
        settings: RecordingSettings,
        *,
        log: FilteringBoundLogger,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or WallClock()
        self._settings = settings
        self._log = log
        self._tapes = folder / TAPES
        self._recorder = (
            Recorder(self._tapes, note="run", log=log, min_free_gb=settings.min_free_gb)
            if settings.tapes
            else None
        )
        self.archive = Archive(folder / ARCHIVE, now_ms=self._now_ms(), log=log)
        self._tidying: threading.Thread | None = None
        self._seconds = 0

    def write(self, record: Record) -> None:
        """Keep a raw record."""
        if self._recorder is not None:
            self._recorder.write(record)

    def flush(self) -> None:
        """Let everything survive the process; every minute, tidy up."""
        if self._recorder is not None:
            self._recorder.flush()
        self.archive.flush(self._now_ms())
        if self._seconds % TIDY_S == 0 and (self._tidying is None or not self._tidying.is_alive()):
            self._tidy()
        self._seconds += 1

    def close(self) -> None:
        """Finish everything; what is left to tidy is done at the next start."""
        if self._recorder is not None:
            self._recorder.close()
        self.archive.close(self._now_ms())
        if self._tidying is not None:
            self._tidying.join()

    def _tidy(self) -> None:
        """Pack and delete in a thread: reading a tape of an hour takes a second or more."""
        now_ms = self._now_ms()
        days = self.archive.finished()
        tapes = self._recorder.finished() if self._recorder is not None else []

        def work() -> None:
            try:
                for day in days:
                    _pack(day)
                tidy(tapes, self._settings, now_ms=now_ms)
            except (OSError, subprocess.CalledProcessError) as error:
                said = getattr(error, "stderr", "").strip() or error
                self._log.warning("recordings cannot be tidied", reason=str(said))

        self._tidying = threading.Thread(target=work, name="tidy", daemon=True)
        self._tidying.start()

    def _now_ms(self) -> int:
        return self._clock.now_ns() // 1_000_000


def _pack(day: Path) -> None:
    """Pack in a process of its own: what that needs of memory, the daemon has no use for."""
    command = [sys.executable, "-m", "liqwatch.store.parquet", str(day)]
    subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own words
