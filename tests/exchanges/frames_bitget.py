"""Frames of Bitget's USDT perpetuals (v3), written by hand after bitget.com/api-doc/uta
(websocket/public: Liquidation-Channel, New-Trades-Channel, Tickers-Channel; public: Instruments,
Get-Position-Tier-Data, Get-Liquidations; text of 2026-09) with the events they must give.
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
    Position,
    PriceKind,
    Side,
    Trade,
)
from liqwatch.exchanges.base import Acknowledged, Alive, Control, Refused

VENUE = "bitget-usdt"
RECEIVED = 1_700_000_002_000_000_000
MARKET = "https://api.bitget.com/api/v3/market"
LIST_URL = f"{MARKET}/instruments?category=USDT-FUTURES"
LIST = """{"code":"00000","msg":"success","requestTime":1700000000123,"data":[
{"symbol":"BTCUSDT","category":"USDT-FUTURES","baseCoin":"BTC","quoteCoin":"USDT",
 "symbolType":"crypto","isRwa":"NO","minOrderQty":"0.0001","pricePrecision":"1",
 "priceMultiplier":"0.1","quantityMultiplier":"0.0001","type":"perpetual","status":"online",
 "fundInterval":"8","maxLeverage":"150"},
{"symbol":"1000BONKUSDT","category":"USDT-FUTURES","baseCoin":"1000BONK","quoteCoin":"USDT",
 "priceMultiplier":"0.00001","quantityMultiplier":"1","type":"perpetual","status":"limit_open",
 "fundInterval":""},
{"symbol":"BTCUSDT_260327","category":"USDT-FUTURES","baseCoin":"BTC","quoteCoin":"USDT",
 "priceMultiplier":"0.1","quantityMultiplier":"0.001","type":"delivery","status":"online"}]}"""
TIME = 1_700_000_000_000
BTC = (VENUE, "BTC", "BTCUSDT", TIME, RECEIVED)
BONK = (VENUE, "BONK", "1000BONKUSDT", TIME, RECEIVED)


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


def liquidation(
    position: Position, size: float, price: float, usdt: float, *, history: bool = False
) -> Liquidation:
    """A liquidation of BTCUSDT."""
    return Liquidation(
        *BTC,
        position=position,
        size=size,
        price=price,
        price_kind=PriceKind.REFERENCE,
        notional_usd=usdt,
        completeness=Completeness.SAMPLED,
        history=history,
    )


def push(topic: str, *rows: str, symbol: str = "", action: str = "update") -> str:
    named = f',"symbol":"{symbol}"' if symbol else ""
    return (
        f'{{"action":"{action}","arg":{{"instType":"usdt-futures","topic":"{topic}"{named}}},'
        f'"data":[{",".join(rows)}],"ts":1700000000000}}'
    )


def trade(number: int) -> str:
    return (
        f'{{"i":"14329124920510545{number}","p":"60000.1","v":"0.01","S":"buy",'
        '"T":"1700000000000","L":"1432912492051054593","isRPI":"yes"}'
    )


REST: dict[str, tuple[str, str, list[Event | Control]]] = {
    "instruments": (
        LIST_URL,
        LIST,
        [
            listed("BTCUSDT", "BTC", 1.0, 0.1, "online"),
            listed("1000BONKUSDT", "BONK", 1000.0, 0.00001 / 1000, "limit_open"),
        ],
    ),
    "liquidations whose unit is not certain yet": (
        f"{MARKET}/liquidations?category=USDT-FUTURES&limit=100",
        """{"code":"00000","msg":"success","requestTime":1700000000123,"data":{"list":[
        {"symbol":"BTCUSDT","side":"buy","price":"59400.12","amount":"0.1",
        "ts":"1700000000000"}],"cursor":"1351"}}""",
        [],
    ),
    "margin tiers": (
        f"{MARKET}/position-tier?category=USDT-FUTURES&symbol=BTCUSDT",
        """{"code":"00000","msg":"success","requestTime":1700000000123,"data":[
        {"tier":"1","minTierValue":"0","maxTierValue":"150000","leverage":"125","mmr":"0.004"},
        {"tier":"2","minTierValue":"150000","maxTierValue":"900000","leverage":"100",
        "mmr":"0.005"}]}""",
        [
            MarginTiers(
                *BTC[:3],
                RECEIVED // 1_000_000,
                RECEIVED,
                unit="usd",
                tiers=(MarginTier(150_000.0, 0.004, 125.0), MarginTier(900_000.0, 0.005, 100.0)),
            )
        ],
    ),
}

FRAMES: dict[str, tuple[str, list[Event | Control]]] = {
    "trade": (
        push("publicTrade", trade(92), symbol="BTCUSDT"),
        [Trade(*BTC, price=60000.1, size=0.01, side=Side.BUY, id="1432912492051054592")],
    ),
    "trade of a coin listed by the thousand": (
        push(
            "publicTrade",
            '{"i":"7","p":"0.012","v":"3","S":"sell","T":"1700000000000","L":"8","isRPI":"no"}',
            symbol="1000BONKUSDT",
        ),
        [Trade(*BONK, price=0.012 / 1000, size=3000.0, side=Side.SELL, id="7")],
    ),
    "first push of trades": (
        push("publicTrade", trade(91), symbol="BTCUSDT", action="snapshot"),
        [],
    ),
    "ticker": (
        push(
            "ticker",
            '{"highPrice24h":"61000","lastPrice":"60000.1","volume24h":"37764.7",'
            '"price24hPcnt":"-0.013","indexPrice":"60001.25","markPrice":"60001.5",'
            '"fundingRate":"-0.00003","openInterest":"29539.3825","deliveryTime":"",'
            '"nextFundingTime":"1700006400000"}',
            symbol="BTCUSDT",
            action="snapshot",
        ),
        [
            MarkPrice(*BTC, price=60001.5, index_price=60001.25),
            OpenInterest(*BTC, size=29539.3825),
            Funding(*BTC, rate=-0.00003, interval_hours=8.0, next_time=1_700_006_400_000),
        ],
    ),
    "ticker with little in it": (
        push(
            "ticker",
            '{"markPrice":"0.012","indexPrice":"","openInterest":"5","fundingRate":"0.0001",'
            '"nextFundingTime":""}',
            symbol="1000BONKUSDT",
        ),
        [
            MarkPrice(*BONK, price=0.012 / 1000),
            OpenInterest(*BONK, size=5000.0),
            Funding(*BONK, rate=0.0001),
        ],
    ),
    "liquidations of a long and a short": (
        push(
            "liquidation",
            '{"symbol":"BTCUSDT","side":"buy","price":"59400.12","amount":"5940.012",'
            '"ts":"1700000000000"}',
            '{"symbol":"BTCUSDT","side":"sell","price":"60600","amount":"121.2",'
            '"ts":"1700000000000"}',
            '{"symbol":"BTCUSDT_260327","side":"sell","price":"60600","amount":"121.2",'
            '"ts":"1700000000000"}',
        ),
        [
            liquidation(Position.LONG, 5940.012 / 59400.12, 59400.12, 5940.012),
            liquidation(Position.SHORT, 121.2 / 60600, 60600.0, 121.2),
        ],
    ),
    "liquidation of the coin-margined market": (
        push(
            "liquidation",
            '{"symbol":"BTCUSD_CM","side":"buy","price":"59400","amount":"1","ts":"1700000000000"}',
        ).replace("usdt-futures", "coin-futures"),
        [],
    ),
    "book": (
        push("books", '{"a":[["60000.2","1"]],"b":[],"ts":"1700000000000"}', symbol="BTCUSDT"),
        [],
    ),
    "trade of the version before": (
        """{"action":"update","arg":{"instType":"USDT-FUTURES","channel":"trade",
        "instId":"BTCUSDT"},"data":[["1700000000000","60000","0.1","sell"]]}""",
        [],
    ),
    "acknowledgement": (
        """{"event":"subscribe","arg":{"instType":"usdt-futures","topic":"publicTrade",
        "symbol":"BTCUSDT"},"connId":"a1"}""",
        [Acknowledged(("publicTrade:BTCUSDT",))],
    ),
    "acknowledgement of the liquidations": (
        '{"event":"subscribe","arg":{"instType":"usdt-futures","topic":"liquidation"}}',
        [Acknowledged(("liquidation:usdt-futures",))],
    ),
    "refused": (
        '{"event":"error","code":30015,"msg":"Invalid sign"}',
        [Refused("30015 Invalid sign")],
    ),
    "refused, with its topic": (
        """{"event":"error","arg":{"instType":"usdt-futures","topic":"ticker","symbol":"XUSDT"},
        "code":"25200","msg":"symbol doesn't exist"}""",
        [Refused("25200 symbol doesn't exist", ("ticker:XUSDT",))],
    ),
    "pong": ("pong", [Alive()]),
}
