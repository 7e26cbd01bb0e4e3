import io

import pytest
from sample_alerts import ENDED, STARTED

from liqwatch.alerting.message import Text, render
from liqwatch.sinks.base import Delivery, Undeliverable
from liqwatch.sinks.console import ConsoleSink

DELIVERY = Delivery(alert=STARTED, text=render(STARTED, "en"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_an_alert_is_written_with_its_time_and_indented() -> None:
    stream = io.StringIO()
    await ConsoleSink(stream).send(DELIVERY)
    lines = stream.getvalue().split("\n")

    assert lines[0] == "22:40:05 UTC  ▲ BTC SHORT CASCADE STARTED · CRITICAL"
    assert lines[1] == "              90,184, +1.4% in 60 s"
    assert lines[-2:] == ["", ""]
    assert "\x1b" not in stream.getvalue()


async def test_on_a_terminal_colour_is_added_and_no_word_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    await ConsoleSink(stream).send(DELIVERY)

    assert "\x1b[" in stream.getvalue()
    for line in DELIVERY.text.plain().split("\n"):
        assert line.strip() in stream.getvalue()


async def test_markup_in_a_message_is_text() -> None:
    stream = Terminal()
    await ConsoleSink(stream).send(Delivery(alert=ENDED, text=Text("[red]x[/red] :smile:")))

    assert "[red]x[/red] :smile:" in stream.getvalue()


async def test_a_poor_encoding_costs_signs_but_not_the_alert() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    await ConsoleSink(stream).send(DELIVERY)

    assert b"? BTC SHORT CASCADE STARTED ? CRITICAL" in raw.getvalue()


async def test_a_closed_stream_is_said_to_be_gone() -> None:
    stream = io.StringIO()
    sink = ConsoleSink(stream)
    stream.close()

    with pytest.raises(Undeliverable) as failed:
        await sink.send(DELIVERY)
    assert failed.value.receiver_gone
