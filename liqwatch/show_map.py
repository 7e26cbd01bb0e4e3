"""Show somebody a map: of the running daemon, what it left behind, or a tape."""

import sys
from collections.abc import Sequence
from contextlib import closing
from io import TextIOWrapper
from pathlib import Path

import msgspec
from rich.console import Console

from liqwatch import memory
from liqwatch.alerting.map_text import ladder
from liqwatch.alerting.numbers import span
from liqwatch.app import DATABASE_FILE
from liqwatch.clock import WallClock
from liqwatch.config import Config, state_folder
from liqwatch.control import AskMap, ControlError, MapAnswer, find_map
from liqwatch.control_socket import SOCKET_FILE, NotRunningError, ask
from liqwatch.engine import Engine
from liqwatch.map_view import MapShown
from liqwatch.replay import replay_until
from liqwatch.sources.tape import TapeReader
from liqwatch.store import Database


def look(
    symbol: str, config: Config | None, *, tapes: Sequence[Path], until_ms: int | None
) -> MapShown:
    """Return a map.

    Of tapes it is the one they lead to, at a time or at their end; without them that of the running
    daemon, or the one it left, whose age is told on standard error. Raises ControlError, TapeError,
    StoreError and OSError.
    """
    if tapes:
        return _of_tapes(symbol, tapes, config, until_ms)
    config = config or Config()
    folder = state_folder(config)
    try:
        told = ask(folder / SOCKET_FILE, AskMap(symbol))
    except NotRunningError as nobody:
        left = _left_behind(symbol, config, folder / DATABASE_FILE)
        if left is None:
            raise NotRunningError(f"{nobody}, nor has one left a map there") from None
        age_h = (WallClock().now_ns() // 1_000_000 - left.map.time) / 3_600_000
        sys.stderr.write(f"{nobody}: this is the map of {span(age_h)} ago\n")
        return left
    if not isinstance(told, MapAnswer):
        raise ControlError("the daemon answers another question")
    return told.shown


def _of_tapes(
    symbol: str, tapes: Sequence[Path], config: Config | None, until_ms: int | None
) -> MapShown:
    until_ns = None if until_ms is None else until_ms * 1_000_000
    pipeline = replay_until([TapeReader(tape) for tape in tapes], config, until_ns)
    return find_map(pipeline.engine, symbol)


def _left_behind(symbol: str, config: Config, path: Path) -> MapShown | None:
    if not path.exists():
        return None
    with closing(Database(path)) as database:
        remembered = memory.load(database)
    if remembered is None:
        return None
    engine = Engine(config.engine, watch=config.symbols, promises={}, state=remembered[1])
    return find_map(engine, symbol)


def show(shown: MapShown) -> None:
    """Write a map to standard output, as wide as that is."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # bars are more than ASCII
    terminal = Console(file=sys.stdout, soft_wrap=True, highlight=False)
    terminal.print(ladder(shown, terminal.width))


def show_as_json(shown: MapShown) -> None:
    """Write a map to standard output as one JSON object."""
    sys.stdout.write(msgspec.json.encode(shown.map).decode() + "\n")
