"""The map of one coin as it is read: its clusters and zones, and what price does to them."""

from collections.abc import Callable, Collection, Mapping
from math import floor, fsum, log

from msgspec.structs import replace

from liqwatch.alerts import Direction
from liqwatch.engine.calibration import Scale
from liqwatch.engine.clusters import REACH, Zone, Zones, find_clusters, merge_zones
from liqwatch.engine.liquidation_map import MapSettings
from liqwatch.engine.listings import Listing
from liqwatch.engine.map_judge import MapJudge
from liqwatch.engine.map_layers import MOST_LAYERS, Layer, UserCluster
from liqwatch.engine.map_scale import common_scale, factor_of
from liqwatch.engine.merged import Side, frozen_shares, merge, venue_weights
from liqwatch.engine.open_positions import OpenPositions
from liqwatch.engine.passages import Passage
from liqwatch.engine.positions import PASS_S
from liqwatch.engine.self_score import Score
from liqwatch.engine.settings import SymbolSettings
from liqwatch.engine.state import MapState, Met, SymbolState
from liqwatch.engine.warm_start import told_history
from liqwatch.events import Liquidation, Position
from liqwatch.map_import import ImportedMap
from liqwatch.map_view import MapHistory

CLUSTERS_EVERY_S = 10
AGAINST_MAP_RATIO = 3.0
MET_KEPT_MS = 900_000
TOTAL_EVERY_S = 30
CHANGE_OVER_S = 300
WATCHED_MARGIN_BUCKETS = 1.5  # a cluster this near a watched price is the same thing to a person


class SymbolMap:
    """Follows what is told of open positions, as `positions`.

    `zones` are the clusters and watched prices of now; `sides` is the map they were found in, by
    the direction of the move that sets it off, renewed together with them: empty before. Its
    amounts carry the scale once there is one; the smallest cluster that is named goes by the amount
    without it, so that what is learned of dollars changes no decision.
    """

    def __init__(
        self,
        state: SymbolState,
        settings: MapSettings,
        own: SymbolSettings,
        listings: Mapping[str, Listing],
    ) -> None:
        self._symbol = state
        self._state: MapState = state.map
        self._settings = settings
        self._bucket = bucket = settings.bucket_bp / 1e4
        state.map.layers = {
            source: layer for source, layer in state.map.layers.items() if layer.bucket == bucket
        }
        self.positions = OpenPositions(state, settings, listings)
        self._judge = MapJudge(state, self.positions)
        self.sides: dict[Direction, Side] = {}
        self._watched = [_watched(state.name, price) for price in own.watch_levels]
        self._yours = [_yours(state.name, cluster) for cluster in own.clusters]
        self._renew_zones()

    def take_import(self, imported: ImportedMap) -> None:
        """Take a map from elsewhere, in place of what is known of the venues it covers.

        The same map told again stays as price has left it.
        """
        layers, layer = self._state.layers, Layer.of(imported, self._bucket)
        known = layers.get(layer.source)
        if known is None or not known.says_the_same(layer):
            layers[layer.source] = layer
        while len(layers) > MOST_LAYERS:
            del layers[min(layers, key=lambda source: layers[source].as_of_ms)]

    def keep_imports(self, sources: Collection[str]) -> None:
        """Let go of the maps from elsewhere that are not from these."""
        for source in self._state.layers.keys() - set(sources):
            del self._state.layers[source]

    def liquidated(self, key: str, event: Liquidation, time_ms: int) -> None:
        """Take one liquidation that is news and went through the book."""
        self._judge.forced(key, event, time_ms)
        self.positions.liquidated(key, event, time_ms)

    # -- time --------------------------------------------------------------------------------------

    def close_second(self, second: int, now_ms: int) -> None:
        """Take what was told; now and then find clusters anew."""
        if self._symbol.price.stale_s:
            return
        state, turn = self._state, second + self._symbol.number
        self.positions.close_second(now_ms, minute_ends=turn % PASS_S == 0)
        for layer in state.layers.values():
            layer.pass_price(self._symbol.price.price)
        if state.books:
            self._remember_total(second, now_ms)
        told = state.books or state.observed or state.layers
        if turn % CLUSTERS_EVERY_S == 0 and (told or state.clusters):
            self._renew_clusters(now_ms)

    def close_minute(self, now_ms: int, heard_since_s: Callable[[str], int | None]) -> None:
        """Take a minute's end, after its last second: learn from what was liquidated in it.

        `heard_since_s` says since when a venue's liquidations are heard without a gap, None if they
        are not.
        """
        self._judge.close_minute(now_ms, self.sides, heard_since_s)

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

    # -- what it looks like ------------------------------------------------------------------------

    def _renew_clusters(self, now_ms: int) -> None:
        state, price = self._state, self._symbol.price.price
        self.positions.sweep_accounts(now_ms)
        factor = self.factor()
        self.sides = merge(state, price, self._bucket, scale=factor)
        state.names_levels = state.score.report().names_levels
        found: list[Zone] = []
        for direction, side in self.sides.items():
            ends = sorted((log(price), log(price) + direction.sign * REACH))
            mass = side.by_key(*(floor(end / self._bucket) for end in ends))
            state.within_reach_usd[direction] = fsum(mass.values())
            zones = find_clusters(
                mass,
                bucket=self._bucket,
                position=direction.position,
                minimum_usd=self._settings.min_cluster_usd * factor,
                known=[zone for zone in state.clusters if zone.faces(direction)],
                prefix=self._symbol.name,
            )
            found += [with_sources(zone, side) for zone in zones]
        state.clusters = found
        self._renew_zones()

    def _renew_zones(self) -> None:
        margin = WATCHED_MARGIN_BUCKETS * self._bucket
        named = self._state.clusters if self._state.names_levels else []
        clusters = merge_zones(self._watched, named, margin=margin)
        self.zones = Zones([*clusters, *self._yours])

    def notional_usd(self, low: float, high: float, position: Position) -> float:
        """Return the USD of one side liquidated between two prices, at the last renewal.

        Within 30 % below and 42 % above the price; 0 of what lies on the wrong side of it.
        """
        side = self.sides.get(Direction.of(position))
        return side.notional_usd(low, high) if side else 0.0

    def scale(self) -> Scale | None:
        """Return what a dollar of the estimate is worth, None while the map is only relative."""
        return common_scale(self._state)

    def factor(self) -> float:
        """Return what the amounts shown are multiplied by: 1 while the map is only relative."""
        return factor_of(self._state)

    def score(self) -> Score:
        """Return how good the map has been."""
        return self._state.score.report()

    def venue_weights(self) -> dict[str, float]:
        """Return what each venue counts for in the map."""
        return venue_weights(self._state)

    def frozen_shares(self, now_ms: int) -> dict[str, float]:
        """Return the venues whose open interest is missing or in doubt, with their share of it.

        Their part of the map stays as it last was known.
        """
        return frozen_shares(self._state, now_ms)

    def passages(self) -> list[Passage]:
        """Return the clusters that price passed lately, with what was expected and what came."""
        return list(self._state.passages)

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

    def history(self, now_ms: int) -> MapHistory | None:
        """Return what of a young map comes from the venues' records, None if nothing does."""
        return told_history(self._state.books, self._state.recalled, now_ms)

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
        minimum_usd = self._settings.min_cluster_usd * self.factor()
        return there >= max(minimum_usd, AGAINST_MAP_RATIO * here)


def _watched(symbol: str, price: float) -> Zone:
    return Zone(
        id=f"{symbol}-{price:.8g}",
        low=price,
        high=price,
        position=None,
        notional_usd=None,
        source="user",
    )


def _yours(symbol: str, cluster: UserCluster) -> Zone:
    return Zone(
        id=f"{symbol}-{cluster.position}-{cluster.low:.8g}-{cluster.high:.8g}",
        low=cluster.low,
        high=cluster.high,
        position=cluster.position,
        notional_usd=cluster.notional_usd,
        source="user",
        sources=("user",),
    )


def with_sources(zone: Zone, side: Side) -> Zone:
    """Return a cluster with who tells of it: all of them, who tells most, and what is observed."""
    shares = side.shares(zone.low, zone.high)
    return replace(
        zone,
        source=max(shares, key=lambda source: shares[source], default="estimate"),
        sources=tuple(shares),
        observed_share=shares.get("observed", 0.0),
    )
