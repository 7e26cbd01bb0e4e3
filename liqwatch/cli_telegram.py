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


@click.command()
@click.argument("word", metavar="[ID]", default="")
@config_option
def why(word: str, config_path: Path | None) -> int:
    """Say why an alert was decided on, and what became of it.

    ID is that of a story, or any part of an alert's own, of which the newest is meant; without it,
    the newest of all. The running daemon of the same configuration tells, or what one left behind.
    """
    config = load(config_path)
    from liqwatch.show_why import show_why

    quietly()
    show_why(config, word)
    return DONE
