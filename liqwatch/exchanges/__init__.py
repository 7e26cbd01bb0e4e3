"""The venues: frames in, events out. One file and one line here per venue."""

from liqwatch.exchanges.base import Exchange
from liqwatch.exchanges.binance import BinanceUsdm
from liqwatch.exchanges.bybit import BybitLinear
from liqwatch.exchanges.okx import OkxSwap

_VENUES: tuple[type[Exchange], ...] = (
    BinanceUsdm,
    BybitLinear,
    OkxSwap,
)
EXCHANGES = {kind.venue: kind for kind in _VENUES}

# How much each venue shows of its forced flow.
COMPLETENESS = {venue: kind.completeness for venue, kind in EXCHANGES.items()}
