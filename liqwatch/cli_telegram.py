"""The commands about messages and their receivers; `cli.py` takes them in."""

# ruff: noqa: PLC0415 - imported by the commands that need them, as in cli.py

from pathlib import Path

import click

from liqwatch.cli_parts import DONE, FILE, config_option, load, quietly


@click.group()
def telegram() -> None:
    """Set up a Telegram chat."""


@telegram.command()
@config_option
@click.option(
    "--token-file",
    type=FILE,
    metavar="FILE",
    help="A file with the bot's token; by default as the configuration says.",
)
def pair(config_path: Path | None, token_file: Path | None) -> int:
    """Find out the ids of a chat: send a code to the bot from there.

    The bot answers with the ids, and the lines for the configuration are printed here. It works
    while no liqwatch hears this bot; from one that does, /id asks the same.
    """
    config = load(config_path)
    from liqwatch.pairing import pair_chat

    quietly()
    pair_chat(config, token_file)
    return DONE


@click.command("notify-test")
@config_option
def notify_test(config_path: Path | None) -> int:
    """Send a sample of every kind of message to every receiver, in each language.

    They are marked as samples, and a daemon may be at work. What cannot be delivered is said, and
    the exit code is 1 then.
    """
    config = load(config_path)
    from liqwatch.notify_test import send_samples

    quietly()
    return send_samples(config)


class _When(click.ParamType[str]):
    """A time of day, or ISO 8601; which moment is meant is known to who answers."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from liqwatch.moments import parsed

        try:
            parsed(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


@click.command()
@click.argument("word", metavar="[ID]", default="")
@click.option("--symbol", metavar="COIN", help="Say why no cascade of this coin was called …")
@click.option("--at", type=_When(), metavar="TIME", help="… about this time, or which one was.")
@click.option(
    "--tape",
    "tapes",
    type=FILE,
    metavar="TAPE",
    multiple=True,
    help="Decide again over this tape instead of asking; several are merged by time.",
)
@config_option
def why(
    word: str,
    symbol: str | None,
    at: str | None,
    tapes: tuple[Path, ...],
    config_path: Path | None,
) -> int:
    """Say why an alert was decided on and what became of it, or why there was none.

    ID is that of a story, or any part of an alert's own, of which the newest is meant; without it,
    the newest of all.

    With --symbol and --at: what was decided within five minutes of TIME, and how near a start was
    that was not called: each number of the start rule against its limit. TIME is the last such time
    of day (14:05) or ISO 8601 (2026-11-22T14:05), UTC unless it says otherwise (14:05+02:00).

    The running daemon of the same configuration tells, or what one left behind.
    """
    if (symbol is None) != (at is None):
        raise click.UsageError("--symbol and --at go together.")
    if word and symbol is not None:
        raise click.UsageError("Either an ID, or --symbol and --at.")
    if tapes and symbol is None:
        raise click.UsageError("--tape needs --symbol and --at.")
    config = load(config_path) if config_path is not None else None
    from liqwatch.config import Config
    from liqwatch.show_why import show_why
    from liqwatch.show_why_not import show_why_not

    quietly()
    if symbol is not None and at is not None:
        show_why_not(config, symbol, at, tapes=tapes)
    else:
        show_why(config or Config(), word)
    return DONE
