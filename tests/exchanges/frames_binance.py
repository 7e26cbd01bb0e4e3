"""Frames of Binance USDⓈ-M, written by hand after developers.binance.com/docs/derivatives/
usds-margined-futures (websocket-market-streams, market-data/rest-api; texts of 2026-11), with the
events they must give.
"""

from liqwatch.events import (
    Completeness,
    ContractType,
    Event,
    Funding,
    Instrument,
    Liquidation,
    MarginTier,
    MarginTiers,
    MarkPrice,
    OpenInterest,
    OpenInterestHistory,
    Position,
    PriceBar,
    PriceHistory,
    PriceKind,
    Side,
    Trade,
)
from liqwatch.exchanges.base import Acknowledged, Control, Refused

VENUE = "binance-usdm"
RECEIVED = 1_700_000_002_000_000_000
LIST_URL = "https://fapi.binance.com/fapi/v1/exchangeInfo"
LIST = """{"timezone":"UTC","serverTime":1,"symbols":[
{"symbol":"BTCUSDT","pair":"BTCUSDT","contractType":"PERPETUAL","status":"TRADING",
 "baseAsset":"BTC","quoteAsset":"USDT","marginAsset":"USDT","filters":[
 {"filterType":"LOT_SIZE","stepSize":"0.001"},{"filterType":"PRICE_FILTER","tickSize":"0.10"}]},
{"symbol":"1000PEPEUSDT","pair":"1000PEPEUSDT","contractType":"PERPETUAL","status":"TRADING",
 "baseAsset":"1000PEPE","quoteAsset":"USDT","marginAsset":"USDT","filters":[
 {"filterType":"PRICE_FILTER","tickSize":"0.0000100"}]},
{"symbol":"ETHUSDC","pair":"ETHUSDC","contractType":"PERPETUAL","status":"TRADING",
 "baseAsset":"ETH","quoteAsset":"USDC","marginAsset":"USDC","filters":[
 {"filterType":"PRICE_FILTER","tickSize":"0.01"}]},
{"symbol":"OLDUSDT","pair":"OLDUSDT","contractType":"PERPETUAL","status":"SETTLING",
 "baseAsset":"OLD","quoteAsset":"USDT","marginAsset":"USDT","filters":[
 {"filterType":"PRICE_FILTER","tickSize":"0.01"}]},
{"symbol":"ETHBTC","pair":"ETHBTC","contractType":"PERPETUAL","status":"TRADING",
 "baseAsset":"ETH","quoteAsset":"BTC","marginAsset":"BTC","filters":[]},
{"symbol":"BTCUSDT_261225","pair":"BTCUSDT","contractType":"CURRENT_QUARTER","status":"TRADING",
 "baseAsset":"BTC","quoteAsset":"USDT","marginAsset":"USDT","filters":[]}]}"""


def listed(name: str, symbol: str, size: float, tick_size: float, status: str) -> Instrument:
    return Instrument(
        venue=VENUE,
        symbol=symbol,
        instrument=name,
        time=RECEIVED // 1_000_000,
        received=RECEIVED,
        contract_type=ContractType.LINEAR,
        contract_size=size,
        tick_size=tick_size,
        status=status,
    )


REST: dict[str, tuple[str, str, list[Event]]] = {
    "instruments": (
        LIST_URL,
        LIST,
        [
            listed("BTCUSDT", "BTC", 1.0, 0.1, "TRADING"),
            listed("1000PEPEUSDT", "PEPE", 1000.0, 0.00001 / 1000, "TRADING"),
            listed("ETHUSDC", "ETH", 1.0, 0.01, "TRADING"),
            listed("OLDUSDT", "OLD", 1.0, 0.01, "SETTLING"),
        ],
    ),
    "open interest": (
        "http://127.0.0.1:9/fapi/v1/openInterest?symbol=1000PEPEUSDT",
        '{"openInterest":"12.5","symbol":"1000PEPEUSDT","time":1700000001000}',
        [
            OpenInterest(
                venue=VENUE,
                symbol="PEPE",
                instrument="1000PEPEUSDT",
                time=1_700_000_001_000,
                received=RECEIVED,
                size=12_500.0,
            )
        ],
    ),
    "past prices": (
        "https://fapi.binance.com/fapi/v1/klines?symbol=1000PEPEUSDT&interval=15m&limit=500",
        """[[1700000100000,"0.0200","0.0220","0.0190","0.0210","5000",1700000999999,"100.0",308,
             "2000","41.0","0"]]""",
        [
            PriceHistory(
                venue=VENUE,
                symbol="PEPE",
                instrument="1000PEPEUSDT",
                time=RECEIVED // 1_000_000,
                received=RECEIVED,
                interval_ms=900_000,
                bars=(PriceBar(1_700_000_100_000, 0.019 / 1000, 0.022 / 1000, 100.0 / 5_000_000),),
            )
        ],
    ),
    "past open interest": (
        "https://fapi.binance.com/futures/data/openInterestHist?symbol=1000PEPEUSDT&period=15m&limit=500",
        """[{"symbol":"1000PEPEUSDT","sumOpenInterest":"34085.00000000",
             "sumOpenInterestValue":"715.78","CMCCirculatingSupply":"1","timestamp":1700000100000},
            {"symbol":"1000PEPEUSDT","sumOpenInterest":"34100.00000000",
             "sumOpenInterestValue":"716.10","CMCCirculatingSupply":"1","timestamp":1700001000000}]""",
        [
            OpenInterestHistory(
                venue=VENUE,
                symbol="PEPE",
                instrument="1000PEPEUSDT",
                time=RECEIVED // 1_000_000,
                received=RECEIVED,
                unit="coin",
                points=((1_700_000_100_000, 34_085_000.0), (1_700_001_000_000, 34_100_000.0)),
            )
        ],
    ),
}


def trade(name: str, symbol: str, price: float, size: float, side: Side, number: str) -> Trade:
    return Trade(
        venue=VENUE,
        symbol=symbol,
        instrument=name,
        time=1_700_000_000_000,
        received=RECEIVED,
        price=price,
        size=size,
        side=side,
        id=number,
    )


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


def mark(name: str, symbol: str, price: float, index_price: float | None) -> MarkPrice:
    return MarkPrice(
        venue=VENUE,
        symbol=symbol,
        instrument=name,
        time=1_700_000_001_000,
        received=RECEIVED,
        price=price,
        index_price=index_price,
    )


def funding(name: str, symbol: str, rate: float) -> Funding:
    return Funding(
        venue=VENUE,
        symbol=symbol,
        instrument=name,
        time=1_700_000_001_000,
        received=RECEIVED,
        rate=rate,
        next_time=1_700_006_400_000,
    )


FRAMES: dict[str, tuple[str, list[Event | Control]]] = {
    "aggregate trade, buyer was the maker": (
        """{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1700000000120,"a":5933014,
        "s":"BTCUSDT","p":"60000.10","q":"0.250","nq":"0.250","f":100,"l":105,"T":1700000000000,
        "m":true,"st":1}}""",
        [trade("BTCUSDT", "BTC", 60000.1, 0.25, Side.SELL, "5933014")],
    ),
    "aggregate trade per 1,000 coins": (
        """{"stream":"1000pepeusdt@aggTrade","data":{"e":"aggTrade","E":1700000000120,"a":7,
        "s":"1000PEPEUSDT","p":"0.0125","q":"40","f":1,"l":1,"T":1700000000000,"m":false}}""",
        [trade("1000PEPEUSDT", "PEPE", 0.0125 / 1000, 40_000.0, Side.BUY, "7")],
    ),
    "aggregate trade of a coin with a Chinese name, raw": (
        """{"e":"aggTrade","E":1700000000120,"a":8,"s":"币安人生USDT","p":"0.15","q":"200",
        "f":1,"l":1,"T":1700000000000,"m":false,"st":1}""",
        [trade("币安人生USDT", "币安人生", 0.15, 200.0, Side.BUY, "8")],
    ),
    "single trade": (
        """{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000000010,"T":1700000000000,
        "s":"BTCUSDT","t":84242137,"p":"60000.20","q":"0.05","X":"MARKET","m":false}}""",
        [trade("BTCUSDT", "BTC", 60000.2, 0.05, Side.BUY, "84242137")],
    ),
    "single trade with the insurance fund": (
        """{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000000010,"T":1700000000000,
        "s":"BTCUSDT","t":84242138,"p":"60000.20","q":"0.05","X":"INSURANCE_FUND","m":false}}""",
        [],
    ),
    "single trade that is none": (
        """{"e":"trade","E":1700000000010,"T":1700000000000,"s":"BTCUSDT","t":84242139,"p":"0",
        "q":"0","X":"NA","m":false}""",
        [],
    ),
    "forced order, selling": (
        """{"stream":"!forceOrder@arr","data":{"e":"forceOrder","E":1700000001050,"o":{
        "s":"BTCUSDT","S":"SELL","o":"LIMIT","f":"IOC","q":"0.500","p":"59500.00","ap":"59990.00",
        "X":"FILLED","l":"0.100","z":"0.400","T":1700000000050,"ps":"BTCUSDT","st":1}}}""",
        [liquidation("BTCUSDT", "BTC", Position.LONG, 59990.0, 0.4, 0.4 * 59990.0)],
    ),
    "forced order, buying, market beside the order": (
        """{"e":"forceOrder","E":1700000001050,"st":1,"ps":"1000PEPEUSDT","o":{
        "s":"1000PEPEUSDT","S":"BUY","o":"LIMIT","f":"IOC","q":"900","p":"0.0130","ap":"0.0125",
        "X":"FILLED","l":"900","z":"800","T":1700000000050}}""",
        [
            liquidation(
                "1000PEPEUSDT", "PEPE", Position.SHORT, 0.0125 / 1000, 800_000.0, 800 * 0.0125
            )
        ],
    ),
    "forced orders as a list, the second one coin-margined": (
        """{"stream":"!forceOrder@arr","data":[{"e":"forceOrder","E":1700000001050,"o":{
        "s":"ETHUSDC","S":"SELL","o":"LIMIT","f":"IOC","q":"2","p":"2900","ap":"2950",
        "X":"FILLED","l":"2","z":"2","T":1700000000050,"st":1}},{"e":"forceOrder",
        "E":1700000001050,"o":{"s":"BTCUSD_PERP","S":"SELL","o":"LIMIT","f":"IOC","q":"2304",
        "p":"59000","ap":"59990","X":"FILLED","l":"1","z":"2304","T":1700000000050,"st":2}}]}""",
        [liquidation("ETHUSDC", "ETH", Position.LONG, 2950.0, 2.0, 5900.0)],
    ),
    "forced order that met nobody": (
        """{"e":"forceOrder","E":1700000001050,"o":{"s":"BTCUSDT","S":"SELL","o":"LIMIT",
        "f":"IOC","q":"0.5","p":"59500","ap":"0","X":"EXPIRED","l":"0","z":"0",
        "T":1700000000050,"st":1}}""",
        [],
    ),
    "mark price": (
        """{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1700000001000,
        "s":"BTCUSDT","p":"60001.00","ap":"60001.00","i":"60000.50","P":"60000.00",
        "r":"0.00010000","T":1700006400000,"st":1}}""",
        [mark("BTCUSDT", "BTC", 60001.0, 60000.5), funding("BTCUSDT", "BTC", 0.0001)],
    ),
    "mark prices as an array, the second one without funding and index": (
        """{"stream":"!markPrice@arr@1s","data":[{"e":"markPriceUpdate","E":1700000001000,
        "s":"1000PEPEUSDT","p":"0.0125","i":"0.0124","P":"0.0124","r":"-0.0003",
        "T":1700006400000},{"e":"markPriceUpdate","E":1700000001000,"s":"ETHUSDC","p":"2950.5",
        "i":"0.00000000","P":"2950","r":"","T":0},{"e":"markPriceUpdate","E":1700000001000,
        "s":"BTCUSDT_261225","p":"61000","P":"61000","r":"","T":0}]}""",
        [
            mark("1000PEPEUSDT", "PEPE", 0.0125 / 1000, 0.0124 / 1000),
            funding("1000PEPEUSDT", "PEPE", -0.0003),
            mark("ETHUSDC", "ETH", 2950.5, None),
        ],
    ),
    "new margin tiers, largest first": (
        """{"stream":"!contractInfo","data":{"e":"contractInfo","E":1700000001000,
        "s":"1000PEPEUSDT","ps":"1000PEPEUSDT","ct":"PERPETUAL","dt":4133404800000,
        "ot":1569398400000,"cs":"TRADING","bks":[{"bs":2,"bnf":5000,"bnc":9223372036854775807,
        "mmr":0.025,"cf":75,"mi":11,"ma":20},{"bs":1,"bnf":0,"bnc":5000,"mmr":0.01,"cf":0,"mi":21,
        "ma":50}],"st":1}}""",
        [
            MarginTiers(
                venue=VENUE,
                symbol="PEPE",
                instrument="1000PEPEUSDT",
                time=1_700_000_001_000,
                received=RECEIVED,
                unit="usd",
                tiers=(
                    MarginTier(cap=5000.0, rate=0.01, max_leverage=50.0, amount=0.0),
                    MarginTier(cap=9.223372036854775807e18, rate=0.025, max_leverage=20, amount=75),
                ),
            )
        ],
    ),
    "a listing, without margin tiers": (
        """{"stream":"!contractInfo","data":{"e":"contractInfo","E":1700000001000,"s":"NEWUSDT",
        "ps":"NEWUSDT","ct":"PERPETUAL","dt":4133404800000,"ot":1700000000000,"cs":"TRADING",
        "st":1}}""",
        [],
    ),
    "subscriptions acknowledged": ('{"result":null,"id":1}', [Acknowledged()]),
    "request refused": (
        '{"error":{"code":2,"msg":"Invalid request: invalid stream"},"id":4}',
        [Refused("2 Invalid request: invalid stream")],
    ),
    "request refused, unwrapped": (
        '{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}',
        [Refused("3 Invalid JSON: expected value at line 1 column 1")],
    ),
    "book ticker": (
        """{"e":"bookTicker","u":400900217,"s":"BTCUSDT","b":"60000.1","B":"5.9","a":"60000.2",
        "A":"2.8","T":1700000000000,"E":1700000000000}""",
        [],
    ),
}
