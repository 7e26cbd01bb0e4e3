"""Frames of Bitfinex, written by hand after docs.bitfinex.com (docs/ws-general, ws-public,
ws-public-trades, ws-public-status; reference/rest-public-conf, rest-public-derivatives-status,
rest-public-liquidations; text of 2026-11), with the events they must give.
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
    Mechanism,
    OpenInterest,
    Position,
    PriceKind,
    Side,
    Trade,
)
from liqwatch.exchanges.base import Acknowledged, Alive, Control, Notice, Refused
from liqwatch.exchanges.wire import NO_CAP

VENUE = "bitfinex"
RECEIVED = 1_700_000_002_000_000_000
LIST_URL = "https://api-pub.bitfinex.com/v2/conf/pub:info:pair:futures"
PAIRS = """["BTCF0:USTF0",[null,null,null,"0.0002","100.0",null,null,null,0.01,0.005,null,null]],
["IOTF0:USTF0",[null,null,null,"10.0","250000.0",null,null,null,"0.05","0.025"]],
["ETHF0:USTF0",[null,null,null,"0.004","1000.0",null,null,null,null,null,null,null]],
["ETHF0:BTCF0",[null,null,null,"0.004","1000.0",null,null,null,0.01,0.005,null,null]],
["TESTBTCF0:TESTUSDTF0",[null,null,null,"0.0002","100.0",null,null,null,0.01,0.005]]"""
LIST = f"[[{PAIRS}]]"
LIST_WITH_BAD_ROW = f"[[[7],{PAIRS}]]"
EMPTY_LIST = "[[]]"
STATUS_URL = "https://api-pub.bitfinex.com/v2/status/deriv?keys=ALL"
STATUS = """[["tETHF0:USTF0",1699999990000,null,2000.5,2000.25,null,1372762.9,null,1700006400000,
1e-05,12,null,0.0002,null,null,2000.75,null,null,40000.5,null,null,null,0.0025,0.0025],
["tBTCF0:USTF0",1699999990000,null,60000.5,60002.5,null,1372762.9,null,1700006400000,-1e-05,12,
null,0.0001,null,null,60001.5,null,null,3005.25,null,null,null,0.0025,0.0025]]"""
BOOTSTRAP = [(LIST_URL, LIST), (STATUS_URL, STATUS)]
HISTORY_URL = "https://api-pub.bitfinex.com/v2/liquidations/hist?start=1&end=2&limit=500&sort=-1"

# What the ids of the channels mean; an array does not say it.
SUBSCRIBED = (
    '{"event":"subscribed","channel":"trades","chanId":17,"symbol":"tBTCF0:USTF0"}',
    '{"event":"subscribed","channel":"status","chanId":18,"key":"liq:global"}',
    '{"event":"subscribed","channel":"status","chanId":19,"key":"deriv:tBTCF0:USTF0"}',
    '{"event":"subscribed","channel":"trades","chanId":20,"symbol":"tBTCUSD","pair":"BTCUSD"}',
    '{"event":"subscribed","channel":"ticker","chanId":21,"symbol":"tBTCUSD","pair":"BTCUSD"}',
)

TIME = 1_700_000_000_000
BTC = (VENUE, "BTC", "tBTCF0:USTF0", TIME, RECEIVED)
LISTED_MS = RECEIVED // 1_000_000
BTC_BEFORE = (VENUE, "BTC", "tBTCF0:USTF0", TIME - 10_000, RECEIVED)
ETH_BEFORE = (VENUE, "ETH", "tETHF0:USTF0", TIME - 10_000, RECEIVED)


def listed(symbol: str, name: str) -> Instrument:
    return Instrument(
        VENUE,
        symbol,
        name,
        LISTED_MS,
        RECEIVED,
        contract_type=ContractType.LINEAR,
        contract_size=1.0,
        tick_size=0.0,
        status="listed",
    )


def margin(symbol: str, name: str, rate: float, max_leverage: float) -> MarginTiers:
    tier = MarginTier(cap=NO_CAP, rate=rate, max_leverage=max_leverage)
    return MarginTiers(VENUE, symbol, name, LISTED_MS, RECEIVED, unit="usd", tiers=(tier,))


def liquidation(
    position: Position,
    price: float,
    size: float,
    *,
    time: int = TIME,
    taken_over: bool = False,
    history: bool = False,
) -> Liquidation:
    return Liquidation(
        venue=VENUE,
        symbol="BTC",
        instrument="tBTCF0:USTF0",
        time=time,
        received=RECEIVED,
        position=position,
        size=size,
        price=price,
        price_kind=PriceKind.REFERENCE if taken_over else PriceKind.FILL,
        notional_usd=size * price,
        completeness=Completeness.FULL,
        mechanism=Mechanism.BACKSTOP if taken_over else Mechanism.BOOK,
        history=history,
    )


REST: dict[str, tuple[str, str, list[Event | Control]]] = {
    "pairs": (
        LIST_URL,
        LIST,
        [
            listed("BTC", "tBTCF0:USTF0"),
            margin("BTC", "tBTCF0:USTF0", 0.005, 100.0),
            listed("IOTA", "tIOTF0:USTF0"),
            margin("IOTA", "tIOTF0:USTF0", 0.025, 20.0),
            listed("ETH", "tETHF0:USTF0"),
        ],
    ),
    "state of all pairs": (
        STATUS_URL,
        STATUS,
        [
            MarkPrice(*ETH_BEFORE, price=2000.75, index_price=2000.25),
            OpenInterest(*ETH_BEFORE, size=40000.5),
            Funding(*ETH_BEFORE, rate=0.0002, interval_hours=8.0, next_time=1_700_006_400_000),
            MarkPrice(*BTC_BEFORE, price=60001.5, index_price=60002.5),
            OpenInterest(*BTC_BEFORE, size=3005.25),
            Funding(*BTC_BEFORE, rate=0.0001, interval_hours=8.0, next_time=1_700_006_400_000),
        ],
    ),
    "history of liquidations": (
        HISTORY_URL,
        """[[["pos",14360,1700000000000,null,"tBTCF0:USTF0",0.5,61000.25,null,1,1,null,59410]],
        [["pos",14360,1700000000000,null,"tBTCF0:USTF0",0.5,61000.25,null,0,1,null,null]]]""",
        [liquidation(Position.LONG, 59410.0, 0.5, history=True)],
    ),
}

FRAMES: dict[str, tuple[str, list[Event | Control]]] = {
    "trade": (
        """[17,"te",[4520,1700000000000,-0.25,60000.5],31,1700000000010]""",
        [Trade(*BTC, price=60000.5, size=0.25, side=Side.SELL, id="4520")],
    ),
    "trade told again": (
        """[17,"tu",[4520,1700000000000,-0.25,60000.5],32,1700000001010]""",
        [],
    ),
    "trades of the past": (
        """[17,[[4400,1699996400000,0.5,59000.5]],3,1700000000000]""",
        [],
    ),
    "trade that a dying connection has not told": (
        """[17,[[4519,1700000000000,0.125,60000.5]],3,1700000000300]""",
        [Trade(*BTC, price=60000.5, size=0.125, side=Side.BUY, id="4519")],
    ),
    "trade of a spot pair": (
        """[20,"te",[4521,1700000000000,0.25,60000.5],31,1700000000010]""",
        [],
    ),
    "trade of a channel nobody named": (
        """[99,"te",[4522,1700000000000,0.25,60000.5],31,1700000000010]""",
        [],
    ),
    "trigger": (
        """[18,[["pos",14367,1700000000000,null,"tBTCF0:USTF0",0.5,61000.25,null,0,1,null,null]],
        34,1700000000040]""",
        [],
    ),
    "two executions, the time with a fraction": (
        """[18,[["pos",14367,1700000000000.4,null,"tBTCF0:USTF0",0.3,61000.25,null,1,1,null,59400],
        ["pos",14368,1700000000000,null,"tBTCF0:USTF0",-0.0125,58000.5,null,1,1,null,60600]],35,
        1700000000040]""",
        [
            liquidation(Position.LONG, 59400.0, 0.3),
            liquidation(Position.SHORT, 60600.0, 0.0125),
        ],
    ),
    "position taken over by the system, without sequence and time": (
        """[18,[["pos",14369,1700000000000,null,"tBTCF0:USTF0",-2.5,58000.5,null,0,0,null,60500]]]
        """.strip(),
        [liquidation(Position.SHORT, 60500.0, 2.5, taken_over=True)],
    ),
    "liquidations of the past, of a channel nobody named": (
        """[99,[["pos",14300,1699996400000,null,"tBTCF0:USTF0",0.75,61000.25,null,1,1,null,59000]],
        4,1700000000040]""",
        [liquidation(Position.LONG, 59000.0, 0.75, time=1_699_996_400_000, history=True)],
    ),
    "liquidation of a margin position": (
        """[18,[["pos",14370,1700000000000,null,"tBTCUSD",0.5,61000.25,null,1,1,null,59400]],36,
        1700000000040]""",
        [],
    ),
    "no liquidations of the past": ("[18,[],5,1700000000040]", []),
    "state of a pair": (
        """[19,[1700000000000,null,60000.5,60003.5,null,1372762.9,null,1700006400000,-1.4e-05,533,
        null,0.00012,null,null,60002.5,null,null,3006.25,null,null,null,0.0025,0.0025],37,
        1700000000060]""",
        [
            MarkPrice(*BTC, price=60002.5, index_price=60003.5),
            OpenInterest(*BTC, size=3006.25),
            Funding(*BTC, rate=0.00012, interval_hours=8.0, next_time=1_700_006_400_000),
        ],
    ),
    "ticker": ("[21,[60000,1.5,60001,2.5,-1,-0.01,60000.5,81.5,61000,59000],38]", []),
    "heartbeat": ("""[18,"hb",39,1700000015000]""", [Alive()]),
    "connected": (
        """{"event":"info","version":2,"serverId":"083bd8d4","platform":{"status":1}}""",
        [Alive()],
    ),
    "settings": ("""{"event":"conf","status":"OK","flags":98304}""", [Alive()]),
    "subscribed": (SUBSCRIBED[2], [Acknowledged(("deriv:tBTCF0:USTF0",))]),
    "refused": (
        """{"event":"error","msg":"symbol: invalid","code":10300,"channel":"trades",
        "symbol":"tFOOF0:USTF0"}""",
        [Refused("10300 symbol: invalid", ("trades:tFOOF0:USTF0",))],
    ),
    "error without a channel": (
        """{"event":"error","msg":"unknown event","code":10000}""",
        [Refused("10000 unknown event")],
    ),
    "restart": (
        """{"event":"info","code":20051,"msg":"Stopping. Please try to reconnect"}""",
        [Notice("20051 Stopping. Please try to reconnect")],
    ),
    "unknown event": ("""{"event":"auth","status":"OK"}""", []),
}
SILENT = ("no liquidations of the past",)
