"""Tell somebody at a console why an alert was decided on, and what became of it."""

import sys
from contextlib import closing

from liqwatch.app import DATABASE_FILE
from liqwatch.config import Config, state_folder
from liqwatch.control.vocabulary import Answer, AskWhy, ControlError, WhyAnswer
from liqwatch.control.why import explain
from liqwatch.control_socket import SOCKET_FILE, NotRunningError, ask
from liqwatch.sinks.telegram.bot.answers import reply
from liqwatch.store import Database


def show_why(config: Config, word: str) -> None:
    """Write it to standard output: as the running daemon tells, or from what one left behind.

    Raises ControlError, StoreError and OSError.
    """
    folder = state_folder(config)
    try:
        told = ask(folder / SOCKET_FILE, AskWhy(word))
    except NotRunningError:
        if not (folder / DATABASE_FILE).exists():
            raise
        with closing(Database(folder / DATABASE_FILE)) as database:
            told = WhyAnswer(explain(database, word))
    if not isinstance(told, WhyAnswer):
        raise ControlError("the daemon answers another question")
    show(told)


def show(told: Answer) -> None:
    """Write an answer to standard output as the bot words it."""
    sys.stdout.write("\n".join(reply(told, "en").lines) + "\n")
