"""What a person may ask of the running daemon: one vocabulary, whoever asks on his behalf."""

from collections.abc import Callable
from typing import assert_never

import msgspec

from liqwatch.engine import Engine
from liqwatch.engine.liveness import FeedHealth
from liqwatch.map_view import MapShown, Theme

MOST_NAMES = 20  # of the coins that are known


class ControlError(Exception):
    """What was asked cannot be told; one line says why."""


class NoMapError(ControlError):
    """There is no map of that coin; it is said of which there is one."""


class AskMap(msgspec.Struct, frozen=True, tag_field="ask", tag="map"):
    """The map of a coin."""

    symbol: str


class AskStatus(msgspec.Struct, frozen=True, tag_field="ask", tag="status"):
    """How the daemon is."""


class MapAnswer(msgspec.Struct, frozen=True, tag_field="answer", tag="map"):
    """The map."""

    shown: MapShown


class StatusAnswer(msgspec.Struct, frozen=True, tag_field="answer", tag="status"):
    """How the daemon is, in one line, and each of its feeds."""

    status: str
    feeds: tuple[FeedHealth, ...]


Question = AskMap | AskStatus
Answer = MapAnswer | StatusAnswer


class Control:
    """Answers for a daemon; `status` says in one line how it is."""

    def __init__(self, engine: Engine, status: Callable[[], str]) -> None:
        self._engine = engine
        self._status = status

    def answer(self, question: Question) -> Answer:
        """Answer, or raise ControlError."""
        match question:
            case AskStatus():
                return StatusAnswer(self._status(), tuple(self._engine.feeds()))
            case AskMap(symbol):
                return MapAnswer(find_map(self._engine, symbol))
            case _:
                assert_never(question)


def find_map(engine: Engine, symbol: str) -> MapShown:
    """Return the map of a coin, in upper or lower case. Raises NoMapError."""
    names = {name.casefold(): name for name in engine.state.symbols}
    known = symbol in engine.state.symbols
    shown = engine.show_map(symbol if known else names.get(symbol.casefold(), symbol))
    if shown is not None:
        return shown
    priced = sorted(name for name, one in engine.state.symbols.items() if one.price.price > 0)
    if not priced:
        raise NoMapError(f"no map of {symbol}: no coin has a price yet")
    more = f" and {len(priced) - MOST_NAMES} more" if len(priced) > MOST_NAMES else ""
    raise NoMapError(f"no map of {symbol}; known: {', '.join(priced[:MOST_NAMES])}{more}")


def picture(shown: MapShown, theme: Theme) -> bytes:
    """Return a picture of a map, as PNG."""
    from liqwatch.alerting.chart import draw  # noqa: PLC0415 - heavy, only for who wants it

    return draw(shown, theme)
