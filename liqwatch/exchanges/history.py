"""What the venue files share about the past of an instrument."""

from collections.abc import Iterable
from typing import Literal
from urllib.parse import parse_qs

from liqwatch.events import Instrument, OpenInterestHistory, PriceBar, PriceHistory

HOUR_MS = 3_600_000
_ROUNDING = 1e-6  # by so much an average may lie outside of its bar


def named(query: str, key: str) -> str:
    """Return the instrument that a request was about: its answer may not say it."""
    return parse_qs(query).get(key, [""])[0]


def price_bar(
    time: int,
    prices: tuple[float, float, float],
    *,
    paid: float,
    coins: float,
) -> PriceBar:
    """Return a bar of these low, high and last prices, in which so much was paid for so many coins.

    An average outside of the bar is none: the middle stands for it.

    >>> price_bar(0, (99.0, 101.0, 100.0), paid=1005.0, coins=10.0).average
    100.5
    >>> price_bar(0, (99.0, 102.0, 99.0), paid=0.0, coins=0.0).average
    100.0
    """
    low, high, last = prices
    average = paid / coins if coins > 0 else 0.0
    if not low * (1 - _ROUNDING) <= average <= high * (1 + _ROUNDING):
        average = (low + high + last) / 3
    return PriceBar(time, low, high, average)


def price_history(
    instrument: Instrument, bars: Iterable[PriceBar], *, interval_ms: int, received: int
) -> PriceHistory:
    """Return bars as an event."""
    return PriceHistory(
        venue=instrument.venue,
        symbol=instrument.symbol,
        instrument=instrument.instrument,
        time=received // 1_000_000,
        received=received,
        interval_ms=interval_ms,
        bars=tuple(sorted(bars, key=lambda bar: bar.time)),
    )


def open_interest_history(
    instrument: Instrument,
    points: Iterable[tuple[int, float]],
    *,
    unit: Literal["usd", "coin"] = "coin",
    received: int,
) -> OpenInterestHistory:
    """Return points of open interest as an event."""
    return OpenInterestHistory(
        venue=instrument.venue,
        symbol=instrument.symbol,
        instrument=instrument.instrument,
        time=received // 1_000_000,
        received=received,
        unit=unit,
        points=tuple(sorted(points)),
    )
