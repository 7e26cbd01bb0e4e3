"""The venues: frames in, events out. One file and one line here per venue."""

from liqwatch.exchanges.aster import Aster
from liqwatch.exchanges.base import Exchange
from liqwatch.exchanges.binance import BinanceUsdm
from liqwatch.exchanges.binance_coinm import BinanceCoinm
from liqwatch.exchanges.binance_spot import BinanceSpot
from liqwatch.exchanges.bitfinex import Bitfinex
from liqwatch.exchanges.bitget import BitgetUsdt
from liqwatch.exchanges.bybit import BybitInverse, BybitLinear
from liqwatch.exchanges.coinbase_spot import CoinbaseSpot
from liqwatch.exchanges.deribit import Deribit
from liqwatch.exchanges.dydx import Dydx
from liqwatch.exchanges.gate import GateUsdt
from liqwatch.exchanges.htx import HtxLinear
from liqwatch.exchanges.hyperliquid import Hyperliquid
from liqwatch.exchanges.kraken import KrakenFutures
from liqwatch.exchanges.lighter import Lighter
from liqwatch.exchanges.okx import OkxSwap
from liqwatch.exchanges.okx_spot import OkxSpot
from liqwatch.exchanges.paradex import Paradex

_VENUES: tuple[type[Exchange], ...] = (
    BinanceUsdm,
    BinanceCoinm,
    BybitLinear,
    BybitInverse,
    OkxSwap,
    GateUsdt,
    BitgetUsdt,
    HtxLinear,
    Hyperliquid,
    Lighter,
    Deribit,
    KrakenFutures,
    Bitfinex,
    Dydx,
    Aster,
    Paradex,
    BinanceSpot,
    CoinbaseSpot,
    OkxSpot,
)
EXCHANGES = {kind.venue: kind for kind in _VENUES}
