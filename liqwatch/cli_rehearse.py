"""The commands that try a configuration out; `cli.py` takes them in."""

# ruff: noqa: PLC0415 - imported by the commands that need them, as in cli.py

import sys
from io import TextIOWrapper
from pathlib import Path

import click

from liqwatch.cli_parts import FILE, FOLDER, config_option, load, quietly

LONGEST_S = 7 * 86_400

tapes_argument = click.argument("tapes", metavar="[TAPE...]", nargs=-1, type=FILE)
state_option = click.option(
    "--state",
    type=FOLDER,
    metavar="DIR",
    help="Begin with what is remembered in this folder; nothing is written there.",
)


class _Span(click.ParamType[float]):
    """A time span, in seconds."""

    name = "span"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        from msgspec.inspect import FloatType

        from liqwatch.yaml import words
        from liqwatch.yaml.tree import Position, Scalar

        if isinstance(value, float):
            return value
        kind = FloatType(ge=1, le=LONGEST_S)
        seconds = words.value(Scalar(Position(1, 1), value), kind, "live_s")
        if seconds is None:
            self.fail(f"{value!r} is not {words.allowed(kind, 'live_s')}", param, ctx)
        return float(seconds)


def _speak() -> None:
    quietly("WARNING")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # messages are more than ASCII


@click.command()
@tapes_argument
@config_option
@click.option(
    "--live", type=_Span(), metavar="TIME", help="Listen to the venues for so long, such as 10m."
)
@state_option
def rehearse(
    tapes: tuple[Path, ...], config_path: Path | None, live: float | None, state: Path | None
) -> int:
    """Say what a configuration would send, and send nothing.

    Each line is what a receiver would get, or not, and why; then all are counted. Edits are at
    most so many: those that wait for each other go out as one. The fallback is left out, as it is
    told only while Telegram fails.

    It goes over recorded tapes; without any, over those that liqwatch run has left in the state
    folder; with --live it listens to the venues and keeps nothing. Ctrl-C ends it early. Without a
    configuration, a tape that is named has every coin watched, and all go to the console.

    --state takes what replay --state left, with --live what liqwatch run left: what is rare is
    known only after days of listening.
    """
    if tapes and live is not None:
        raise click.UsageError("--live listens now: it takes no tapes.")
    config = load(config_path) if config_path is not None else None
    from liqwatch.config import Config
    from liqwatch.rehearse import rehearse, rehearse_live

    _speak()
    if live is not None:
        return rehearse_live(config or Config(), live, state=state)
    return rehearse(tapes, config=config, state=state)


@click.command()
@tapes_argument
@config_option
@click.option("--symbol", metavar="COIN", help="Only this coin, which is faster.")
@state_option
def tune(
    tapes: tuple[Path, ...], config_path: Path | None, symbol: str | None, state: Path | None
) -> int:
    """Count the cascades that other thresholds would have called.

    It goes over recorded tapes; without any, over those that liqwatch run has left in the state
    folder. Each of the main thresholds is tried at several values, the others as they are; what a
    coin has of its own stays. Ctrl-C ends it early. Without a configuration, a tape that is named
    has every coin watched.

    --state takes what replay --state left: what is rare is known only after days of listening.
    """
    config = load(config_path) if config_path is not None else None
    from liqwatch.tune import tune

    _speak()
    return tune(tapes, config=config, symbol=symbol, state=state)
