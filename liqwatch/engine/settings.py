"""The settings of the engine, assembled from the parts that use them."""

import msgspec

from liqwatch.engine.levels import LevelSettings
from liqwatch.engine.liquidation_map import MapSettings
from liqwatch.engine.map_layers import UserCluster
from liqwatch.engine.market_story import MarketSettings
from liqwatch.engine.quarantine import QuarantineSettings
from liqwatch.engine.start import DetectionSettings


class SymbolSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one coin is watched for, where it differs from the rest."""

    watch_levels: tuple[float, ...] = ()
    """Prices you want to hear about: approached, crossed, turned back."""

    clusters: tuple[UserCluster, ...] = ()
    """Clusters you know of, from wherever: watched like those of the map, and shown as yours."""

    detection: DetectionSettings | None = None
    """Thresholds of this coin alone; keys left out are those of the general section."""


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that decides what becomes an alert."""

    detection: DetectionSettings = DetectionSettings()
    market: MarketSettings = MarketSettings()
    levels: LevelSettings = LevelSettings()
    map: MapSettings = MapSettings()
    quarantine: QuarantineSettings = QuarantineSettings()
