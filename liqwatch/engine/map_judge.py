"""The map held against what was then seen to be liquidated: its scale and its score."""

from collections.abc import Callable

from liqwatch.alerts import Direction
from liqwatch.engine.calibration import Learned, Step
from liqwatch.engine.merged import Side, frozen_shares, venue_of
from liqwatch.engine.open_positions import OpenPositions
from liqwatch.engine.positions import PASS_S
from liqwatch.engine.self_score import judged_price
from liqwatch.engine.state import MapState, SymbolState
from liqwatch.events import Completeness, Liquidation

MOST_FROZEN = 0.5  # of open interest: a map with more of it in doubt is not put to the test


class MapJudge:
    """Learns from the liquidations of one coin, minute by minute."""

    def __init__(self, state: SymbolState, positions: OpenPositions) -> None:
        self._symbol = state
        self._state: MapState = state.map
        self._positions = positions

    def forced(self, key: str, event: Liquidation, time_ms: int) -> None:
        """Judge the map by a liquidation."""
        mark = self._positions.mark(key, time_ms)
        price = judged_price(event, mark if mark > 0 else None)
        if price is not None:
            self._state.score.forced(time_ms, event.position, price, event.notional_usd)

    def close_minute(
        self,
        now_ms: int,
        sides: dict[Direction, Side],
        heard_since_s: Callable[[str], int | None],
    ) -> None:
        """Take a minute's end: learn what it showed, and keep what the map says when that is due.

        `heard_since_s` says since when a venue's liquidations are heard without a gap, None if they
        are not.
        """
        began_s, venues = now_ms // 1000 - PASS_S, {venue_of(key) for key in self._state.books}
        for venue in sorted(venues):
            since_s = heard_since_s(venue)
            heard = since_s is not None and since_s <= began_s
            self._learn(venue, now_ms, heard=heard and not self._symbol.price.stale_s)
        score = self._state.score
        sound = sum(frozen_shares(self._state, now_ms).values()) <= MOST_FROZEN
        if sides and sound and not self._symbol.price.stale_s and score.due(now_ms):
            score.freeze(
                now_ms,
                self._symbol.price.price,
                longs=sides[Direction.DOWN].profile(),
                shorts=sides[Direction.UP].profile(),
            )

    def _learn(self, venue: str, now_ms: int, *, heard: bool) -> None:
        keys = [key for key in self._state.books if venue_of(key) == venue]
        books = [self._state.books[key] for key in keys]
        prices = [
            (self._positions.mark(key, now_ms), self._symbol.sources[key].price) for key in keys
        ]
        mark, last = max(prices, key=lambda pair: abs(pair[0] / pair[1] - 1))
        whole = heard and not any(book.frozen(now_ms) for book in books)
        for direction in Direction:
            feed, position = self._symbol.feeds[direction].get(venue), direction.position
            if feed is None or feed.completeness is not Completeness.FULL:
                continue
            swept_usd, forced_usd = sum(book.swept_usd[position] for book in books), feed.total_usd
            known = self._state.learned.setdefault(venue, {}).setdefault(
                position, Learned(swept_usd, forced_usd)
            )
            step = Step(
                time_ms=now_ms,
                swept_usd=(swept_usd - known.swept_usd,),
                forced_usd=forced_usd - known.forced_usd,
                completeness=feed.completeness,
                whole=whole,
                mark=mark,
                last=last,
            )
            known.swept_usd, known.forced_usd = swept_usd, forced_usd
            expected_usd = known.calibration.scale().value * step.swept_usd[0]
            if known.calibration.update(step):
                self._state.score.compare(now_ms, expected_usd, step.forced_usd)
