"""The bot's token: read from a file, shown to nobody."""

import os
import re
import stat
from pathlib import Path

from liqwatch.secret import Secret
from liqwatch.sinks.base import SinkError

CREDENTIAL = "telegram-token"

_TOKEN = re.compile(r"\d+:[\w-]{20,}", re.ASCII)


def read_token(token_file: str | None) -> Secret:
    """Read the token from `token_file`, else from the systemd credential `telegram-token`.

    Raises SinkError when there is none, when everybody may read it, or when it is no token.
    """
    path = Path(token_file).expanduser() if token_file is not None else _credential()
    try:
        if path.stat().st_mode & stat.S_IROTH:
            raise SinkError(f"{path}: everybody may read the Telegram token; chmod 600 it")
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise SinkError(f"{path}: no Telegram token: {error.strerror}") from error
    if not _TOKEN.fullmatch(text):
        raise SinkError(f"{path}: this is not a Telegram token (12345:abc…, from @BotFather)")
    return Secret(text)


def _credential() -> Path:
    # systemd.exec(5), LoadCredential=
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder is None:
        raise SinkError(
            "no Telegram token: set notify.telegram.token_file"
            f" or load the systemd credential {CREDENTIAL}"
        )
    return Path(folder) / CREDENTIAL
