"""What a dollar of a coin's estimated map is worth, as far as its liquidations have shown."""

from liqwatch.engine.calibration import Calibration, Scale, together
from liqwatch.engine.merged import open_interest_shares
from liqwatch.engine.state import MapState
from liqwatch.events import Position

UNKNOWN = Calibration(prior=(1.0,)).scale()


def common_scale(state: MapState) -> Scale | None:
    """Return the scale of the whole map, None while no venue is calibrated.

    It is the mean of all venues and sides by open interest; those whose feeds are not complete have
    the mean of the others.
    """
    if not state.learned:
        return None
    parts = []
    for venue, share in open_interest_shares(state).items():
        sides = state.learned.get(venue, {})
        for position in Position:
            one = sides.get(position)
            parts.append((one.calibration.scale() if one else UNKNOWN, share / 2))
    return together(parts)


def factor_of(state: MapState) -> float:
    """Return what amounts are multiplied by: 1 while the map is only relative."""
    scale = common_scale(state)
    return 1.0 if scale is None else scale.value
