"""Frames of Aster, written by hand after github.com/asterdex/api-docs, aster-finance-futures-
api-v3.md (Websocket Market Streams, Exchange Information; open interest is in no page), with the
events they must give.
"""

from liqwatch.events import (
    Completeness,
    ContractType,
    Event,
    Funding,
    Instrument,
    Liquidation,
    MarkPrice,
    OpenInterest,
    Position,
    PriceKind,
    Side,
    Trade,
)
from liqwatch.exchanges.base import Acknowledged, Control, Refused

VENUE = "aster"
RECEIVED = 1_700_000_002_000_000_000
TIME = 1_700_000_000_000
LIST_URL = "https://fapi.asterdex.com/fapi/v3/exchangeInfo"
LIST = """{"serverTime":1,"symbols":[
{"symbol":"BTCUSDT","pair":"BTCUSDT","contractType":"PERPETUAL","deliveryDate":4133404800000,
 "status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","marginAsset":"USDT","filters":[
 {"filterType":"PRICE_FILTER","tickSize":"0.1"},{"filterType":"LOT_SIZE","stepSize":"0.001"}]},
{"symbol":"1000SHIBUSDT","pair":"1000SHIBUSDT","contractType":"PERPETUAL","status":"TRADING",
 "baseAsset":"1000SHIB","quoteAsset":"USDT","marginAsset":"USDT","filters":[
 {"filterType":"PRICE_FILTER","tickSize":"0.000001"}]},
{"symbol":"OLDUSDT","pair":"OLDUSDT","contractType":"PERPETUAL","status":"SETTLING",
 "baseAsset":"OLD","quoteAsset":"USDT","marginAsset":"USDT","filters":[
 {"filterType":"PRICE_FILTER","tickSize":"0.01"}]}]}"""

BTC = (VENUE, "BTC", "BTCUSDT", TIME, RECEIVED)
SHIB = (VENUE, "SHIB", "1000SHIBUSDT", TIME, RECEIVED)


def listed(
    name: str, symbol: str, size: float, tick_size: float, status: str = "TRADING"
) -> Instrument:
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
            listed("BTCUSDT", "BTC", 1.0, 0.1),
            listed("1000SHIBUSDT", "SHIB", 1000.0, 0.000001 / 1000),
            listed("OLDUSDT", "OLD", 1.0, 0.01, "SETTLING"),
        ],
    ),
    "open interest": (
        "http://127.0.0.1:9/fapi/v3/openInterest?symbol=BTCUSDT",
        '{"symbol":"BTCUSDT","openInterest":"5599.890","time":1700000000000}',
        [OpenInterest(*BTC, size=5599.89)],
    ),
}

FRAMES: dict[str, tuple[str, list[Event | Control]]] = {
    "aggregate trade, buyer was the maker": (
        """{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1700000000120,"s":"BTCUSDT",
        "a":5933014,"p":"60000.1","q":"0.250","f":100,"l":105,"T":1700000000000,"m":true}}""",
        [Trade(*BTC, price=60000.1, size=0.25, side=Side.SELL, id="5933014")],
    ),
    "aggregate trade per 1,000 coins": (
        """{"e":"aggTrade","E":1700000000120,"s":"1000SHIBUSDT","a":7,"p":"0.0125","q":"40",
        "f":1,"l":1,"T":1700000000000,"m":false}""",
        [Trade(*SHIB, price=0.0125 / 1000, size=40_000.0, side=Side.BUY, id="7")],
    ),
    "single trade that deleveraged somebody": (
        """{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000000010,"T":1700000000000,
        "s":"BTCUSDT","t":8,"p":"60000.2","q":"0.05","X":"ADL","m":false}}""",
        [],
    ),
    "forced order, buying": (
        """{"stream":"!forceOrder@arr","data":{"e":"forceOrder","E":1700000001000,"o":{
        "s":"BTCUSDT","S":"BUY","o":"LIMIT","f":"IOC","q":"0.500","p":"60500","ap":"60010",
        "X":"FILLED","l":"0.100","z":"0.400","T":1700000000000}}}""",
        [
            Liquidation(
                *BTC,
                position=Position.SHORT,
                size=0.4,
                price=60010.0,
                price_kind=PriceKind.FILL,
                notional_usd=0.4 * 60010.0,
                completeness=Completeness.SAMPLED,
            )
        ],
    ),
    "forced order that met nobody": (
        """{"e":"forceOrder","E":1700000001000,"o":{"s":"BTCUSDT","S":"SELL","o":"LIMIT",
        "f":"IOC","q":"0.5","p":"59500","ap":"0","X":"EXPIRED","l":"0","z":"0",
        "T":1700000000000}}""",
        [],
    ),
    "mark price": (
        """{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1700000000000,
        "s":"BTCUSDT","p":"60001.0","i":"60000.5","P":"60000.0","r":"0.00010000",
        "T":1700006400000}}""",
        [
            MarkPrice(*BTC, price=60001.0, index_price=60000.5),
            Funding(*BTC, rate=0.0001, next_time=1_700_006_400_000),
        ],
    ),
    "subscriptions acknowledged": ('{"result":null,"id":1}', [Acknowledged()]),
    "request refused": (
        '{"code":2,"msg":"Invalid request: property name must be a string"}',
        [Refused("2 Invalid request: property name must be a string")],
    ),
    "kline": (
        """{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1700000000000,"s":"BTCUSDT",
        "k":{"t":1700000000000,"T":1700000059999,"s":"BTCUSDT","i":"1m"}}}""",
        [],
    ),
}
