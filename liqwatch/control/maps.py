"""Finding the map of a coin as a person names it."""

from collections.abc import Collection

from liqwatch.control.vocabulary import NoMapError
from liqwatch.engine import Engine
from liqwatch.map_view import MapShown, Theme

MOST_NAMES = 20  # of the coins that are known


def find_map(engine: Engine, symbol: str) -> MapShown:
    """Return the map of a coin, in upper or lower case. Raises NoMapError."""
    shown = engine.show_map(coin(symbol, engine.state.symbols))
    if shown is not None:
        return shown
    raise NoMapError(f"no map of {symbol}{but(engine)}")


def but(engine: Engine) -> str:
    """Say which coins have a price, after what is said of one that has none."""
    priced = sorted(name for name, one in engine.state.symbols.items() if one.price.price > 0)
    if not priced:
        return ": no coin has a price yet"
    more = f" and {len(priced) - MOST_NAMES} more" if len(priced) > MOST_NAMES else ""
    return f"; known: {', '.join(priced[:MOST_NAMES])}{more}"


def coin(word: str, known: Collection[str]) -> str:
    """Return the coin that is meant, in upper or lower case; the word itself if none is known."""
    if word in known:
        return word
    names = {name.casefold(): name for name in known}
    return names.get(word.casefold(), word)


def picture(shown: MapShown, theme: Theme) -> bytes:
    """Return a picture of a map, as PNG."""
    from liqwatch.alerting.chart import draw  # noqa: PLC0415 - heavy, only for who wants it

    return draw(shown, theme)
