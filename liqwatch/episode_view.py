"""A cascade as its picture shows it: facts only."""

import msgspec

from liqwatch.alerts import Running
from liqwatch.map_view import MapShown


class EpisodeShown(msgspec.Struct, frozen=True):
    """A cascade with the map around it and the minutes that led here.

    `prices` and `forced_usd` are (ms, value) by steps of some seconds, oldest first; of the forced
    orders only those that push the cascade on, as far as they were visible.
    """

    running: Running
    shown: MapShown
    prices: tuple[tuple[int, float], ...]
    forced_usd: tuple[tuple[int, float], ...]
    step_ms: int
