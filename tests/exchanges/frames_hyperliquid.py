"""Frames of Hyperliquid, written by hand after hyperliquid.gitbook.io/hyperliquid-docs (websocket
subscriptions, info-endpoint perpetuals, notation; text of 2026-08-22), with the events they must
give. Trades name the buyer first.
"""

from typing import Any

from liqwatch.events import (
    AccountPosition,
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
from liqwatch.exchanges.base import Acknowledged, Alive, Control, Refused
from liqwatch.exchanges.wire import NO_CAP

VENUE = "hyperliquid"
TIME = 1_790_000_000_000
RECEIVED = (TIME + 150) * 1_000_000

MAKER = "0x010461c14e146ac35fe42271bdc1134ee31c703a"  # HLP Strategy A
VAULT = "0xb0a55f13d22f66e6d495ac98113841b2326e9540"  # HLP Liquidator 2
ALICE = "0x" + "a1" * 20
BOB = "0x" + "b2" * 20
VICTIM = "0x" + "0f" * 20

LIST_URL = 'https://api.hyperliquid.xyz/info#{"type":"meta"}'
LIST = """{"universe":[
{"szDecimals":5,"name":"BTC","maxLeverage":40,"marginTableId":56},
{"szDecimals":1,"name":"LOOM","maxLeverage":3,"marginTableId":3,"onlyIsolated":true,
 "isDelisted":true},
{"szDecimals":0,"name":"kPEPE","maxLeverage":10,"marginTableId":10},
{"szDecimals":2,"name":"SOL","maxLeverage":20}],
"marginTables":[[56,{"description":"tiered 40x","marginTiers":[
{"lowerBound":"0.0","maxLeverage":40},{"lowerBound":"150000000.0","maxLeverage":20}]}]],
"collateralToken":0}"""


def listed(
    name: str, size: float, tick_size: float, status: str, *tiers: MarginTier
) -> list[Event | Control]:
    about: dict[str, Any] = {
        "venue": VENUE,
        "symbol": name.removeprefix("k"),
        "instrument": name,
        "time": RECEIVED // 1_000_000,
        "received": RECEIVED,
    }
    return [
        Instrument(
            **about,
            contract_type=ContractType.LINEAR,
            contract_size=size,
            tick_size=tick_size,
            status=status,
        ),
        MarginTiers(**about, unit="usd", tiers=tiers),
    ]


def position(symbol: str, instrument: str, side: Position, size: float, **more: Any) -> Event:
    return AccountPosition(
        venue=VENUE,
        symbol=symbol,
        instrument=instrument,
        time=TIME,
        received=RECEIVED,
        account=ALICE,
        position=side,
        size=size,
        **more,
    )


POSITIONS_URL = f'https://api.hyperliquid.xyz/info#{{"type":"clearinghouseState","user":"{ALICE}"}}'
POSITIONS = """{"assetPositions":[
{"type":"oneWay","position":{"coin":"BTC","szi":"-0.5","leverage":{"type":"cross","value":10},
 "entryPx":"61000.0","positionValue":"30000.5","unrealizedPnl":"499.5","liquidationPx":"77000.25",
 "marginUsed":"3000.05","maxLeverage":40,"cumFunding":{"allTime":"1.0","sinceOpen":"0.0"}}},
{"type":"oneWay","position":{"coin":"kPEPE","szi":"2000","leverage":{"type":"isolated","value":5,
 "rawUsd":"-12.5"},"entryPx":"0.01","positionValue":"20.0","liquidationPx":null}},
{"type":"oneWay","position":{"coin":"SOL","szi":"0.0","leverage":{"type":"cross","value":5},
 "entryPx":null,"positionValue":"0.0","liquidationPx":null}}],
"crossMaintenanceMarginUsed":"375.0","withdrawable":"100.0","time":1790000000000}"""

REST: dict[str, tuple[str, str, list[Event | Control]]] = {
    "universe": (
        LIST_URL,
        LIST,
        [
            *listed(
                "BTC",
                1.0,
                1e-1,
                "listed",
                MarginTier(150e6, 1 / 80, 40, 0.0),
                MarginTier(NO_CAP, 1 / 40, 20, 150e6 * (1 / 40 - 1 / 80)),
            ),
            *listed("LOOM", 1.0, 1e-5, "delisted", MarginTier(NO_CAP, 1 / 6, 3, 0.0)),
            *listed("kPEPE", 1000.0, 1e-9, "listed", MarginTier(NO_CAP, 1 / 20, 10, 0.0)),
            *listed("SOL", 1.0, 1e-4, "listed", MarginTier(NO_CAP, 1 / 40, 20, 0.0)),
        ],
    ),
    "positions of an account": (
        POSITIONS_URL,
        POSITIONS,
        [
            position(
                "BTC",
                "BTC",
                Position.SHORT,
                0.5,
                entry_price=61000.0,
                liquidation_price=77000.25,
                leverage=10.0,
            ),
            position("PEPE", "kPEPE", Position.LONG, 2e6, entry_price=0.01 / 1000, leverage=5.0),
        ],
    ),
    "vaults of HLP": (
        'https://api.hyperliquid.xyz/info#{"type":"vaultDetails","vaultAddress":"0xdfc2"}',
        f"""{{"name":"Hyperliquidity Provider (HLP)","relationship":{{"type":"parent","data":
        {{"childAddresses":["{MAKER}","{VAULT}"]}}}},"isClosed":false}}""",
        [],
    ),
}


def trade(
    tid: int, side: str, price: str, size: str, *, coin: str = "BTC", time_ms: int = TIME
) -> str:
    return f"""{{"coin":"{coin}","side":"{side}","px":"{price}","sz":"{size}","time":{time_ms},
        "hash":"0x{"0" * 64}","tid":{tid},"users":["{ALICE}","{BOB}"]}}"""


def trades(*rows: str) -> str:
    return f'{{"channel":"trades","data":[{",".join(rows)}]}}'


def fill(
    tid: int,
    side: str,
    *,
    direction: str = "Open Short",
    method: str | None = "market",
    victim: str | None = VICTIM,
    mark: str = '"59410.0"',
    coin: str = "BTC",
    time_ms: int = TIME,
) -> str:
    named = f'"liquidatedUser":"{victim}",' if victim else ""
    forced = f',"liquidation":{{{named}"markPx":{mark},"method":"{method}"}}' if method else ""
    return f"""{{"coin":"{coin}","px":"59400.0","sz":"0.3","side":"{side}","time":{time_ms},
        "startPosition":"0.0","dir":"{direction}","closedPnl":"0.0","hash":"0x{"1" * 64}",
        "oid":77,"crossed":false,"fee":"0.01","feeToken":"USDC","tid":{tid},
        "twapId":null{forced}}}"""


def user_fills(user: str, *rows: str, snapshot: bool = False) -> str:
    flag = '"isSnapshot":true,' if snapshot else ""
    return f"""{{"channel":"userFills","data":{{{flag}"user":"{user}",
        "fills":[{",".join(rows)}]}}}}"""


def traded(
    tid: int, side: Side, price: float, size: float, *, symbol: str = "BTC", coin: str = "BTC"
) -> Trade:
    return Trade(VENUE, symbol, coin, TIME, RECEIVED, price, size, side, str(tid))


def liquidated(
    side: Position, mechanism: Mechanism = Mechanism.BOOK, *, history: bool = False
) -> Liquidation:
    return Liquidation(
        venue=VENUE,
        symbol="BTC",
        instrument="BTC",
        time=TIME,
        received=RECEIVED,
        position=side,
        size=0.3,
        price=59400.0,
        price_kind=PriceKind.FILL,
        notional_usd=0.3 * 59400.0,
        completeness=(
            Completeness.FULL if mechanism is Mechanism.BACKSTOP else Completeness.SAMPLED
        ),
        mechanism=mechanism,
        history=history,
    )


def contexts(symbol: str, coin: str, mark: float, oracle: float, size: float) -> list[Event]:
    about = (VENUE, symbol, coin, RECEIVED // 1_000_000, RECEIVED)
    return [
        MarkPrice(*about, mark, oracle),
        OpenInterest(*about, size, mark * size),
        Funding(*about, 0.0000125, interval_hours=1.0),
    ]


CONTEXT = """{"funding":"0.0000125","openInterest":"%s","prevDayPx":"1","dayNtlVlm":"1",
    "premium":null,"oraclePx":"%s","markPx":"%s","midPx":null,"impactPxs":null,"dayBaseVlm":"1"}"""

FRAMES: dict[str, tuple[str, list[Event | Control]]] = {
    "trades of both sides": (
        trades(trade(1, "B", "60000.0", "0.01"), trade(2, "A", "59999.0", "0.02")),
        [traded(1, Side.BUY, 60000.0, 0.01), traded(2, Side.SELL, 59999.0, 0.02)],
    ),
    "trade of a coin listed by the thousand": (
        trades(trade(3, "B", "0.01", "5000", coin="kPEPE")),
        [traded(3, Side.BUY, 0.01 / 1000, 5e6, symbol="PEPE", coin="kPEPE")],
    ),
    "replayed trades before a new one": (
        trades(
            trade(4, "B", "60000.0", "0.01", time_ms=TIME - 60_000),
            trade(5, "B", "60001.0", "0.01"),
        ),
        [traded(5, Side.BUY, 60001.0, 0.01)],
    ),
    "trade that names nobody": (
        f"""{{"channel":"trades","data":[{{"coin":"BTC","side":"A","px":"60000","sz":"0.5",
        "time":{TIME},"hash":"0x00","tid":6}}]}}""",
        [traded(6, Side.SELL, 60000.0, 0.5)],
    ),
    "trade of a builder's dex": (trades(trade(7, "B", "1.0", "1", coin="xyz:SP500")), []),
    "trade of a spot pair": (trades(trade(8, "B", "1.0", "1", coin="@107")), []),
    "liquidation of a short, told to the maker who sold": (
        user_fills(MAKER, fill(20, "A")),
        [liquidated(Position.SHORT)],
    ),
    "liquidation of a long, told to the maker who bought": (
        user_fills(MAKER, fill(21, "B", mark="59410.0")),
        [liquidated(Position.LONG)],
    ),
    "liquidation of a short, told to the one liquidated": (
        user_fills(VICTIM, fill(22, "B", direction="Close Short")),
        [liquidated(Position.SHORT)],
    ),
    "liquidation of a short, told as an event of somebody not named": (
        f'{{"channel":"user","data":{{"fills":[{fill(23, "A")}]}}}}',
        [liquidated(Position.SHORT)],
    ),
    "liquidations before the subscription": (
        user_fills(MAKER, fill(24, "A"), fill(25, "B", method=None), snapshot=True),
        [liquidated(Position.SHORT, history=True)],
    ),
    "takeover of a long by the vault": (
        user_fills(VAULT, fill(26, "B", direction="Liquidated Isolated Long", method="backstop")),
        [liquidated(Position.LONG, Mechanism.BACKSTOP)],
    ),
    "takeover of somebody not named": (
        user_fills(
            VAULT,
            fill(27, "A", direction="Liquidated Cross Short", method="backstop", victim=None),
        ),
        [liquidated(Position.SHORT, Mechanism.BACKSTOP)],
    ),
    "deleveraging against a user": (
        user_fills(MAKER, fill(28, "B", direction="Auto-Deleveraging", method="backstop")),
        [liquidated(Position.LONG, Mechanism.ADL)],
    ),
    "deleveraging against the vault": (
        user_fills(
            MAKER, fill(29, "B", direction="Auto-Deleveraging", method="backstop", victim=VAULT)
        ),
        [],
    ),
    "takeover whose words contradict its side": (
        user_fills(VAULT, fill(30, "B", direction="Liquidated Cross Short", method="backstop")),
        [],
    ),
    "liquidation of somebody not named": (user_fills(MAKER, fill(31, "B", victim=None)), []),
    "liquidation of a builder's dex": (user_fills(MAKER, fill(32, "B", coin="xyz:SP500")), []),
    "fill that is no liquidation": (user_fills(MAKER, fill(33, "B", method=None)), []),
    "funding of somebody not named": (
        f"""{{"channel":"user","data":{{"funding":{{"time":{TIME},"coin":"BTC","usdc":"-1.2",
        "szi":"0.5","fundingRate":"0.0000125"}}}}}}""",
        [],
    ),
    "contexts in the order of the universe": (
        f"""{{"channel":"allDexsAssetCtxs","data":{{"ctxs":[
        ["xyz",[{CONTEXT % ("9", "5", "5")}]],
        ["",[{CONTEXT % ("25000.5", "60010.0", "60001.0")},{CONTEXT % ("0.0", "0.0", "0.0")},
        {CONTEXT % ("1000000", "0.0101", "0.01")}]]]}}}}""",
        [
            *contexts("BTC", "BTC", 60001.0, 60010.0, 25000.5),
            *contexts("PEPE", "kPEPE", 0.01 / 1000, 0.0101 / 1000, 1e9),
        ],
    ),
    "contexts of a builder's dex alone": (
        f"""{{"channel":"allDexsAssetCtxs","data":{{"ctxs":[["xyz",[
        {CONTEXT % ("9", "5", "5")}]]]}}}}""",
        [],
    ),
    "book": (
        f'{{"channel":"l2Book","data":{{"coin":"BTC","time":{TIME},"levels":[[],[]]}}}}',
        [],
    ),
    "end of a subscription": (
        """{"channel":"subscriptionResponse","data":{"method":"unsubscribe","subscription":
        {"type":"trades","coin":"SOL"}}}""",
        [],
    ),
    "answer to a subscription": (
        """{"channel":"subscriptionResponse","data":{"method":"subscribe","subscription":
        {"type":"trades","coin":"SOL"}}}""",
        [Acknowledged(("trades:SOL",))],
    ),
    "answer to a subscription to a user": (
        f"""{{"channel":"subscriptionResponse","data":{{"method":"subscribe","subscription":
        {{"type":"userFills","user":"{MAKER}","aggregateByTime":false}}}}}}""",
        [Acknowledged((f"userFills:{MAKER}",))],
    ),
    "refusal that repeats the request": (
        r"""{"channel":"error","data":"Error parsing JSON into valid websocket request: {\"method\":
 \"subscribe\", \"subscription\": {\"type\": \"trades\", \"coin\": 1}}"}""".replace("\n", ""),
        [
            Refused(
                "Error parsing JSON into valid websocket request: "
                '{"method": "subscribe", "subscription": {"type": "trades", "coin": 1}}'
            )
        ],
    ),
    "refusal that repeats the subscription": (
        r"""{"channel":"error",
        "data":"Invalid subscription {\"type\":\"trades\",\"coin\":\"X\"}"}""",
        [Refused('Invalid subscription {"type":"trades","coin":"X"}', ("trades:X",))],
    ),
    "refusal in words": (
        '{"channel":"error","data":"Cannot track more than 10 total users."}',
        [Refused("Cannot track more than 10 total users.")],
    ),
    "pong": ('{"channel":"pong"}', [Alive()]),
    "greeting": ("Websocket connection established.", [Alive()]),
}
