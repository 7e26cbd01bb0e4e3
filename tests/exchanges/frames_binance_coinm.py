"""Frames of Binance COIN-M, written by hand after developers.binance.com/docs/derivatives/
coin-margined-futures (websocket-market-streams, market-data/rest-api, Important-CM-UM-
Integration-Notice; texts of 2026-11), with the events they must give.
"""

from liqwatch.events import (
    Completeness,
    ContractType,
    Event,
    Funding,
    Instrument,
    Liquidation,
    MarkPrice,
    OpenInterestHistory,
    Position,
    PriceBar,
    PriceHistory,
    PriceKind,
    Side,
    Trade,
)
from liqwatch.exchanges.base import Acknowledged, Control, Refused

VENUE = "binance-coinm"
RECEIVED = 1_700_000_002_000_000_000
LIST_URL = "https://dapi.binance.com/dapi/v1/exchangeInfo"
LIST = """{"timezone":"UTC","serverTime":1,"symbols":[
{"symbol":"BTCUSD_PERP","pair":"BTCUSD","contractType":"PERPETUAL","contractStatus":"TRADING",
 "contractSize":100,"baseAsset":"BTC","quoteAsset":"USD","marginAsset":"BTC","filters":[
 {"filterType":"PRICE_FILTER","tickSize":"0.1"},{"filterType":"LOT_SIZE","stepSize":"1"}]},
{"symbol":"ETHUSD_PERP","pair":"ETHUSD","contractType":"PERPETUAL","contractStatus":"TRADING",
 "contractSize":10,"baseAsset":"ETH","quoteAsset":"USD","marginAsset":"ETH","filters":[
 {"filterType":"PRICE_FILTER","tickSize":"0.01"}]},
{"symbol":"OLDUSD_PERP","pair":"OLDUSD","contractType":"PERPETUAL","contractStatus":"CLOSE",
 "contractSize":10,"baseAsset":"OLD","quoteAsset":"USD","marginAsset":"OLD","filters":[
 {"filterType":"PRICE_FILTER","tickSize":"0.001"}]},
{"symbol":"BTCUSD_261225","pair":"BTCUSD","contractType":"CURRENT_QUARTER",
 "contractStatus":"TRADING","contractSize":100,"baseAsset":"BTC","quoteAsset":"USD",
 "marginAsset":"BTC","filters":[{"filterType":"PRICE_FILTER","tickSize":"0.1"}]}]}"""


def listed(name: str, symbol: str, size: float, tick_size: float, status: str) -> Instrument:
    return Instrument(
        venue=VENUE,
        symbol=symbol,
        instrument=name,
        time=RECEIVED // 1_000_000,
        received=RECEIVED,
        contract_type=ContractType.INVERSE,
        contract_size=size,
        tick_size=tick_size,
        status=status,
    )


REST: dict[str, tuple[str, str, list[Event]]] = {
    "instruments": (
        LIST_URL,
        LIST,
        [
            listed("BTCUSD_PERP", "BTC", 100.0, 0.1, "TRADING"),
            listed("ETHUSD_PERP", "ETH", 10.0, 0.01, "TRADING"),
            listed("OLDUSD_PERP", "OLD", 10.0, 0.001, "CLOSE"),
        ],
    ),
    "open interest before any price": (
        "http://127.0.0.1:9/dapi/v1/openInterest?symbol=BTCUSD_PERP",
        """{"symbol":"BTCUSD_PERP","pair":"BTCUSD","openInterest":"15279",
        "contractType":"PERPETUAL","time":1700000001000}""",
        [],
    ),
    "past prices: volume in contracts, turnover in coins": (
        "https://dapi.binance.com/dapi/v1/klines?symbol=BTCUSD_PERP&interval=15m&limit=500",
        """[[1700000100000,"9640.7","9642.4","9640.6","9642.0","206",1700000999999,"2.13660389",48,
             "119","1.23424865","0"]]""",
        [
            PriceHistory(
                venue=VENUE,
                symbol="BTC",
                instrument="BTCUSD_PERP",
                time=RECEIVED // 1_000_000,
                received=RECEIVED,
                interval_ms=900_000,
                bars=(PriceBar(1_700_000_100_000, 9640.6, 9642.4, 20_600 / 2.13660389),),
            )
        ],
    ),
    "past open interest in contracts": (
        "https://dapi.binance.com/futures/data/openInterestHist?pair=BTCUSD&contractType=PERPETUAL&period=15m&limit=500",
        """[{"pair":"BTCUSD","contractType":"PERPETUAL","sumOpenInterest":"20403",
             "sumOpenInterestValue":"211.62","timestamp":1700000100000}]""",
        [
            OpenInterestHistory(
                venue=VENUE,
                symbol="BTC",
                instrument="BTCUSD_PERP",
                time=RECEIVED // 1_000_000,
                received=RECEIVED,
                unit="usd",
                points=((1_700_000_100_000, 2_040_300.0),),
            )
        ],
    ),
}


def trade(name: str, symbol: str, price: float, size: float, side: Side, number: str) -> Trade:
    return Trade(VENUE, symbol, name, 1_700_000_000_000, RECEIVED, price, size, side, number)


def liquidation(
    name: str, symbol: str, position: Position, price: float, size: float, notional_usd: float
) -> Liquidation:
    return Liquidation(
        venue=VENUE,
        symbol=symbol,
        instrument=name,
        time=1_700_000_000_050,
        received=RECEIVED,
        position=position,
        size=size,
        price=price,
        price_kind=PriceKind.FILL,
        notional_usd=notional_usd,
        completeness=Completeness.SAMPLED,
    )


BTC = (VENUE, "BTC", "BTCUSD_PERP", 1_700_000_001_000, RECEIVED)

FRAMES: dict[str, tuple[str, list[Event | Control]]] = {
    "aggregate trade of 30 contracts, buyer was the maker": (
        """{"stream":"btcusd_perp@aggTrade","data":{"e":"aggTrade","E":1700000000120,"a":424242,
        "s":"BTCUSD_PERP","p":"60000","q":"30","f":100,"l":105,"T":1700000000000,"m":true,
        "st":2}}""",
        [trade("BTCUSD_PERP", "BTC", 60000.0, 0.05, Side.SELL, "424242")],
    ),
    "aggregate trade, raw, before the markets were merged": (
        """{"e":"aggTrade","E":1700000000120,"a":8,"s":"ETHUSD_PERP","p":"2500","q":"5",
        "f":1,"l":1,"T":1700000000000,"m":false}""",
        [trade("ETHUSD_PERP", "ETH", 2500.0, 0.02, Side.BUY, "8")],
    ),
    "single trade": (
        """{"stream":"btcusd_perp@trade","data":{"e":"trade","E":1700000000010,
        "T":1700000000000,"s":"BTCUSD_PERP","t":173906,"p":"50000","q":"1","X":"MARKET",
        "m":false}}""",
        [trade("BTCUSD_PERP", "BTC", 50000.0, 0.002, Side.BUY, "173906")],
    ),
    "single trade with the insurance fund": (
        """{"e":"trade","E":1700000000010,"T":1700000000000,"s":"BTCUSD_PERP","t":173907,
        "p":"50000","q":"1","X":"INSURANCE_FUND","m":false}""",
        [],
    ),
    "trade of a dated future": (
        """{"stream":"btcusd_261225@aggTrade","data":{"e":"aggTrade","E":1700000000120,"a":9,
        "s":"BTCUSD_261225","p":"61000","q":"30","f":1,"l":1,"T":1700000000000,"m":true}}""",
        [],
    ),
    "trade of a contract whose size is not known": (
        """{"e":"aggTrade","E":1700000000120,"a":9,"s":"NEWUSD_PERP","p":"61","q":"30","f":1,
        "l":1,"T":1700000000000,"m":true,"st":2}""",
        [],
    ),
    "forced order, selling": (
        """{"stream":"!forceOrder@arr","data":{"e":"forceOrder","E":1700000001050,"o":{
        "s":"BTCUSD_PERP","ps":"BTCUSD","S":"SELL","o":"LIMIT","f":"IOC","q":"40","p":"59500",
        "ap":"60000","X":"FILLED","l":"10","z":"30","T":1700000000050,"st":2}}}""",
        [liquidation("BTCUSD_PERP", "BTC", Position.LONG, 60000.0, 0.05, 3000.0)],
    ),
    "forced order, buying, of a dated future": (
        """{"e":"forceOrder","E":1700000001050,"st":2,"ps":"BTCUSD","o":{"s":"BTCUSD_261225",
        "S":"BUY","o":"LIMIT","f":"IOC","q":"3","p":"62500","ap":"60000","X":"FILLED","l":"3",
        "z":"3","T":1700000000050}}""",
        [liquidation("BTCUSD_261225", "BTC", Position.SHORT, 60000.0, 0.005, 300.0)],
    ),
    "forced order of the other market": (
        """{"stream":"!forceOrder@arr","data":{"e":"forceOrder","E":1700000001050,"o":{
        "s":"BTCUSDT","S":"SELL","o":"LIMIT","f":"IOC","q":"0.5","p":"59500","ap":"59990",
        "X":"FILLED","l":"0.1","z":"0.4","T":1700000000050,"ps":"BTCUSDT","st":1}}}""",
        [],
    ),
    "mark price": (
        """{"stream":"btcusd_perp@markPrice@1s","data":{"e":"markPriceUpdate",
        "E":1700000001000,"s":"BTCUSD_PERP","p":"60001.00000000","P":"60000.00000000",
        "r":"-0.00020000","T":1700006400000,"st":2}}""",
        [
            MarkPrice(*BTC, price=60001.0),
            Funding(*BTC, rate=-0.0002, next_time=1_700_006_400_000),
        ],
    ),
    "mark price of a dated future": (
        """{"e":"markPriceUpdate","E":1700000001000,"s":"BTCUSD_261225","p":"61000",
        "P":"60000","r":"","T":0}""",
        [],
    ),
    "margin tiers, which nobody asked for": (
        """{"e":"contractInfo","E":1700000001000,"s":"BTCUSD_PERP","ps":"BTCUSD",
        "ct":"PERPETUAL","cs":"TRADING","bks":[{"bs":1,"bnf":0,"bnc":5000,"mmr":0.01,"cf":0,
        "mi":21,"ma":50}],"st":2}""",
        [],
    ),
    "subscriptions acknowledged": ('{"result":null,"id":1}', [Acknowledged()]),
    "request refused": (
        '{"error":{"code":2,"msg":"Invalid request: invalid stream"},"id":4}',
        [Refused("2 Invalid request: invalid stream")],
    ),
}
