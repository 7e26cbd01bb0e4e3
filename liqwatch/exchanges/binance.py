"""Binance USDⓈ-M perpetuals: one combined websocket of the routed `/market` class, and REST.

Documentation: developers.binance.com/docs/derivatives/usds-margined-futures, pages
websocket-market-streams (Aggregate-Trade-Streams, All-Market-Liquidation-Order-Streams,
Mark-Price-Stream, Contract-Info-Stream, Important-WebSocket-Change-Notice), market-data/rest-api
(Exchange-Information, Open-Interest, Kline-Candlestick-Data, Open-Interest-Statistics), and
derivatives/change-log. One payload per channel:

    <symbol>@aggTrade     {"e":"aggTrade","E":1700000000120,"a":5933014,"s":"BTCUSDT",
                           "p":"60000.10","q":"0.250","f":100,"l":105,"T":1700000000000,"m":true,"st":1}
    !forceOrder@arr       {"e":"forceOrder","E":1700000001050,"o":{"s":"BTCUSDT","S":"SELL",
                           "o":"LIMIT","f":"IOC","q":"0.500","p":"59500.00","ap":"59990.00",
                           "X":"FILLED","l":"0.100","z":"0.400","T":1700000000050,"st":1}}
    <symbol>@markPrice@1s {"e":"markPriceUpdate","E":1700000000000,"s":"BTCUSDT","p":"60001.00",
                           "i":"60000.50","P":"60000.00","r":"0.00010000","T":1700006400000}
    !contractInfo         {"e":"contractInfo","E":1700000000000,"s":"BTCUSDT","ct":"PERPETUAL",
                           "cs":"TRADING","bks":[{"bs":1,"bnf":0,"bnc":300000,"mmr":0.004,"cf":0,
                           "mi":76,"ma":150}],"st":1}
    /fapi/v1/openInterest {"openInterest":"10659.509","symbol":"BTCUSDT","time":1700000000000}
    /fapi/v1/klines       [[1700000100000,"60000.00","60100.00","59900.00","60050.00","10.000",
                           1700000999999,"600100.00",308,"4.000","240040.00","0"]]
    …/openInterestHist    [{"symbol":"BTCUSDT","sumOpenInterest":"34085.00000000",
                           "sumOpenInterestValue":"2045100000.0","timestamp":1700000100000}]

The old unrouted path still opens and acknowledges, and delivers nothing; it is tried only when the
routed one does the same. Margin tiers are told when they change, and need a key otherwise.
"""

from liqwatch.events import Completeness
from liqwatch.exchanges.binance_like import CONTRACT_INFO, FORCED_ORDERS, BinanceLike


class BinanceUsdm(BinanceLike):
    """Binance's dollar-margined perpetuals."""

    venue = "binance-usdm"
    title = "Binance USDⓈ-M"
    completeness = Completeness.SAMPLED
    usual_liquidations_per_h = 1500
    limits = "at most one liquidation per symbol and second is shown, so totals are a floor"
    connects_per_s = 1.0  # 300 in 5 minutes
    history_per_s = 3.0  # every other one of open interest, of which 1,000 in 5 minutes are allowed

    websocket = "wss://fstream.binance.com/market/stream"
    routes = ("wss://fstream.binance.com/stream",)
    rest = "https://fapi.binance.com/fapi/v1"
    suffix = "USDT"
    market_streams = (FORCED_ORDERS, CONTRACT_INFO)
    streams_per_connection = 1000  # 1,024 documented
