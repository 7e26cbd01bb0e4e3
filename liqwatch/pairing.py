"""Finding out the ids of a Telegram chat, for somebody at a console."""

import asyncio
import sys
from pathlib import Path

from telegram.error import Conflict, InvalidToken, TelegramError

from liqwatch.config import Config, state_folder
from liqwatch.control import AskStatus
from liqwatch.control_socket import SOCKET_FILE, NotRunningError, ask
from liqwatch.secret import Secret
from liqwatch.sinks.telegram import TelegramSettings
from liqwatch.sinks.telegram.bot.pairing import (
    LASTS_S,
    PairingError,
    new_code,
    pair,
    settings_lines,
)
from liqwatch.sinks.telegram.connection import Connection
from liqwatch.sinks.telegram.token import read_token


def pair_chat(config: Config, token_file: Path | None) -> None:
    """Print a code, wait until it comes in, and say what to write into the configuration.

    Raises PairingError, SinkError and OSError.
    """
    telegram = config.notify.telegram
    if telegram is not None and telegram.bot.commands and _daemon_runs(config):
        raise PairingError(
            "the liqwatch that runs hears this bot itself: send /id in the chat, it answers admins"
        )
    # Where no chat is known yet, the defaults of all the rest.
    settings = telegram or TelegramSettings(chat=0)
    named = str(token_file) if token_file is not None else settings.token_file
    asyncio.run(_pair(read_token(named), settings.base_url, named))


async def _pair(token: Secret, base_url: str, token_file: str | None) -> None:
    connection = Connection(token, base_url)
    code = new_code()
    try:
        me = (await connection.bot.get_me()).username or ""
        _say(
            f"Send this to @{me} from the chat where alerts are to go (add the bot to a group"
            " first):",
            "",
            f"    /pair {code}",
            "",
            f"It counts for {LASTS_S / 60:.0f} minutes. Waiting …",
        )
        paired = await pair(connection.bot, me, code)
    except TelegramError as error:
        trouble = _trouble(error)
    else:
        _say("", "Paired. For the configuration:", "", *settings_lines(paired, token_file))
        return
    finally:
        await connection.close()
    raise PairingError(trouble)  # out here it carries nothing of the error it came from


def _trouble(error: TelegramError) -> str:
    match error:
        case Conflict():
            return "somebody else hears this bot: stop that program, or its webhook, first"
        case InvalidToken():
            return "Telegram refuses the token (or base_url is wrong)"
        case _:
            return f"Telegram does not answer: {type(error).__name__}"


def _daemon_runs(config: Config) -> bool:
    try:
        ask(state_folder(config) / SOCKET_FILE, AskStatus())
    except NotRunningError:
        return False
    return True


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
