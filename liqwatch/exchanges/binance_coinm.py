"""Binance COIN-M perpetuals: contracts of 100 or 10 dollars, margined and paid in the coin.

Documentation: developers.binance.com/docs/derivatives/coin-margined-futures, pages
websocket-market-streams (Aggregate-Trade-Streams, All-Market-Liquidation-Order-Streams,
Mark-Price-Stream), market-data/rest-api (Exchange-Information, Open-Interest,
Kline-Candlestick-Data, Open-Interest-Statistics) and Important-CM-UM-Integration-Notice. The
protocol is that of USDⓈ-M; quantities are contracts:

    <symbol>@aggTrade     {"e":"aggTrade","E":1700000000120,"a":424242,"s":"BTCUSD_PERP",
                           "p":"60000.1","q":"30","f":100,"l":105,"T":1700000000000,"m":true,"st":2}
    !forceOrder@arr       {"e":"forceOrder","E":1700000001050,"o":{"s":"BTCUSD_PERP","ps":"BTCUSD",
                           "S":"SELL","o":"LIMIT","f":"IOC","q":"40","p":"59500.0","ap":"60000.0",
                           "X":"FILLED","l":"10","z":"30","T":1700000000050,"st":2}}
    <symbol>@markPrice@1s {"e":"markPriceUpdate","E":1700000000000,"s":"BTCUSD_PERP",
                           "p":"60001.00000000","P":"60000.00000000","r":"0.00010000",
                           "T":1700006400000,"st":2}
    /dapi/v1/openInterest {"symbol":"BTCUSD_PERP","pair":"BTCUSD","openInterest":"15279",
                           "contractType":"PERPETUAL","time":1700000000000}
    /dapi/v1/klines       [[1700000100000,"60000.0","60100.0","59900.0","60050.0","6000",
                           1700000999999,"10.0",308,"2400","4.0","0"]]
    …/openInterestHist    [{"pair":"BTCUSD","contractType":"PERPETUAL","sumOpenInterest":"20403",
                           "sumOpenInterestValue":"34.005","timestamp":1700000100000}]

Unverified: whether this host, like its sister, delivers on the routed `/market` path only. The
documented path is tried first, the routed one when it acknowledges and stays silent. New margin
tiers are not asked for: the stream's page gives their caps in dollars, the REST page in coins.
"""

from liqwatch.events import Completeness, ContractType
from liqwatch.exchanges.base import MalformedFrame
from liqwatch.exchanges.binance_like import BinanceLike
from liqwatch.exchanges.binance_wire import Listing
from liqwatch.exchanges.history import named


class BinanceCoinm(BinanceLike):
    """Binance's coin-margined perpetuals.

    The liquidations of all symbols come on one stream: those of dated futures are told, too, since
    they push the coin all the same.
    """

    venue = "binance-coinm"
    title = "Binance COIN-M"
    completeness = Completeness.SAMPLED
    limits = (
        "at most one liquidation per symbol and second is shown, so totals are a floor; "
        "those of dated futures are counted in"
    )
    connects_per_s = 1.0  # 300 in 5 minutes
    history_per_s = 3.0  # as for USDⓈ-M

    websocket = "wss://dstream.binance.com/stream"
    routes = ("wss://dstream.binance.com/market/stream",)
    rest = "https://dapi.binance.com/dapi/v1"
    suffix = "USD_PERP"
    contract_type = ContractType.INVERSE
    market = 2
    streams_per_connection = 200

    def _terms(self, name: str) -> tuple[str, float] | None:
        instrument = self.instruments.get(name)
        return None if instrument is None else (instrument.symbol, instrument.contract_size)

    def _past_of(self, name: str) -> str:
        return f"pair={name.partition('_')[0]}&contractType=PERPETUAL"

    def _past_name(self, query: str) -> str:
        return f"{named(query, 'pair')}_PERP"

    def _forced_terms(self, name: str) -> tuple[str, float] | None:
        # All contracts of a pair (BTCUSD_PERP, BTCUSD_261225) are worth the same.
        return self._terms(f"{name.partition('_')[0]}_PERP")

    def _listed_terms(self, listing: Listing) -> tuple[str, float] | None:
        coin = listing.symbol.removesuffix(self.suffix)
        if coin == listing.symbol:
            return None
        if listing.contract_size is None:
            raise MalformedFrame("bad_field", f"{listing.symbol} without contract size")
        return coin, listing.contract_size

    def _per_coin(self, price: float, contract_size: float) -> float:  # noqa: ARG002 - dollars
        return price

    def _worth(
        self, price: float, quantity: float, contract_size: float
    ) -> tuple[float, float, float]:
        notional_usd = quantity * contract_size
        return price, notional_usd / price, notional_usd
