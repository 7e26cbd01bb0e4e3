"""The venues: frames in, events out. One file and one line here per venue."""

from liqwatch.exchanges.base import Exchange
from liqwatch.exchanges.binance import BinanceUsdm
from liqwatch.exchanges.bybit import BybitLinear
from liqwatch.exchanges.okx import OkxSwap

EXCHANGES: dict[str, type[Exchange]] = {
    BinanceUsdm.venue: BinanceUsdm,
    BybitLinear.venue: BybitLinear,
    OkxSwap.venue: OkxSwap,
}

# How much each venue shows of its forced flow.
COMPLETENESS = {name: exchange.completeness for name, exchange in EXCHANGES.items()}
