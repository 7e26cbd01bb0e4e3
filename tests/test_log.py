import io
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator

import pytest
import structlog

from liqwatch import log

TOKEN = "123456789:AAF-fakeFakeFakeFakeFakeFakeFakeFake1"  # noqa: S105 - shaped like one, opens nothing


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root, hook, show = logging.root, sys.excepthook, warnings.showwarning
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    warnings.showwarning = show
    structlog.reset_defaults()


@pytest.fixture(params=[io.StringIO, Terminal], ids=["file", "terminal"])
def output(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    stream: io.StringIO = request.param()
    log.configure("DEBUG", stream)
    return stream


def test_a_line_for_machines_is_one_json_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    stream = io.StringIO()
    log.configure("INFO", stream)
    structlog.get_logger("liqwatch.sources").info("connected", venue="okx-swap", attempt=2)
    line = json.loads(stream.getvalue())

    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "message": "connected",
        "level": "info",
        "logger": "liqwatch.sources",
        "venue": "okx-swap",
        "attempt": 2,
    }


def test_under_systemd_a_terminal_gets_json_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:12345")
    stream = Terminal()
    log.configure("INFO", stream)
    logging.getLogger("elsewhere").warning("late by %d s", 3)

    assert json.loads(stream.getvalue())["message"] == "late by 3 s"


def test_what_json_cannot_hold_does_not_lose_the_line() -> None:
    stream = io.StringIO()
    log.configure("INFO", stream)
    structlog.get_logger().info("odd", half="\ud800", huge=2**70, thing=object())

    assert json.loads(stream.getvalue())["message"] == "odd"


def test_the_level_is_a_floor(output: io.StringIO) -> None:
    log.configure("WARNING", output)
    structlog.get_logger().info("quiet")
    logging.getLogger("elsewhere").info("quiet")

    assert output.getvalue() == ""


def test_configuring_twice_does_not_say_everything_twice(output: io.StringIO) -> None:
    log.configure("DEBUG", output)
    structlog.get_logger().info("once")

    assert output.getvalue().count("once") == 1


@pytest.mark.parametrize("name", ["httpx", "httpcore.connection", "telegram.Bot"])
def test_libraries_that_write_whole_addresses_are_kept_to_warnings(
    output: io.StringIO, name: str
) -> None:
    logging.getLogger(name).info("HTTP Request: POST https://api.telegram.org/…")

    assert output.getvalue() == ""


def say_with_structlog() -> None:
    structlog.get_logger().error(f"refused {TOKEN}", url=f"https://t.me/bot{TOKEN}/getMe")


def say_with_stdlib() -> None:
    logging.getLogger("httpx").warning("POST %s", f"https://api.telegram.org/bot{TOKEN}/getMe")


def say_with_exception() -> None:
    token = TOKEN  # a local variable that a chatty traceback would print
    try:
        raise OSError(f"cannot reach https://api.telegram.org/bot{token}/sendMessage")
    except OSError:
        structlog.get_logger().exception("send failed")


def say_with_stdlib_exception() -> None:
    try:
        raise OSError(f"bot{TOKEN}")
    except OSError:
        logging.getLogger("asyncio").exception("task failed", extra={"address": f"bot{TOKEN}"})


def say_with_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn(f"unclosed {TOKEN}", ResourceWarning, stacklevel=1)


def say_uncaught() -> None:
    try:
        raise RuntimeError(TOKEN)
    except RuntimeError as error:
        sys.excepthook(RuntimeError, error, error.__traceback__)


@pytest.mark.parametrize(
    "say",
    [
        say_with_structlog,
        say_with_stdlib,
        say_with_exception,
        say_with_stdlib_exception,
        say_with_warning,
        say_uncaught,
    ],
)
def test_a_token_never_leaves(output: io.StringIO, say: Callable[[], None]) -> None:
    say()

    assert "***" in output.getvalue()
    assert TOKEN[12:] not in output.getvalue()


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (f"bot{TOKEN}/getMe", "bot***/getMe"),
        (f"bot{TOKEN.replace(':', '%3A')}/getMe", "bot***/getMe"),
        ("https://x/hook?token=abc&page=2", "https://x/hook?token=***&page=2"),
        ("https://x/?a=1&api_key=abc#top", "https://x/?a=1&api_key=***#top"),
        ('{"url":"https://x/?Client-Secret=a%20b"}', '{"url":"https://x/?Client-Secret=***"}'),
        ("https://x/?symbol=BTCUSDT&limit=5", "https://x/?symbol=BTCUSDT&limit=5"),
        ("12:30 90184:90300", "12:30 90184:90300"),
    ],
)
def test_only_secrets_are_taken_out(said: str, left: str) -> None:
    assert log.redact(said) == left
