"""Aster perpetuals: a fork of Binance's protocol on unrouted paths, with limits of its own.

Documentation: github.com/asterdex/api-docs, aster-finance-futures-api-v3.md (Exchange Information;
Websocket Market Streams: Aggregate Trade, All Market Liquidation Order, Mark Price). One payload
per channel:

    <symbol>@aggTrade     {"e":"aggTrade","E":1700000000120,"s":"BTCUSDT","a":5933014,
                           "p":"60000.1","q":"0.250","f":100,"l":105,"T":1700000000000,"m":true}
    !forceOrder@arr       {"e":"forceOrder","E":1700000001050,"o":{"s":"BTCUSDT","S":"SELL",
                           "o":"LIMIT","f":"IOC","q":"0.500","p":"59500.0","ap":"59990.0",
                           "X":"FILLED","l":"0.100","z":"0.400","T":1700000000050}}
    <symbol>@markPrice@1s {"e":"markPriceUpdate","E":1700000000000,"s":"BTCUSDT","p":"60001.0",
                           "i":"60000.5","P":"60000.0","r":"0.00010000","T":1700006400000}
    /fapi/v3/openInterest {"symbol":"BTCUSDT","openInterest":"5599.890","time":1700000000000}

Unverified: open interest stands in no official page, only in its users' code, as base coins
counted once; whether aggregate ids have no holes, so that holes are not counted as gaps.
"""

from liqwatch.events import Completeness
from liqwatch.exchanges.binance_like import BinanceLike


class Aster(BinanceLike):
    """Aster's perpetuals."""

    venue = "aster"
    title = "Aster"
    completeness = Completeness.SAMPLED
    limits = "only the latest liquidation per symbol and second is shown, so totals are a floor"
    connects_per_s = 1.0  # not documented

    websocket = "wss://fstream.asterdex.com/stream"
    rest = "https://fapi.asterdex.com/fapi/v3"
    suffix = "USDT"
    numbers_without_holes = False
    streams_per_connection = 200
