from pathlib import Path

import msgspec
import pytest
from fake_bot_api import TOKEN

from liqwatch.sinks import (
    SINKS,
    ConsoleSettings,
    SinkError,
    TelegramSettings,
    WebhookSettings,
    build,
)
from liqwatch.store import Database


class Notify(msgspec.Struct):
    console: ConsoleSettings | None = None
    telegram: TelegramSettings | None = None
    webhook: WebhookSettings | None = None


async def test_a_sink_is_made_for_each_part_that_is_set(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN)
    token_file.chmod(0o600)
    notify = Notify(
        ConsoleSettings(),
        TelegramSettings(chat=1, token_file=str(token_file)),
        WebhookSettings(url="https://example.org/hook"),
    )
    database = Database(None)
    sinks = build(notify, database)

    assert [sink.name for sink in sinks] == list(SINKS)
    assert [sink.receiver for sink in sinks] == ["console", "telegram:1", "webhook"]
    for sink in sinks:
        await sink.close()
    database.close()


async def test_each_chat_has_its_own_sink_and_manner(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN)
    token_file.chmod(0o600)
    written = {
        "token_file": str(token_file),
        "chat": 1,
        "rules": {"language": "ru"},
        "chats": [{"chat": -2, "topics": "symbol", "pin_status": False}],
    }
    database = Database(None)
    sinks = build(Notify(telegram=msgspec.convert(written, TelegramSettings)), database)

    assert [sink.receiver for sink in sinks] == ["telegram:1", "telegram:-2"]
    assert [sink.rules.language for sink in sinks] == ["ru", "en"]
    assert [sink.topics for sink in sinks] == ["none", "symbol"]
    assert [sink.pins_status for sink in sinks] == [True, False]
    await sinks[0].close()
    database.close()


@pytest.mark.parametrize("chats", [{}, {"chat": 1, "chats": [{"chat": 1}]}])
def test_chats_are_named_and_named_once(chats: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError, match="chat"):
        msgspec.convert(chats, TelegramSettings)


def test_what_is_off_or_unset_makes_no_sink() -> None:
    database = Database(None)

    assert build(Notify(console=ConsoleSettings(enabled=False)), database) == []
    with pytest.raises(SinkError):
        build(Notify(telegram=TelegramSettings(chat=1, token_file="/nowhere")), database)  # noqa: S106 - a path
    database.close()


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/hook?key=1",
        "http://127.0.0.1:9002/bot",
        "http://localhost",
        "http://[::1]:80/x",
    ],
)
def test_addresses_over_tls_or_on_this_machine_are_taken(url: str) -> None:
    assert msgspec.convert({"url": url}, WebhookSettings).url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "http://127.0.0.1.example.org/",
        "http://localhost@example.org/",
        "https://user:secret@example.org/",
        "ftp://localhost/",
        "https://",
        "",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"url": url}, WebhookSettings)


@pytest.mark.parametrize("kind", SINKS.values())
def test_an_unknown_key_is_refused(kind: type) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"colour": "red", "chat": 1, "url": "https://x.y/"}, kind.settings)  # type: ignore[attr-defined]  # NamedTuple
