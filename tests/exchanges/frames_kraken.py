"""Frames of Kraken Futures, written by hand after docs.kraken.com/api/docs/futures-api (websocket:
trade, ticker, heartbeat; trading: get-instruments, get-history), with the events they must give.
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
from liqwatch.exchanges.wire import NO_CAP

VENUE = "kraken-futures"
RECEIVED = 1_700_000_002_000_000_000
LIST_URL = "https://futures.kraken.com/derivatives/api/v3/instruments"
LIST = """{"result":"success","instruments":[
{"symbol":"PF_XBTUSD","type":"flexible_futures","base":"XBT","quote":"USD","pair":"XBT:USD",
 "tickSize":1.0,"contractSize":1,"tradeable":true,"marginLevels":[
 {"numNonContractUnits":0.0,"initialMargin":0.02,"maintenanceMargin":0.01},
 {"numNonContractUnits":2000000.0,"initialMargin":0.04,"maintenanceMargin":0.02}]},
{"symbol":"pi_xbtusd","type":"futures_inverse","underlying":"rr_xbtusd","tickSize":0.5,
 "contractSize":1,"tradeable":true,"marginLevels":[
 {"contracts":0,"initialMargin":0.02,"maintenanceMargin":0.01},
 {"contracts":500000,"initialMargin":0.04,"maintenanceMargin":0.02},
 {"contracts":1000000,"initialMargin":0.06,"maintenanceMargin":0.03}]},
{"symbol":"PI_XRPUSD","type":"futures_inverse","tickSize":0.0001,"contractSize":1,
 "tradeable":true},
{"symbol":"PF_OLDUSD","type":"flexible_futures","tickSize":0.01,"contractSize":1,
 "tradeable":false},
{"symbol":"FI_XBTUSD_231229","type":"futures_inverse","tickSize":0.5,"contractSize":1,
 "tradeable":true},
{"symbol":"PF_XBTEUR","type":"flexible_futures","tickSize":1.0,"contractSize":1,"tradeable":true},
{"symbol":"rr_xbtusd","type":"spot index","tradeable":false}],
"serverTime":"2023-11-14T22:13:20.000Z"}"""

LINEAR, INVERSE = ContractType.LINEAR, ContractType.INVERSE


def listed(
    name: str, symbol: str, kind: ContractType, tick_size: float, status: str = "tradeable"
) -> Instrument:
    return Instrument(
        venue=VENUE,
        symbol=symbol,
        instrument=name,
        time=RECEIVED // 1_000_000,
        received=RECEIVED,
        contract_type=kind,
        contract_size=1.0,
        tick_size=tick_size,
        status=status,
    )


def tiers(name: str, *tiers: MarginTier) -> MarginTiers:
    return MarginTiers(VENUE, "BTC", name, RECEIVED // 1_000_000, RECEIVED, unit="usd", tiers=tiers)


TIME = 1_700_000_000_000
BEFORE = TIME - 20_000
PF_BTC = (VENUE, "BTC", "PF_XBTUSD", TIME, RECEIVED)
PF_BTC_BEFORE = (VENUE, "BTC", "PF_XBTUSD", BEFORE, RECEIVED)
PI_BTC = (VENUE, "BTC", "PI_XBTUSD", TIME, RECEIVED)
PI_XRP = (VENUE, "XRP", "PI_XRPUSD", TIME, RECEIVED)


def liquidation(
    about: tuple[str, str, str, int, int],
    position: Position,
    size: float,
    price: float,
    notional_usd: float,
    *,
    history: bool = False,
) -> Liquidation:
    return Liquidation(
        *about,
        position=position,
        size=size,
        price=price,
        price_kind=PriceKind.FILL,
        notional_usd=notional_usd,
        completeness=Completeness.FULL,
        history=history,
    )


REST: dict[str, tuple[str, str, list[Event | Control]]] = {
    "instruments with margin levels": (
        LIST_URL,
        LIST,
        [
            listed("PF_XBTUSD", "BTC", LINEAR, 1.0),
            tiers("PF_XBTUSD", MarginTier(2e6, 0.01, 50.0), MarginTier(NO_CAP, 0.02, 25.0)),
            listed("PI_XBTUSD", "BTC", INVERSE, 0.5),
            tiers(
                "PI_XBTUSD",
                MarginTier(500_000.0, 0.01, 50.0),
                MarginTier(1e6, 0.02, 25.0),
                MarginTier(NO_CAP, 0.03, 1 / 0.06),
            ),
            listed("PI_XRPUSD", "XRP", INVERSE, 0.0001),
            listed("PF_OLDUSD", "OLD", LINEAR, 0.01, "closed"),
        ],
    ),
    "last trades, newest first": (
        "https://futures.kraken.com/derivatives/api/v3/history?symbol=PF_XBTUSD",
        """{"result":"success","history":[{"time":"2023-11-14T22:13:00.000Z","trade_id":100,
        "price":59990.0,"size":0.5,"side":"sell","type":"liquidation","uid":"h-2"},
        {"time":"2023-11-14T22:12:59.500Z","trade_id":99,"price":60000.0,"size":"0.1",
        "side":"buy","type":"fill","uid":"h-1"}],"serverTime":"2023-11-14T22:13:22.000Z"}""",
        [liquidation(PF_BTC_BEFORE, Position.LONG, 0.5, 59990.0, 0.5 * 59990.0, history=True)],
    ),
}


def trade(uid: str, **changed: object) -> str:
    """A trade message, its values as they stand in JSON."""
    values = {
        "product_id": '"PF_XBTUSD"',
        "side": '"buy"',
        "type": '"fill"',
        "seq": 653355,
        "time": TIME,
        "qty": 0.25,
        "price": 60000.0,
    } | changed
    return (
        f'{{"feed":"trade","uid":"{uid}",'
        + ",".join(f'"{key}":{value}' for key, value in values.items())
        + "}"
    )


def snapshot(*newest_first: str) -> str:
    return (
        '{"feed":"trade_snapshot","product_id":"PF_XBTUSD","trades":['
        + ",".join(newest_first)
        + "]}"
    )


FRAMES: dict[str, tuple[str, list[Event | Control]]] = {
    "trade of a linear perpetual: coins": (
        trade("a-1"),
        [Trade(*PF_BTC, price=60000.0, size=0.25, side=Side.BUY, id="a-1")],
    ),
    "trade of an inverse perpetual: dollars": (
        trade("a-2", product_id='"PI_XBTUSD"', side='"sell"', qty=15000, seq=7),
        [Trade(*PI_BTC, price=60000.0, size=15000 / 60000, side=Side.SELL, id="a-2")],
    ),
    "liquidation of a long": (
        trade("a-3", type='"liquidation"', side='"sell"', qty=0.0113, seq=653356),
        [
            Trade(*PF_BTC, price=60000.0, size=0.0113, side=Side.SELL, id="a-3"),
            liquidation(PF_BTC, Position.LONG, 0.0113, 60000.0, 0.0113 * 60000.0),
        ],
    ),
    "termination of a short of an inverse perpetual": (
        trade("a-4", product_id='"PI_XRPUSD"', type='"termination"', qty=12000, price=0.5),
        [
            Trade(*PI_XRP, price=0.5, size=24000.0, side=Side.BUY, id="a-4"),
            liquidation(PI_XRP, Position.SHORT, 24000.0, 0.5, 12000.0),
        ],
    ),
    "block trade": (trade("a-5", type='"block"', seq=653357), []),
    "assignment": (trade("a-6", type='"assignment"', seq=653358), []),
    "trade of a kind nobody documented": (trade("a-7", type='"gift"', seq=653359), []),
    "trade of a dated future": (trade("a-8", product_id='"FI_XBTUSD_231229"'), []),
    "snapshot: fills are history, forced ones events of the past": (
        snapshot(
            trade("b-3", type='"liquidation"', side='"sell"', seq=653353, qty=2.0, time=BEFORE),
            trade("b-2", type='"liquidation"', seq=653352, qty=1.0, time=BEFORE),
        ),
        [
            liquidation(PF_BTC_BEFORE, Position.SHORT, 1.0, 60000.0, 60000.0, history=True),
            liquidation(PF_BTC_BEFORE, Position.LONG, 2.0, 60000.0, 120000.0, history=True),
        ],
    ),
    "snapshot of a fill": (snapshot(trade("b-1", seq=653351, time=BEFORE)), []),
    "ticker of a linear perpetual": (
        """{"feed":"ticker","product_id":"PF_XBTUSD","time":1700000000000,"tag":"perpetual",
        "bid":60000.0,"ask":60001.0,"index":60000.5,"last":60000.0,"suspended":false,
        "pair":"XBT:USD","markPrice":60001.25,"openInterest":1234.5,"funding_rate":0.9,
        "relative_funding_rate":1.5e-05,"next_funding_rate_time":1700002800000}""",
        [
            MarkPrice(*PF_BTC, price=60001.25, index_price=60000.5),
            OpenInterest(*PF_BTC, size=1234.5),
            Funding(*PF_BTC, rate=1.5e-05, interval_hours=1.0, next_time=1_700_002_800_000),
        ],
    ),
    "ticker of an inverse perpetual": (
        """{"feed":"ticker","product_id":"PI_XBTUSD","time":1700000000000,"tag":"perpetual",
        "index":60000.5,"markPrice":60000.0,"openInterest":30000000,"funding_rate":-6e-11,
        "relative_funding_rate":-1.38e-06,"next_funding_rate_time":0}""",
        [
            MarkPrice(*PI_BTC, price=60000.0, index_price=60000.5),
            OpenInterest(*PI_BTC, size=500.0, notional_usd=3e7),
            Funding(*PI_BTC, rate=-1.38e-06, interval_hours=1.0),
        ],
    ),
    "ticker of a dated future": (
        """{"feed":"ticker","product_id":"FI_XBTUSD_231229","time":1700000000000,"tag":"quarter",
        "markPrice":60500.0,"openInterest":1000}""",
        [],
    ),
    "book": (
        """{"feed":"book","product_id":"PF_XBTUSD","side":"sell","seq":1,"price":60000.0,
        "qty":1.0,"timestamp":1700000000000}""",
        [],
    ),
    "heartbeat": ('{"feed":"heartbeat","time":1700000000000}', [Alive()]),
    "greeting": ('{"event":"info","version":1}', [Alive()]),
    "product subscribed": (
        '{"event":"subscribed","feed":"trade","product_ids":["PF_XBTUSD"]}',
        [Acknowledged(("trade:PF_XBTUSD",))],
    ),
    "heartbeat subscribed": (
        '{"event":"subscribed","feed":"heartbeat"}',
        [Acknowledged(("heartbeat",))],
    ),
    "product refused": (
        '{"event":"subscribed_failed","feed":"trade","product_ids":["PF_XXXUSD"]}',
        [Refused("subscribed_failed", ("trade:PF_XXXUSD",))],
    ),
    "error that names nothing": (
        '{"event":"error","message":"Invalid product id"}',
        [Refused("Invalid product id")],
    ),
    "alert": (
        '{"event":"alert","message":"Failed to subscribe to authenticated feed"}',
        [Refused("Failed to subscribe to authenticated feed")],
    ),
    "harmless alert": (
        '{"event":"alert","message":"Already subscribed to feed, re-requesting"}',
        [],
    ),
}
