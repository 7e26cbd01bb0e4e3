"""Logging: pretty on a terminal, JSON lines for systemd and files, secrets in neither.

Everything that speaks (structlog, stdlib loggers, warnings, uncaught exceptions) leaves through
handlers on the root logger, and these take the secrets out of the finished line.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor

from liqwatch.log_lines import LINES

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

# A bot token as Telegram hands it out, also inside the path of an address.
_TOKEN = re.compile(r"\d{6,}(?::|%3[Aa])[A-Za-z0-9_-]{20,}")
_QUERY = re.compile(r"([?&][^=&\s]*(?:token|key|secret)[^=&\s]*=)[^&#\s\"'<>\\]+", re.IGNORECASE)

# They write whole addresses, with the token in the path, at INFO and DEBUG.
_TALKATIVE = ("httpx", "httpcore", "telegram")


def redact(line: str) -> str:
    """Take Telegram tokens and the `token`, `key` and `secret` parameters of addresses out."""
    return _QUERY.sub(r"\1***", _TOKEN.sub("***", line))


def configure(level: Level = "INFO", stream: TextIO | None = None) -> None:
    """Send all logging to `stream` (standard error): pretty on a terminal, else JSON lines."""
    stream = sys.stderr if stream is None else stream
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(stream)
    pretty = stream.isatty() and "JOURNAL_STREAM" not in os.environ
    handler.setFormatter(_formatter(shared, _rendering(pretty=pretty)))
    LINES.setFormatter(
        _formatter(shared, [structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)])
    )
    logging.root.handlers[:] = [handler, LINES]
    logging.root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _formatter(shared: list[Processor], rendering: list[Processor]) -> logging.Formatter:
    return _Redacting(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
    )


class _Redacting(structlog.stdlib.ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def _rendering(*, pretty: bool) -> list[Processor]:
    if pretty:
        # The colourful traceback prints local variables, and its colours cut tokens in two.
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(serializer=_json),
    ]


def _json(event: EventDict, *, default: Callable[[Any], Any]) -> str:
    try:
        return orjson.dumps(event, default=default).decode()
    except TypeError:  # half a surrogate pair, an integer beyond 64 bits: a log line must not fail
        return json.dumps(event, default=default, skipkeys=True)


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    logging.getLogger("liqwatch").critical("stopped by an error", exc_info=(kind, error, trace))
