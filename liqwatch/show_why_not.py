"""Tell somebody at a console why no cascade was called about a time, or which one was."""

import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from liqwatch import memory
from liqwatch.alerts import Alert
from liqwatch.app import DATABASE_FILE
from liqwatch.clock import WallClock
from liqwatch.config import Config, state_folder
from liqwatch.control.replays import BEFORE, tapes_of
from liqwatch.control.vocabulary import AskWhyNot, ControlError, WhyNotAnswer
from liqwatch.control.why_not import AROUND_MS, explain_silence, past_moment_ms
from liqwatch.control_socket import SOCKET_FILE, NotRunningError, ask
from liqwatch.engine import Engine
from liqwatch.keeping import TAPES
from liqwatch.moments import moment_ms
from liqwatch.replay import replay_until
from liqwatch.show_why import show
from liqwatch.sources.tape import TapeReader, merge_tapes
from liqwatch.store import Database

AROUND = timedelta(milliseconds=AROUND_MS)
SETTLES_MS = 5_000  # by then what happened is received and decided on


def show_why_not(config: Config | None, symbol: str, at: str, *, tapes: Sequence[Path]) -> None:
    """Write it to standard output.

    From tapes; without them as the running daemon tells, or what one left behind, and where that
    does not remember, from the tapes it kept, which is said on standard error. Raises ControlError,
    TapeError, ConfigError for what a tape names, StoreError and OSError.
    """
    if tapes:
        show(_of_tapes(symbol, at, tapes, config))
        return
    config = config or Config()
    told = _remembered(config, symbol, at)
    if told.forgotten:
        moment = datetime.fromtimestamp(told.at / 1000, UTC)
        kept = tapes_of(state_folder(config) / TAPES, moment - BEFORE, moment + AROUND)
        if kept:
            sys.stderr.write("not remembered: decided again from the tapes kept of that time\n")
            told = _of_tapes(symbol, moment.isoformat(), kept, config)
    show(told)


def _remembered(config: Config, symbol: str, at: str) -> WhyNotAnswer:
    folder = state_folder(config)
    try:
        told = ask(folder / SOCKET_FILE, AskWhyNot(symbol, at))
    except NotRunningError:
        left = _left_behind(config, symbol, at, folder / DATABASE_FILE)
        if left is None:
            raise
        return left
    if not isinstance(told, WhyNotAnswer):
        raise ControlError("the daemon answers another question")
    return told


def _left_behind(config: Config, symbol: str, at: str, path: Path) -> WhyNotAnswer | None:
    if not path.exists():
        return None
    at_ms = past_moment_ms(at, WallClock().now_ns() // 1_000_000)
    with closing(Database(path)) as database:
        remembered = memory.load(database)
        if remembered is None:
            return None
        engine = Engine(config.engine, watch=config.symbols, promises={}, state=remembered[1])
        return explain_silence(engine, symbol, at_ms, database)


def _of_tapes(symbol: str, at: str, tapes: Sequence[Path], config: Config | None) -> WhyNotAnswer:
    readers = [TapeReader(tape) for tape in tapes]
    at_ms = _moment_on(readers, at)
    alerts: list[Alert] = []
    until_ns = (at_ms + AROUND_MS + SETTLES_MS) * 1_000_000
    pipeline = replay_until(readers, config, until_ns, on_alerts=alerts.extend)
    return explain_silence(pipeline.engine, symbol, at_ms, alerts)


def _moment_on(readers: Sequence[TapeReader], at: str) -> int:
    """Return which moment of tapes is meant. Raises ControlError if it is not on them."""
    first_ms = last_ms = 0
    for record in merge_tapes(readers):
        last_ms = record.at // 1_000_000
        first_ms = first_ms or last_ms
    if not last_ms:
        raise ControlError("there is nothing on the tape")
    at_ms = moment_ms(at, last_ms)
    if not first_ms <= at_ms <= last_ms:
        begins, ends = (
            f"{datetime.fromtimestamp(one / 1000, UTC):%Y-%m-%d %H:%M:%S}"
            for one in (first_ms, last_ms)
        )
        raise ControlError(f"{at} is not on the tape, which goes from {begins} to {ends} UTC")
    return at_ms
