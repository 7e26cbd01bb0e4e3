"""What is told of a coin's open positions: open interest, margin terms, accounts, liquidations."""

from collections.abc import Mapping

from liqwatch.engine.liquidation_map import MapSettings
from liqwatch.engine.listings import Listing, terms_of
from liqwatch.engine.margin import Terms
from liqwatch.engine.observed import Observed
from liqwatch.engine.passages import expect, realise
from liqwatch.engine.positions import PASS_S, PositionBook
from liqwatch.engine.state import MapState, SymbolState
from liqwatch.events import AccountPosition, Liquidation

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
            state.books[key] = book
        if key in state.told:
            book.sampled_ms = now_ms
            if size != book.open_size or book.doubtful_size is not None:
                book.sample(size, self._symbol.sources[key].take_average_price())
        for swept in book.sweep(price):
            expect(state.passages, swept, state.clusters, now_ms)
        if minute_ends and not book.frozen(now_ms):
            book.pass_time(price, self._fade)

    def sweep_accounts(self, now_ms: int) -> None:
        """Let go of the known positions that the mark has reached."""
        for key, known in self._state.observed.items():
            known.sweep(self.mark(key, now_ms))

    def mark(self, key: str, now_ms: int) -> float:
        """Return the price at which a venue judges margin, or the common one if it is not told."""
        source = self._symbol.sources.get(key)
        if source is not None and source.mark and source.mark_ms > now_ms - MARK_FRESH_MS:
            return source.mark
        return self._symbol.price.price

    def _terms(self, key: str, price: float) -> Terms:
        return terms_of(self._listings, key, self._symbol.name, price)
