"""Frames of OKX spot, written by hand after okx.com/docs-v5/en (trades channel of the order book
trading section, public-data-rest-api-get-instruments), with the events they must give.
"""

from liqwatch.events import Event, Side, Trade
from liqwatch.exchanges.base import Acknowledged, Alive, Control, Notice, Refused

VENUE = "okx-spot"
RECEIVED = 1_700_000_002_000_000_000
LIST_URL = "https://www.okx.com/api/v5/public/instruments?instType=SPOT"
LIST = """{"code":"0","msg":"","data":[
{"instType":"SPOT","instId":"BTC-USDT","baseCcy":"BTC","quoteCcy":"USDT","settleCcy":"","ctVal":"",
 "ctMult":"","ctType":"","lotSz":"0.00000001","minSz":"0.00001","tickSz":"0.1","state":"live"},
{"instType":"SPOT","instId":"ETH-USDT","baseCcy":"ETH","quoteCcy":"USDT","ctVal":"","ctType":"",
 "lotSz":"0.000001","tickSz":"0.01","state":"suspend"},
{"instType":"SPOT","instId":"ETH-BTC","baseCcy":"ETH","quoteCcy":"BTC","ctVal":"","ctType":"",
 "lotSz":"0.000001","tickSz":"0.00001","state":"live"},
{"instType":"SPOT","instId":"NEW-USDT","baseCcy":"NEW","quoteCcy":"USDT","ctVal":"","ctType":"",
 "lotSz":"","tickSz":"","state":"preopen"}]}"""

TIME = 1_700_000_000_000
BTC = (VENUE, "BTC", "BTC-USDT", TIME, RECEIVED)
REST: dict[str, tuple[str, str, list[Event]]] = {"pairs, which are no events": (LIST_URL, LIST, [])}


def rows(name: str, *trades: str) -> str:
    return f'{{"arg":{{"channel":"trades","instId":"{name}"}},"data":[{",".join(trades)}]}}'


def row(name: str, number: int, side: str, price: str, size: str, count: int = 1) -> str:
    return f"""{{"instId":"{name}","tradeId":"{number}","px":"{price}","sz":"{size}",
    "side":"{side}","ts":"1700000000000","count":"{count}","source":"0","seqId":1234}}"""


def at_the_ask(number: int) -> str:
    return rows("BTC-USDT", row("BTC-USDT", number, "buy", "60000", "1"))


FRAMES: dict[str, tuple[str, list[Event | Control]]] = {
    "trade merged of three, its size in coins": (
        rows("BTC-USDT", row("BTC-USDT", 130639474, "buy", "60000.1", "0.12060306", 3)),
        [Trade(*BTC, price=60000.1, size=0.12060306, side=Side.BUY, id="130639474")],
    ),
    "trades of both sides": (
        rows(
            "BTC-USDT",
            row("BTC-USDT", 130639475, "sell", "60000", "2"),
            row("BTC-USDT", 130639476, "buy", "60000.1", "1"),
        ),
        [
            Trade(*BTC, price=60000.0, size=2.0, side=Side.SELL, id="130639475"),
            Trade(*BTC, price=60000.1, size=1.0, side=Side.BUY, id="130639476"),
        ],
    ),
    "trade of a swap": (
        rows("BTC-USDT-SWAP", row("BTC-USDT-SWAP", 9, "buy", "60000", "12")),
        [],
    ),
    "trade of a pair not listed": (rows("DOGE-USDT", row("DOGE-USDT", 9, "buy", "0.1", "12")), []),
    "book": (
        """{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[
        {"asks":[["60000.2","1","0","1"]],"bids":[],"ts":"1700000000000","seqId":12}]}""",
        [],
    ),
    "subscribed": (
        '{"event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT"},"connId":"a4d3ae55"}',
        [Acknowledged(("trades:BTC-USDT",))],
    ),
    "refused": (
        """{"event":"error","msg":"channel:trades,instId:OLD-USDT doesn't exist","code":"60018"}""",
        [
            Refused(
                "60018 channel:trades,instId:OLD-USDT doesn't exist", topics=("trades:OLD-USDT",)
            )
        ],
    ),
    "notice": (
        '{"event":"notice","code":"64008","msg":"The connection will soon be closed"}',
        [Notice("64008 The connection will soon be closed")],
    ),
    "pong": ("pong", [Alive()]),
}
