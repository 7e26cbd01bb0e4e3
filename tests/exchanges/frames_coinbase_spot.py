"""Frames of Coinbase spot, written by hand after docs.cdp.coinbase.com (Advanced Trade websocket
channels, websocket/market-trades, list-public-products; texts of 2026), with the events they must
give.
"""

from liqwatch.events import Event, Side, Trade
from liqwatch.exchanges.base import Acknowledged, Alive, Control, Refused

VENUE = "coinbase-spot"
RECEIVED = 1_700_000_002_000_000_000
LIST_URL = "https://api.coinbase.com/api/v3/brokerage/market/products?product_type=SPOT"
LIST = """{"products":[
{"product_id":"BTC-USD","price":"60000.1","base_increment":"0.00000001","quote_increment":"0.01",
 "status":"online","trading_disabled":false,"product_type":"SPOT","quote_currency_id":"USD",
 "base_currency_id":"BTC","price_increment":"0.01","alias_to":["BTC-USDC"]},
{"product_id":"BTC-USDC","status":"online","trading_disabled":false,"product_type":"SPOT",
 "quote_currency_id":"USDC","base_currency_id":"BTC","price_increment":"0.01","alias":"BTC-USD"},
{"product_id":"ETH-USD","status":"online","trading_disabled":false,"product_type":"SPOT",
 "quote_currency_id":"USD","base_currency_id":"ETH","price_increment":"0.01"},
{"product_id":"OLD-USD","status":"online","trading_disabled":true,"product_type":"SPOT",
 "quote_currency_id":"USD","base_currency_id":"OLD","price_increment":"0.01"}],
"num_products":4,"pagination":null}"""

TIME = 1_700_000_000_000
BTC = (VENUE, "BTC", "BTC-USD", TIME, RECEIVED)
ETH = (VENUE, "ETH", "ETH-USD", TIME + 250, RECEIVED)
REST: dict[str, tuple[str, str, list[Event]]] = {"pairs, which are no events": (LIST_URL, LIST, [])}


def told(kind: str, *trades: str) -> str:
    return f"""{{"channel":"market_trades","client_id":"",
    "timestamp":"2023-11-14T22:13:20.39625135Z","sequence_num":5,"events":[{{"type":"{kind}","trades":[{",".join(trades)}]}}]}}"""


def made(name: str, number: int, maker: str, price: str, size: str, *, ms: int = 0) -> str:
    return f"""{{"trade_id":"{number}","product_id":"{name}","price":"{price}","size":"{size}",
    "side":"{maker}","time":"2023-11-14T22:13:20.{ms:03}000Z"}}"""


def at_the_ask(number: int, *, kind: str = "update") -> str:
    return told(kind, made("BTC-USD", number, "SELL", "60000", "1"))


FRAMES: dict[str, tuple[str, list[Event | Control]]] = {
    "trades of before the subscription": (
        told("snapshot", made("BTC-USD", 995098699, "BUY", "60000.09", "0.5")),
        [],
    ),
    "trade with a seller who waited": (
        told("update", made("BTC-USD", 995098700, "SELL", "60000.10", "0.0015")),
        [Trade(*BTC, price=60000.1, size=0.0015, side=Side.BUY, id="995098700")],
    ),
    "trades of two pairs, one with a buyer who waited": (
        told(
            "update",
            made("BTC-USD", 995098701, "BUY", "60000.00", "0.05"),
            made("ETH-USD", 846149798, "SELL", "3000.5", "1", ms=250),
        ),
        [
            Trade(*BTC, price=60000.0, size=0.05, side=Side.SELL, id="995098701"),
            Trade(*ETH, price=3000.5, size=1.0, side=Side.BUY, id="846149798"),
        ],
    ),
    "trade of another quote": (told("update", made("BTC-EUR", 9, "BUY", "55000", "1")), []),
    "trade of a pair not listed": (told("update", made("NEW-USD", 9, "BUY", "5", "1")), []),
    "heartbeat": (
        """{"channel":"heartbeats","client_id":"","timestamp":"2023-11-14T22:13:20Z",
        "sequence_num":6,"events":[{"current_time":"2023-11-14 22:13:20.1 +0000 UTC m=+91717.5",
        "heartbeat_counter":"3049"}]}""",
        [Alive()],
    ),
    "subscribed": (
        """{"channel":"subscriptions","client_id":"","timestamp":"2023-11-14T22:13:20Z",
        "sequence_num":1,"events":[{"subscriptions":{"heartbeats":["heartbeats"],
        "market_trades":["BTC-USD","ETH-USD"]}}]}""",
        [Acknowledged(("heartbeats", "market_trades:BTC-USD", "market_trades:ETH-USD"))],
    ),
    "refused": (
        '{"type":"error","message":"failure to subscribe"}',
        [Refused("failure to subscribe")],
    ),
    "ticker": (
        """{"channel":"ticker","timestamp":"2023-11-14T22:13:20Z","sequence_num":7,"events":[
        {"type":"update","tickers":[{"type":"ticker","product_id":"BTC-USD","price":"60000"}]}]}""",
        [],
    ),
}
