from pathlib import Path

import pytest
from fake_bot_api import TOKEN

from liqwatch.secret import Secret
from liqwatch.sinks.base import SinkError
from liqwatch.sinks.telegram.token import read_token


def token_file(folder: Path, text: str, mode: int = 0o600) -> str:
    path = folder / "telegram-token"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_a_token_comes_from_a_file_of_its_owner(tmp_path: Path) -> None:
    assert read_token(token_file(tmp_path, f"{TOKEN}\n")).reveal() == TOKEN


def test_without_a_file_it_comes_from_the_systemd_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token_file(tmp_path, TOKEN, 0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert read_token(None).reveal() == TOKEN


def test_no_token_at_all_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    with pytest.raises(SinkError, match="token_file"):
        read_token(None)
    with pytest.raises(SinkError, match="No such file"):
        read_token(str(tmp_path / "absent"))


def test_a_file_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="chmod 600"):
        read_token(token_file(tmp_path, TOKEN, 0o644))


@pytest.mark.parametrize("text", ["", "not a token", "98765:", f"{TOKEN} {TOKEN}", "123:ü" * 9])
def test_what_is_no_token_is_refused_without_being_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(SinkError) as refused:
        read_token(token_file(tmp_path, text))

    assert not text or text not in str(refused.value)


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(TOKEN)

    assert TOKEN not in f"{secret} {secret!r} {[secret]}"
    assert secret.hidden_in(f"GET /bot{TOKEN}/getMe") == "GET /bot***/getMe"
