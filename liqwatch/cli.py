"""The `liqwatch` command: arguments in, exit codes out. Everything else is called from here.

The parts are imported by the commands that need them, so that `--help` answers at once.
"""

# ruff: noqa: PLC0415 - see above

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from liqwatch import __version__
from liqwatch.cli_parts import DONE, FILE, FOLDER, config_option, load
from liqwatch.cli_rehearse import rehearse, tune
from liqwatch.cli_telegram import notify_test, telegram, why

if TYPE_CHECKING:
    from liqwatch.log import Level

T = TypeVar("T")

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


class _Moment(click.ParamType[int]):
    """A time, as ms since 1970."""

    name = "time"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        if isinstance(value, int) or value.isdecimal():
            return int(value)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time such as 2026-11-22T14:05 or ms since 1970", param, ctx)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


MOMENT = _Moment()

alerts_option = click.option(
    "--alerts",
    type=FILE,
    metavar="FILE",
    help="Write every alert as one JSON object a line; - is standard output.",
)
events_option = click.option(
    "--events",
    type=FILE,
    metavar="FILE",
    help="Write every normalised market event as one JSON object a line; - is standard output.",
)


def main() -> None:
    """Run the command line and leave with its exit code. What goes wrong is one line, no traceback.

    An error that nobody foresaw is a bug, and does get its traceback.
    """
    try:
        code = commands(prog_name="liqwatch", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader had enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    except (KeyboardInterrupt, click.Abort):
        code = INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as nothing_asked:
        nothing_asked.show()
        code = WRONG_USAGE
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        command = context.command_path if context is not None else "liqwatch"
        _say(f"{error.format_message()} See {command} --help.")
        code = error.exit_code
    except Exception as error:
        code = _explain(error)
        if code is None:
            raise
    sys.exit(code)


def _explain(error: Exception) -> int | None:
    """Say what went wrong outside of us; None when it is not of that kind."""
    from liqwatch.config import ConfigError
    from liqwatch.control import ControlError
    from liqwatch.sinks import SinkError
    from liqwatch.sources.tape import TapeError
    from liqwatch.store import StoreError
    from liqwatch.store.parquet import ArchiveError

    match error:
        case ConfigError() | SinkError():
            _say(str(error))
            return WRONG_USAGE
        case TapeError() | StoreError() | ArchiveError() | ControlError():
            _say(str(error))
            return FAILED
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            _say(f"{where}{error.strerror or error}")
            return FAILED
        case _:
            return None


def _say(line: str) -> None:
    from liqwatch.log import redact

    click.echo(redact(line), err=True)


def _log(level: "Level") -> None:
    from liqwatch import log

    log.configure(level)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="liqwatch", message="%(prog)s %(version)s")
def commands() -> None:
    """Watch liquidation cascades on crypto perpetuals, and say when one starts, stalls and ends.

    liqwatch demo shows it on this machine alone. liqwatch run watches the live public feeds: no
    account, no key and no configuration are needed.

    Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
    """


@commands.command()
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Which market is made."
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0.1, max=1000),
    default=40,
    show_default=True,
    help="How many seconds of the market pass in one of yours.",
)
@click.option(
    "--record", type=FILE, metavar="FILE", help="Keep what the daemon received, as a tape."
)
@click.option("--chat", type=FILE, metavar="FILE", help="Draw the Telegram chat, as PNG.")
def demo(seed: int, speed: float, record: Path | None, chat: Path | None) -> int:
    """Show the whole daemon at work, on this machine alone.

    A simulated exchange serves a levered market on loopback websockets in the venues' own wire
    formats, and the daemon runs against it as it would against the real ones. A level is
    approached and rejected, then a cascade starts, stalls and ends. It takes about a minute and
    closes with a comparison of the alerts with what truly happened.

    Alerts go to the console, and to a simulated Telegram chat that is shown at the end. If
    LIQWATCH_CONFIG names a configuration, they go where its notify section says, so that you can
    see them arrive on Telegram; nothing else of it is used.
    """
    from liqwatch.demo import demo

    _log("WARNING")
    return demo(seed=seed, speed=speed, record=record, chat=chat)


@commands.command()
@config_option
@alerts_option
@events_option
def run(config_path: Path | None, alerts: Path | None, events: Path | None) -> int:
    """Watch the live feeds and send alerts, until stopped.

    Without a configuration it uses the built-in defaults: five large coins on all venues but the
    spot ones, alerts on the console.

    SIGINT (Ctrl-C) and SIGTERM send what is due and stop. SIGHUP reads the configuration again; a
    faulty one is refused, and the running one stays. The files of --alerts and --events are added
    to, never begun anew.
    """
    config = load(config_path)
    from liqwatch import app

    _log("INFO")
    return app.run(config, config_path=config_path, alerts=alerts, events=events)


@commands.command()
@click.argument("tapes", metavar="TAPE...", nargs=-1, required=True, type=FILE)
@config_option
@alerts_option
@events_option
@click.option(
    "--state",
    type=FOLDER,
    metavar="DIR",
    help="Go on from the snapshot kept in this folder, if there is one, and leave one there.",
)
@click.option(
    "--speed",
    type=click.Choice(["max", "1", "10"]),
    default="max",
    show_default=True,
    help="As fast as possible, at the pace of the market, or ten times that.",
)
def replay(
    tapes: tuple[Path, ...],
    config_path: Path | None,
    alerts: Path | None,
    events: Path | None,
    state: Path | None,
    speed: str,
) -> int:
    """Decide again over recorded tapes.

    Several tapes are merged by time. Without a configuration every coin on the tapes is
    watched. The same tapes give the same alerts, and with --state two halves of a tape, one after
    the other, give those of the whole.
    """
    config = load(config_path) if config_path is not None else None
    from liqwatch.replay import replay

    _log("WARNING")
    return replay(
        tapes,
        config=config,
        alerts=alerts,
        events=events,
        state=state,
        speed=None if speed == "max" else float(speed),
    )


@commands.command()
@config_option
@click.option("--out", type=FOLDER, metavar="DIR", required=True, help="Folder the tapes go to.")
def record(config_path: Path | None, out: Path) -> int:
    """Only record what the venues send, as tapes that replay can read."""
    config = load(config_path)
    from liqwatch import app

    _log("INFO")
    return app.record(config, out=out)


@commands.command()
@config_option
@click.option("--out", type=FILE, metavar="FILE", required=True, help="A .csv or .parquet file.")
@click.option("--symbol", "symbols", multiple=True, metavar="COIN", help="Only this coin.")
@click.option("--venue", "venues", multiple=True, metavar="ID", help="Only this venue.")
@click.option("--from", "since", type=MOMENT, metavar="TIME", help="From this time on …")
@click.option("--to", "until", type=MOMENT, metavar="TIME", help="… and before this one.")
@click.option("--gaps", is_flag=True, help="When who was not heard, instead of liquidations.")
def export(
    config_path: Path | None,
    out: Path,
    symbols: tuple[str, ...],
    venues: tuple[str, ...],
    since: int | None,
    until: int | None,
    gaps: bool,
) -> int:
    """Write recorded liquidations, or the gaps between them, as CSV or Parquet.

    They come from the state folder of the configuration; a daemon may be at work there. TIME is
    ISO 8601 (2026-11-22, 2026-11-22T14:05; UTC unless it says otherwise) or ms since 1970. --symbol
    and --venue may be given several times. Rows with history true were told late, after a
    connection or a gap.
    """
    config = load(config_path)
    from liqwatch.config import state_folder
    from liqwatch.keeping import ARCHIVE
    from liqwatch.store.parquet import Table, export

    if out.suffix not in {".csv", ".parquet"}:
        raise click.UsageError(f"{out}: neither .csv nor .parquet.")
    if gaps and symbols:
        raise click.UsageError("gaps are those of venues, not of coins.")
    folder = state_folder(config) / ARCHIVE
    table = Table.GAPS if gaps else Table.LIQUIDATIONS
    count = export(
        folder, out, table, symbols=symbols, venues=venues, since_ms=since, until_ms=until
    )
    click.echo(f"{out}: {count:,} {table}")
    return DONE


@commands.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead.")
def status(config_path: Path | None, as_json: bool) -> int:
    """Say how the running daemon is, and what each of its feeds delivers.

    A feed is live, quiet (nothing for a while, and nothing wrong), sampled (live, on a venue that
    shows only a part), stale or dead; of the last two it is said why.
    """
    config = load(config_path)
    from liqwatch.show_status import ask_status, show, show_as_json

    told = ask_status(config)
    (show_as_json if as_json else show)(told)
    return DONE


@commands.command("map")
@click.argument("symbol")
@click.option(
    "--from",
    "tapes",
    type=FILE,
    metavar="TAPE",
    multiple=True,
    help="Replay this tape instead of asking the daemon; several are merged by time.",
)
@click.option("--at", type=MOMENT, metavar="TIME", help="Stop the tape at this time.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead.")
@click.option("--png", type=FILE, metavar="FILE", help="Draw a picture instead.")
@click.option("--dark/--light", default=True, help="Paper of the picture; dark by default.")
@config_option
def show_map(
    symbol: str,
    tapes: tuple[Path, ...],
    at: int | None,
    as_json: bool,
    png: Path | None,
    dark: bool,
    config_path: Path | None,
) -> int:
    """Show where liquidations of a coin would lie, as a ladder, JSON or a picture.

    The map is that of the running daemon of the same configuration; if none runs, the one it left.
    With --from it is that of a tape, at TIME (ISO 8601, UTC unless it says otherwise, or ms since
    1970) or at its end; without a configuration no watch levels are known then.
    """
    if at is not None and not tapes:
        raise click.UsageError("--at needs a tape: --from TAPE.")
    config = load(config_path) if config_path is not None else None
    from liqwatch import show_map
    from liqwatch.control import picture
    from liqwatch.map_view import Theme

    _log("WARNING")
    shown = show_map.look(symbol, config, tapes=tapes, until_ms=at)
    if png is not None:
        png.write_bytes(picture(shown, Theme.DARK if dark else Theme.LIGHT))
    if as_json:
        show_map.show_as_json(shown)
    elif png is None:
        show_map.show(shown)
    else:
        click.echo(f"{png}: the map of {shown.map.symbol}")
    return DONE


@commands.command()
@click.option("--seed", type=click.IntRange(min=0), required=True, help="Which market is made.")
@click.option("--scenario", metavar="NAME", required=True, help="What happens in it, such as demo.")
@click.option("--out", type=FILE, metavar="TAPE", required=True, help="The tape to write.")
@click.option("--truth", type=FILE, metavar="FILE", required=True, help="What truly happened.")
def simulate(seed: int, scenario: str, out: Path, truth: Path) -> int:
    """Write a simulated market as a tape, with the truth beside it.

    The tape holds the venues' own wire formats, so replay reads it like a recording. The same seed
    and scenario give the same tape.
    """
    from liqwatch.simulator import SCENARIOS, simulate
    from liqwatch.yaml.reader import suggestion

    if scenario not in SCENARIOS:
        raise click.UsageError(f"No scenario {scenario}; {suggestion(scenario, SCENARIOS)}")
    simulate(seed=seed, scenario=scenario, out=out, truth=truth)
    return DONE


@commands.command()
@click.option(
    "--alerts", type=FILE, metavar="FILE", required=True, help="What was said: an alert file."
)
@click.option("--truth", type=FILE, metavar="FILE", required=True, help="What truly happened.")
def score(alerts: Path, truth: Path) -> int:
    """Hold alerts against the truth that simulate wrote: how many were right, and how soon."""
    import msgspec

    from liqwatch import simulator
    from liqwatch.alerts import Alert

    def decode(path: Path, kind: "type[T]", texts: list[bytes]) -> "list[T]":
        try:
            return [msgspec.json.decode(text, type=kind) for text in texts]
        except msgspec.DecodeError as error:
            raise click.ClickException(f"{path}: {error}.") from error

    said = decode(alerts, Alert, alerts.read_bytes().splitlines())
    (happened,) = decode(truth, simulator.Truth, [truth.read_bytes()])
    click.echo(str(simulator.score(said, happened)))
    return DONE


@commands.command("eval")
@click.option(
    "--episodes",
    type=click.IntRange(min=12),
    default=1008,
    show_default=True,
    help="How many held-out episodes; up to 252 more tune the others' thresholds.",
)
@click.option(
    "--world",
    type=click.Choice(["strong", "weak", "shifted"]),
    default="strong",
    show_default=True,
    help="How strongly liquidations feed themselves; shifted: concave impact, fat-tailed noise.",
)
@click.option(
    "--hours",
    type=click.IntRange(min=0, max=1000),
    default=168,
    show_default=True,
    help="How long feeds have been heard before.",
)
@click.option(
    "--ablations", is_flag=True, help="Each path of the start rule alone, and without its run-on."
)
@click.option(
    "--verdicts", is_flag=True, help="Measure verdicts on levels and outcomes instead of starts."
)
@click.option(
    "--calibration",
    is_flag=True,
    help="Measure instead whether flow called once a week comes about once a week.",
)
def evaluate(
    episodes: int, world: str, hours: int, *, ablations: bool, verdicts: bool, calibration: bool
) -> int:
    """Measure how well starts and stalls are called, in simulated markets whose truth is known.

    Each is seen at several visibilities, from all forced orders down to one a second, and beside
    thresholds on dollars, counts and price. The default takes the better part of an hour on two
    cores; the same arguments give the same table.
    """
    from liqwatch import evaluate as starts
    from liqwatch import evaluate_verdicts
    from liqwatch.simulator.episodes import calibration as rarities
    from liqwatch.simulator.episodes.worlds import World

    if calibration:
        parts = rarities.report()
    elif verdicts:
        parts = evaluate_verdicts.report(episodes=episodes, world=World(world), hours=hours)
    else:
        parts = starts.report(
            episodes=episodes, world=World(world), hours=hours, ablations=ablations
        )
    for part in parts:
        click.echo(f"{part}\n")
    return DONE


@commands.command()
@click.argument("file", type=FILE, required=False, envvar="LIQWATCH_CONFIG")
def check(file: Path | None) -> int:
    """Check a configuration, by default that of $LIQWATCH_CONFIG.

    Each mistake is told as FILE:LINE:COLUMN with what would be right.
    """
    config = load(file)
    coins = "every coin" if config.symbols is None else ", ".join(config.symbols)
    click.echo(f"{file or 'built-in defaults'}: ok, {coins} on {', '.join(config.venues)}")
    return DONE


@commands.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=10, max=600),
    default=45,
    show_default=True,
    help="How long a venue is listened to at most.",
)
def doctor(config_path: Path | None, as_json: bool, seconds: float) -> int:
    """Try out every venue, clock, receiver of alerts and disk, and say what is wrong.

    Each venue is reached, asked and listened to as run would, for a short time. Nothing is recorded
    or alerted, and a daemon may be at work: the connections are others, but count towards the same
    limits of the venue.

    Every line has a verdict: ok, attention (it works, but look at it) or failed, with what to do.
    The exit code is 1 when something failed. The keys of --json are described in
    liqwatch/doctor/report.py.
    """
    config = load(config_path)
    from liqwatch.doctor import doctor

    _log("ERROR")
    name = str(config_path or "built-in defaults")
    return doctor(config, name=name, as_json=as_json, seconds=seconds)


for _command in (notify_test, rehearse, telegram, tune, why):
    commands.add_command(_command)
