"""The commands about messages and their receivers."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sample_alerts import STARTED

from liqwatch import pairing
from liqwatch.cli_telegram import notify_test, telegram, why
from liqwatch.config import Config, NotifySettings
from liqwatch.control import StatusAnswer
from liqwatch.control_socket import NotRunningError
from liqwatch.notify_test import send_samples
from liqwatch.pairing import pair_chat
from liqwatch.show_why import show_why
from liqwatch.sinks import ConsoleSettings, SinkError, TelegramSettings
from liqwatch.sinks.telegram.bot import BotSettings
from liqwatch.sinks.telegram.bot.pairing import PairingError
from liqwatch.store import Database, Deliveries

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake"  # noqa: S105 - opens nothing


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o600)
    return file


def config(tmp_path: Path, token_file: Path, **bot: Any) -> Config:
    settings = TelegramSettings(
        chat=7,
        token_file=str(token_file),
        base_url="http://127.0.0.1:9/bot",
        bot=BotSettings(**bot),
    )
    return Config(state=tmp_path, notify=NotifySettings(telegram=settings))


def test_pairing_leaves_the_bot_to_the_daemon_that_hears_it(
    tmp_path: Path, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairing, "ask", lambda *_: StatusAnswer("well", ()))
    with pytest.raises(PairingError, match="send /id in the chat"):
        pairing.pair_chat(config(tmp_path, token_file), None)


@pytest.mark.parametrize("heard", [True, False])
def test_without_such_a_daemon_it_asks_telegram_and_hides_the_token(
    tmp_path: Path, token_file: Path, heard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(*_: Any) -> StatusAnswer:
        if heard:
            return StatusAnswer("well", ())
        raise NotRunningError("nobody")

    monkeypatch.setattr(pairing, "ask", ask)
    with pytest.raises(PairingError, match=r"^Telegram does not answer: \w+$") as failed:
        pairing.pair_chat(config(tmp_path, token_file, commands=not heard), None)
    assert "AAFake" not in repr(failed.value.__cause__) + repr(failed.value.__context__)


def test_the_commands_explain_themselves() -> None:
    for command in (telegram, notify_test, why):
        told = CliRunner().invoke(command, ["--help"])
        assert told.exit_code == 0
        assert "Usage:" in told.output


def test_why_is_told_without_a_daemon_from_what_one_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotRunningError):
        show_why(Config(state=tmp_path), "start")
    with closing(Database(tmp_path / "liqwatch.sqlite3")) as database:
        Deliveries(database).add([], alerts=[STARTED])
    show_why(Config(state=tmp_path), "start")

    told = capsys.readouterr().out
    assert "2025-10-20 22:40:05 UTC · start" in told
    assert "Nobody was to be told." in told


def test_samples_go_to_the_console(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = NotifySettings(console=ConsoleSettings())
    code = send_samples(Config(state=tmp_path, notify=settings))

    out, err = capfd.readouterr()
    assert code == 0
    assert out.count("SAMPLE") > 12
    assert out.count("ОБРАЗЕЦ") == out.count("SAMPLE")
    assert err == "console: all samples were sent\n"


def test_a_chat_is_paired_before_any_is_configured() -> None:
    with pytest.raises(SinkError, match="no Telegram token"):  # got as far as the token
        pair_chat(Config(), Path("/nowhere/token"))
