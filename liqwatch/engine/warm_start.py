"""A first map out of the past: open interest and prices from before anybody listened.

A book that begins, or goes on after a gap, is cold: what was opened meanwhile is not in it. When
its venue then tells the past, the book is built from that in place of the little that was followed
live; those minutes are one more bar.

It is the map of somebody who was there, blurred: who opened and closed within a bar is not seen.
Measured on eight simulated markets, medians over both sides: rank correlation with the truth was
0.73 from five days of quarter hours and 0.63 from four days of hours, where having been there gave
0.76; of the USD that were then in the map, half and a third. Five hundred bars take 40 ms.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from math import fsum, log
from statistics import fmean
from typing import NamedTuple

import msgspec

from liqwatch.engine.positions import JUMP_SHARE, PositionBook
from liqwatch.events import OpenInterestHistory, PriceBar, PriceHistory
from liqwatch.map_view import MapHistory

COLD_MS = 900_000  # so long a book waits for its past; later, what was followed live knows better
GAP_MS = 900_000  # without open interest: a book that goes on after it is cold again
LONGEST_STEP = 4  # bars: who opened in a longer one entered nobody knows where
OTHER_PRICE = 0.3  # log: a last bar so far from the price is of another unit, or another coin
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
OLD_MS = 24 * HOUR_MS  # followed live for so long, a map is no longer told by its history


class Cold(msgspec.Struct):
    """A book that lacks the time before `began_ms`, and what it was when that time began."""

    began_ms: int
    before: PositionBook | None = None


class Recalled(msgspec.Struct, frozen=True):
    """The time of which a book knows from its venue's records; from then on it is followed live."""

    since_ms: int
    until_ms: int


class Recollection(NamedTuple):
    """A book built from the past, where that begins, and how many points were not believed."""

    book: PositionBook
    since_ms: int
    left_out: int


def recall(
    cold: Cold,
    live: PositionBook,
    prices: PriceHistory,
    history: OpenInterestHistory,
    *,
    price: float,
    fade: float,
) -> Recollection | None:
    """Build the book of which `live` was followed so far; None of a past that does not fit it.

    Each point of open interest is a sample, at the average price of the bars since the one before,
    after their lows and highs have swept what was open; `price` is now's, `fade` a minute's. A
    point that jumps is held until another agrees; a step without prices, or longer than four bars,
    is where counting begins anew.
    """
    bars = _Bars(prices)
    book, left_out = cold.before, 0
    since_ms = last_ms = book.sampled_ms if book is not None else 0
    for time_ms, told in history.points:
        if time_ms <= last_ms:
            continue
        step = bars.between(last_ms, time_ms)
        if not step or time_ms > history.time + prices.interval_ms:
            left_out += book is not None  # the first bar may begin after the first point
            continue
        size = told if history.unit == "coin" else told / step[-1].average
        if book is None:
            book = PositionBook.begin(size, step[-1].average, live.longs.bucket, live.terms)
            since_ms = time_ms
        elif time_ms - last_ms > LONGEST_STEP * prices.interval_ms:
            _sweep(book, step)
            book.open_size, book.doubtful_size = size, None
        else:
            _sweep(book, step)
            book.sample(size, _average(step))
            left_out += book.doubtful_size is not None
            book.pass_time(step[-1].average, fade, minutes=(time_ms - last_ms) / MINUTE_MS)
        last_ms = time_ms
    if book is None or not _fits(book, live, prices.bars[-1].average, price):
        return None
    rest = bars.between(last_ms, history.time)
    _sweep(book, rest)
    book.sample(live.open_size, _average(rest) if rest else price)
    _go_on_as(live, book)
    return Recollection(book, since_ms, left_out)


def told_history(
    books: Mapping[str, PositionBook], recalled: Mapping[str, Recalled], now_ms: int
) -> MapHistory | None:
    """Return what of a map comes from before it was followed live; None once it has grown old."""
    young = {key: one for key, one in recalled.items() if now_ms - one.until_ms < OLD_MS}
    size = fsum(books[key].open_size for key in young)
    if size <= 0:
        return None

    def hours(of: Callable[[Recalled], int]) -> float:
        mean_ms = fsum(books[key].open_size * of(one) for key, one in young.items()) / size
        return round(mean_ms / HOUR_MS, 2)

    return MapHistory(
        hours=hours(lambda one: one.until_ms - one.since_ms),
        live_hours=hours(lambda one: now_ms - one.until_ms),
        share=round(size / fsum(book.open_size for book in books.values()), 4),
    )


class _Bars:
    def __init__(self, prices: PriceHistory) -> None:
        self._bars, self._interval_ms = prices.bars, prices.interval_ms
        self._begins = [bar.time for bar in prices.bars]

    def between(self, begin_ms: int, end_ms: int) -> Sequence[PriceBar]:
        """Return the bars that reach into a time."""
        first = bisect_right(self._begins, begin_ms - self._interval_ms)
        return self._bars[first : bisect_left(self._begins, end_ms)]


def _average(bars: Sequence[PriceBar]) -> float:
    return fmean(bar.average for bar in bars)


def _sweep(book: PositionBook, bars: Sequence[PriceBar]) -> None:
    for bar in bars:
        book.sweep(bar.low)
        book.sweep(bar.high)


def _fits(book: PositionBook, live: PositionBook, last: float, price: float) -> bool:
    """Whether the past ends where the present begins: in the same units, that is."""
    near = abs(book.open_size - live.open_size) <= JUMP_SHARE * live.open_size
    return near and abs(log(last / price)) < OTHER_PRICE


def _go_on_as(live: PositionBook, book: PositionBook) -> None:
    """Take over what belongs to the present: nobody saw what the past liquidated."""
    book.terms = live.terms
    book.sampled_ms, book.doubtful_size = live.sampled_ms, live.doubtful_size
    book.forced_usd, book.swept_usd = live.forced_usd, live.swept_usd
