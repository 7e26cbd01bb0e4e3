"""The newest lines of the log, for whoever cannot look into the journal."""

import logging
from collections import deque

MOST_LINES = 200
LONGEST = 500  # characters of a line


class LastLines(logging.Handler):
    """Keeps what the formatter that it is given makes of each record."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[str] = deque(maxlen=MOST_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        try:
            self._lines.append(self.format(record)[:LONGEST])
        except Exception:  # noqa: BLE001 - as the handlers of the library: logging never fails
            self.handleError(record)

    def last(self, count: int) -> list[str]:
        """Return the newest, oldest first."""
        return list(self._lines)[-count:]


LINES = LastLines()


def last(count: int) -> list[str]:
    """Return the newest lines of this process, oldest first."""
    return LINES.last(count)
