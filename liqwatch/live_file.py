"""The alert and the event file of a daemon: they grow over restarts, and never stop it."""

import sys
from pathlib import Path
from typing import BinaryIO, Self

import msgspec
import structlog

from liqwatch.alerts import Alert
from liqwatch.events import Disconnect, MarketEvent

log = structlog.get_logger("liqwatch")


class LiveFile:
    """Adds one JSON object a line to the end of `path` (`-`: standard output), at once.

    A file that takes no more (a full disk, a closed pipe) is given up with a line in the log:
    people are still told. Raises OSError only when it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = (
            path.open("ab", buffering=0) if str(path) != "-" else sys.stdout.buffer
        )
        self._encode = msgspec.json.Encoder().encode

    def write(self, one: Alert | MarketEvent | Disconnect) -> None:
        """Add one object."""
        if self._file is None:
            return
        try:
            self._file.write(self._encode(one) + b"\n")
            self._file.flush()
        except OSError as error:
            log.error("file given up until a restart", file=str(self._path), reason=str(error))
            self.close()

    def close(self) -> None:
        """Let go of the file; standard output is not ours."""
        if self._file is not None and self._file is not sys.stdout.buffer:
            self._file.close()
        self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
