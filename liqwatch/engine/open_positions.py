"""What is told of a coin's open positions: open interest, margin terms, accounts, liquidations."""

from collections.abc import Mapping
from copy import deepcopy

from liqwatch.engine.liquidation_map import MapSettings
from liqwatch.engine.listings import Listing, terms_of
from liqwatch.engine.map_scale import factor_of
from liqwatch.engine.margin import Terms
from liqwatch.engine.observed import Observed
from liqwatch.engine.passages import expect, realise
from liqwatch.engine.positions import PASS_S, PositionBook
from liqwatch.engine.state import MapState, SymbolState
from liqwatch.engine.warm_start import COLD_MS, GAP_MS, Cold, Recalled, recall
from liqwatch.events import AccountPosition, Liquidation, OpenInterestHistory, PriceHistory

MARK_FRESH_MS = 60_000
DAY_S = 86_400


class OpenPositions:
    """Keeps the position book of every instrument, and the accounts that are known.

    An instrument's key is "venue|instrument". No trade comes here.
    """

    def __init__(
        self, state: SymbolState, settings: MapSettings, listings: Mapping[str, Listing]
    ) -> None:
        self._symbol = state
        self._state: MapState = state.map
        self._listings = listings
        self._bucket = settings.bucket_bp / 1e4
        self._fade = 0.5 ** (PASS_S / (settings.half_life_days * DAY_S))
        if any(book.longs.bucket != self._bucket for book in state.map.books.values()):
            state.map.books, state.map.clusters = {}, []  # other buckets cannot be compared
            state.map.cold, state.map.recalled = {}, {}

    def tell(self, key: str, open_size: float) -> None:
        """Take the newest open interest of an instrument; its book follows when the second ends."""
        self._state.open_interest[key] = open_size
        if key not in self._state.told:
            self._state.told.append(key)

    def relist(self, key: str) -> None:
        """Go by what a venue has told of an instrument from now on."""
        book, price = self._state.books.get(key), self._symbol.price.price
        if book is not None and price > 0:
            book.terms = self._terms(key, price)

    def take(self, event: AccountPosition) -> None:
        """Take what one account holds now; nothing before the coin has a price."""
        price, key = self._symbol.price.price, f"{event.venue}|{event.instrument}"
        if price > 0:
            book, known = self._state.books.get(key), self._state.observed.get(key)
            if known is None:
                known = self._state.observed[key] = Observed()
            known.take(event, price, book.terms if book else self._terms(key, price))

    def take_past(self, prices: PriceHistory, history: OpenInterestHistory) -> int:
        """Take the past of one instrument, if its book lacks it; return how many points of it were
        not believed.
        """
        state, key = self._state, f"{history.venue}|{history.instrument}"
        if key not in state.cold:
            return 0
        cold, price = state.cold.pop(key), self._symbol.price.price
        found = recall(cold, state.books[key], prices, history, price=price, fade=self._fade)
        if found is None:
            return len(history.points)
        state.books[key] = found.book
        state.recalled[key] = Recalled(found.since_ms, cold.began_ms)
        return found.left_out

    def liquidated(self, key: str, event: Liquidation, time_ms: int) -> None:
        """Take one liquidation: no position that closed by itself, and what the map expected."""
        book = self._state.books.get(key)
        if book is not None:
            book.forced_usd += event.notional_usd
        realise(self._state.passages, event.position, event.notional_usd, time_ms)

    def close_second(self, now_ms: int, *, minute_ends: bool) -> None:
        """Take what was told in this second, and where the mark has come."""
        for key in self._state.open_interest:
            if self._symbol.sources[key].price > 0:
                self._follow(key, now_ms, minute_ends=minute_ends)
        self._state.told.clear()

    def _follow(self, key: str, now_ms: int, *, minute_ends: bool) -> None:
        state, price, size = self._state, self.mark(key, now_ms), self._state.open_interest[key]
        book = state.books.get(key)
        if book is None:
            book = PositionBook.begin(size, price, self._bucket, self._terms(key, price))
            state.books[key], state.cold[key] = book, Cold(now_ms)
        if key in state.told:
            if book.sampled_ms and now_ms - book.sampled_ms > GAP_MS:
                state.cold[key] = Cold(now_ms, before=deepcopy(book))
            book.sampled_ms = now_ms
            if size != book.open_size or book.doubtful_size is not None:
                book.sample(size, self._entry(key))
        for swept in book.sweep(price):
            expect(state.passages, swept, state.clusters, now_ms, scale=factor_of(state))
        if minute_ends:
            self._end_minute(key, book, price, now_ms)

    def _entry(self, key: str) -> float:
        return self._symbol.sources[key].take_average_price(self._symbol.price.price)

    def _end_minute(self, key: str, book: PositionBook, price: float, now_ms: int) -> None:
        if not book.frozen(now_ms):
            book.pass_time(price, self._fade)
        if key in self._state.cold and now_ms - self._state.cold[key].began_ms > COLD_MS:
            del self._state.cold[key]

    def sweep_accounts(self, now_ms: int) -> None:
        """Let go of the known positions that the mark has reached, and of those long unheard of."""
        for key, known in self._state.observed.items():
            known.forget(now_ms)
            known.sweep(self.mark(key, now_ms))

    def mark(self, key: str, now_ms: int) -> float:
        """Return the price at which a venue judges margin, or the common one if it is not told."""
        source = self._symbol.sources.get(key)
        if source is not None and source.mark and source.mark_ms > now_ms - MARK_FRESH_MS:
            return source.mark
        return self._symbol.price.price

    def _terms(self, key: str, price: float) -> Terms:
        return terms_of(self._listings, key, self._symbol.name, price)
