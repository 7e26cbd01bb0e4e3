"""The map of one coin: position books per instrument, merged on read into clusters and zones."""

from collections.abc import Iterable
from math import floor, fsum, log
from operator import add

from liqwatch.alerts import Direction
from liqwatch.engine.clusters import REACH, Zone, find_clusters, merge_zones
from liqwatch.engine.liquidation_map import MapSettings
from liqwatch.engine.positions import PositionBook
from liqwatch.engine.price import Source
from liqwatch.engine.state import MapState, Met, SymbolState

CLUSTERS_EVERY_S = 10
AGAINST_MAP_RATIO = 3.0
MET_KEPT_MS = 900_000
MARK_FRESH_MS = 60_000
TOTAL_EVERY_S = 30
CHANGE_OVER_S = 300
WATCHED_MARGIN_BUCKETS = 1.5  # a cluster this near a watched price is the same thing to a person
DAY_S = 86_400


class SymbolMap:
    """Follows open interest and price; `zones` are the clusters and watched prices of now."""

    def __init__(
        self, state: SymbolState, settings: MapSettings, watch_levels: Iterable[float]
    ) -> None:
        self._symbol = state
        self._state: MapState = state.map
        self._settings = settings
        self._bucket = settings.bucket_bp / 1e4
        self._fade = 0.5 ** (1 / (settings.half_life_days * DAY_S))
        if any(book.longs.bucket != self._bucket for book in state.map.books.values()):
            state.map.books, state.map.clusters = {}, []  # other buckets cannot be compared
        self._watched = [_watched(state.name, price) for price in watch_levels]
        self._renew_zones()

    def close_second(self, second: int, now_ms: int) -> None:
        """Take the newest open interest of every instrument; now and then find clusters anew."""
        if self._symbol.price.stale_s:
            return
        for key, size in self._state.open_interest.items():
            source = self._symbol.sources[key]
            marked = source.mark is not None and source.mark_ms > now_ms - MARK_FRESH_MS
            price = source.mark if marked else self._symbol.price.price
            if price is not None and source.price > 0:
                self._follow(key, source, size, price)
        if not self._state.books:
            return
        self._remember_total(second, now_ms)
        if (second + self._symbol.number) % CLUSTERS_EVERY_S == 0:
            self._renew_clusters()

    def _remember_total(self, second: int, now_ms: int) -> None:
        state = self._state
        state.began_ms = state.began_ms or now_ms
        if len(state.books) != state.counted:  # another venue's contracts are not new positions
            state.counted = len(state.books)
            state.totals.clear()
        if second % TOTAL_EVERY_S == 0:
            state.totals.append(self._open_size())
            del state.totals[: -CHANGE_OVER_S // TOTAL_EVERY_S - 1]

    def _open_size(self) -> float:
        return fsum(book.open_size for book in self._state.books.values())

    def open_interest_change_pct(self) -> float | None:
        """Return by how much open interest changed in five minutes; None while that is unknown."""
        totals = self._state.totals
        if len(totals) * TOTAL_EVERY_S <= CHANGE_OVER_S or totals[0] <= 0:
            return None
        return 100 * (self._open_size() / totals[0] - 1)

    def hours(self, now_ms: int) -> float | None:
        """Return since when the map has been built; None before the first sample."""
        began_ms = self._state.began_ms
        return None if began_ms is None else (now_ms - began_ms) / 3_600_000

    def _follow(self, key: str, source: Source, size: float, price: float) -> None:
        book = self._state.books.get(key)
        if book is None:
            book = self._state.books[key] = PositionBook.begin(size, price, self._bucket)
        if size != book.open_size:
            book.sample(size, source.take_average_price())
        book.sweep(price)
        book.decay(self._fade)

    def _renew_clusters(self) -> None:
        found: list[Zone] = []
        for direction in Direction:
            mass = self._mass(direction)
            self._state.within_reach_usd[direction] = fsum(mass.values())
            found += find_clusters(
                mass,
                bucket=self._bucket,
                position=direction.position,
                minimum_usd=self._settings.min_cluster_usd,
                known=[zone for zone in self._state.clusters if zone.faces(direction)],
                prefix=self._symbol.name,
            )
        self._state.clusters = found
        self._renew_zones()

    def _mass(self, direction: Direction) -> dict[int, float]:
        """Return USD by bucket that a move this way would liquidate, all venues together."""
        x = log(self._symbol.price.price)
        here, there = x / self._bucket, (x + direction.sign * REACH) / self._bucket
        low, high = floor(min(here, there)), floor(max(here, there)) + 1
        total = [0.0] * (high - low)
        for book in self._state.books.values():
            ladder = book.side(direction.position)
            total = list(map(add, total, ladder.dense(low, high)))
        return {low + index: usd for index, usd in enumerate(total) if usd > 0.0}

    def _renew_zones(self) -> None:
        margin = WATCHED_MARGIN_BUCKETS * self._bucket
        self.zones = merge_zones(self._watched, self._state.clusters, margin=margin)

    # -- what price did to it -------------------------------------------------------------------

    def meet(self, before: float, price: float, now_ms: int, *, forget_ms: int) -> None:
        """Remember the zones price ran into in this second, each once within `forget_ms`."""
        state = self._state
        state.met = [met for met in state.met if now_ms - met.time_ms < MET_KEPT_MS]
        direction = Direction.UP if price > before else Direction.DOWN
        known = {zone.id for zone in self.met_since(direction, now_ms - forget_ms)}
        state.met += [
            Met(zone=zone, direction=direction, time_ms=now_ms)
            for zone in self.facing(before, price, direction)
            if zone.id not in known
        ]

    def met_since(self, direction: Direction, since_ms: int) -> list[Zone]:
        """Return the zones that a move this way ran into, in order."""
        return [
            met.zone
            for met in self._state.met
            if met.direction is direction and met.time_ms >= since_ms
        ]

    def facing(self, start: float, end: float, direction: Direction) -> list[Zone]:
        """Return the zones between two prices that a move this way would set off, in order."""
        met = self.zones.crossed(start, end, direction)
        return [zone for zone in met if zone.faces(direction)]

    def swept_usd(self, direction: Direction) -> float:
        """Return the mass that price has passed, ever, on the side that this move liquidates."""
        return sum(book.swept_usd[direction.position] for book in self._state.books.values())

    def against(self, direction: Direction) -> bool:
        """Return whether the map says that the other side is the heavy one."""
        opposite = Direction.DOWN if direction is Direction.UP else Direction.UP
        here = self._state.within_reach_usd.get(direction, 0.0)
        there = self._state.within_reach_usd.get(opposite, 0.0)
        return there >= max(self._settings.min_cluster_usd, AGAINST_MAP_RATIO * here)


def _watched(symbol: str, price: float) -> Zone:
    return Zone(
        id=f"{symbol}-{price:.8g}",
        low=price,
        high=price,
        position=None,
        notional_usd=None,
        source="user",
    )
