"""The machine files: one JSON object a line, `-` for standard output."""

import sys
from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from liqwatch.alerts import Alert
from liqwatch.events import Disconnect, MarketEvent


class JsonLines:
    """The alert file or the event file. `live` flushes every line, for those who follow it."""

    def __init__(self, path: Path, *, live: bool) -> None:
        self._own = str(path) != "-"
        self._file: BinaryIO = path.open("wb") if self._own else sys.stdout.buffer
        self._encode = msgspec.json.Encoder().encode
        self._live = live

    def write(self, one: Alert | MarketEvent | Disconnect) -> None:
        """Append one object."""
        self._file.write(self._encode(one))
        self._file.write(b"\n")
        if self._live:
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.flush()
        if self._own:
            self._file.close()
