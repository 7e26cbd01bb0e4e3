"""Frames of Binance spot, written by hand after github.com/binance/binance-spot-api-docs
(web-socket-streams.md, rest-api.md; texts of 2026), with the events they must give.
"""

from liqwatch.events import Event, Side, Trade
from liqwatch.exchanges.base import Acknowledged, Control, Refused

VENUE = "binance-spot"
RECEIVED = 1_700_000_002_000_000_000
LIST_URL = "https://data-api.binance.vision/api/v3/exchangeInfo?showPermissionSets=false"
LIST = """{"timezone":"UTC","serverTime":1700000000000,"symbols":[
{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","baseAssetPrecision":8,
 "quoteAsset":"USDT","isSpotTradingAllowed":true,"filters":[
 {"filterType":"PRICE_FILTER","minPrice":"0.01000000","tickSize":"0.01000000"},
 {"filterType":"LOT_SIZE","stepSize":"0.00001000"}],"permissions":[]},
{"symbol":"1000SATSUSDT","status":"TRADING","baseAsset":"1000SATS","quoteAsset":"USDT","filters":[
 {"filterType":"PRICE_FILTER","tickSize":"0.00000010"}]},
{"symbol":"ETHUSDC","status":"TRADING","baseAsset":"ETH","quoteAsset":"USDC","filters":[
 {"filterType":"PRICE_FILTER","tickSize":"0.01000000"}]},
{"symbol":"OLDUSDT","status":"BREAK","baseAsset":"OLD","quoteAsset":"USDT","filters":[
 {"filterType":"PRICE_FILTER","tickSize":"0.01000000"}]}]}"""

TIME = 1_700_000_000_000
REST: dict[str, tuple[str, str, list[Event]]] = {"pairs, which are no events": (LIST_URL, LIST, [])}


def combined(symbol: str, number: int, *, buyer_is_maker: str, price: str, size: str) -> str:
    return f"""{{"stream":"{symbol.lower()}@aggTrade","data":{{"e":"aggTrade","E":1700000000120,
    "s":"{symbol}","a":{number},"p":"{price}","q":"{size}","f":100,"l":105,"T":1700000000000,
    "m":{buyer_is_maker},"M":true}}}}"""


def at_the_ask(number: int) -> str:
    return combined("BTCUSDT", number, buyer_is_maker="false", price="60000", size="1")


FRAMES: dict[str, tuple[str, list[Event | Control]]] = {
    "trade whose buyer waited in the book": (
        combined("BTCUSDT", 5933014, buyer_is_maker="true", price="60000.10", size="0.25"),
        [Trade(VENUE, "BTC", "BTCUSDT", TIME, RECEIVED, 60000.1, 0.25, Side.SELL, "5933014")],
    ),
    "trade whose seller waited in the book": (
        combined("BTCUSDT", 5933015, buyer_is_maker="false", price="60000.11", size="0.5"),
        [Trade(VENUE, "BTC", "BTCUSDT", TIME, RECEIVED, 60000.11, 0.5, Side.BUY, "5933015")],
    ),
    "trade of a pair quoted by the thousand": (
        combined("1000SATSUSDT", 7, buyer_is_maker="false", price="0.0005", size="2000"),
        [
            Trade(
                *(VENUE, "SATS", "1000SATSUSDT", TIME, RECEIVED),
                price=0.0005 / 1000,
                size=2_000_000.0,
                side=Side.BUY,
                id="7",
            )
        ],
    ),
    "trade of a pair with another quote": (
        combined("ETHUSDC", 7, buyer_is_maker="false", price="3000", size="1"),
        [],
    ),
    "trade of a pair not listed": (
        combined("NEWUSDT", 7, buyer_is_maker="false", price="3", size="1"),
        [],
    ),
    "single trade, which is not asked for": (
        """{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000000120,"s":"BTCUSDT","t":12345,
        "p":"60000","q":"1","T":1700000000000,"m":true,"M":true}}""",
        [],
    ),
    "subscribed": ('{"result":null,"id":1}', [Acknowledged()]),
    "refused": (
        '{"code":2,"msg":"Invalid request: too many parameters","id":1}',
        [Refused("2 Invalid request: too many parameters")],
    ),
}
