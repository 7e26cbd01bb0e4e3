"""Frames of Paradex, written by hand after docs.paradex.trade (ws/general-information, api/prod)
and the schema paradex_py/api/sbe/paradex_1_0.xml it names, with the events they must give.
"""

import struct

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
from liqwatch.exchanges.base import Acknowledged, Alive, Control, Refused
from liqwatch.exchanges.wire import NO_CAP

VENUE = "paradex"
RECEIVED = 1_700_000_002_000_000_000
REST_URL = "https://api.prod.paradex.trade/v1"
LIST_URL = f"{REST_URL}/markets"
LIST = """{"results":[
{"symbol":"BTC-USD-PERP","base_currency":"BTC","quote_currency":"USD","settlement_currency":"USDC",
 "order_size_increment":"0.00001","price_tick_size":"0.1","asset_kind":"PERP","expiry_at":0,
 "delta1_cross_margin_params":{"imf_base":"0.02","imf_shift":"0","imf_factor":"0",
 "mmf_factor":"0.5"},"funding_period_hours":8},
{"symbol":"kBONK-USD-PERP","base_currency":"kBONK","quote_currency":"USD",
 "order_size_increment":"100","price_tick_size":"0.000001","asset_kind":"PERP",
 "delta1_cross_margin_params":{"imf_base":"0.1","imf_shift":"44000","imf_factor":"0.000034",
 "mmf_factor":"0.5"}},
{"symbol":"BTC-USD-26JUN26-80000-C","base_currency":"BTC","quote_currency":"USD",
 "price_tick_size":"1","asset_kind":"OPTION"}]}"""


def WIRE(text: str) -> str | bytes:  # noqa: N802 - a name of the contract test
    """JSON goes as text; binary frames stand here in hexadecimal digits."""
    return text if text[:1] in {"{", "["} else bytes.fromhex(text)


TIME = 1_700_000_000_000
BTC = (VENUE, "BTC", "BTC-USD-PERP", TIME, RECEIVED)
BONK = (VENUE, "BONK", "kBONK-USD-PERP", TIME, RECEIVED)
LISTED_MS = RECEIVED // 1_000_000


def listed(name: str, symbol: str, size: float, tick_size: float) -> Instrument:
    return Instrument(
        venue=VENUE,
        symbol=symbol,
        instrument=name,
        time=LISTED_MS,
        received=RECEIVED,
        contract_type=ContractType.LINEAR,
        contract_size=size,
        tick_size=tick_size,
        status="listed",
    )


def liquidation(
    about: tuple[str, str, str, int, int],
    position: Position,
    size: float,
    price: float,
    notional_usd: float,
    mechanism: Mechanism = Mechanism.BOOK,
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
        mechanism=mechanism,
        history=history,
    )


REST: dict[str, tuple[str, str, list[Event | Control]]] = {
    "markets with margins": (
        LIST_URL,
        LIST,
        [
            listed("BTC-USD-PERP", "BTC", 1.0, 0.1),
            MarginTiers(
                VENUE,
                "BTC",
                "BTC-USD-PERP",
                LISTED_MS,
                RECEIVED,
                unit="usd",
                tiers=(MarginTier(NO_CAP, 0.01, 50.0),),
            ),
            listed("kBONK-USD-PERP", "BONK", 1000.0, 0.000001 / 1000),
        ],
    ),
    "summaries": (
        f"{REST_URL}/markets/summary?market=ALL",
        """{"results":[{"symbol":"BTC-USD-PERP","mark_price":"60001.5",
        "underlying_price":"60000.5","last_traded_price":"60001","open_interest":"1234.5",
        "funding_rate":"-0.0001","created_at":1700000000000},
        {"symbol":"kBONK-USD-PERP","mark_price":"0.025","underlying_price":"",
        "open_interest":"2000","funding_rate":"","created_at":1700000000000},
        {"symbol":"BTC-USD-26JUN26-80000-C","mark_price":"900","open_interest":"1",
        "funding_rate":"","created_at":1700000000000}]}""",
        [
            MarkPrice(*BTC, price=60001.5, index_price=60000.5),
            OpenInterest(*BTC, size=1234.5),
            Funding(*BTC, rate=-0.0001, interval_hours=8.0),
            MarkPrice(*BONK, price=0.025 / 1000),
            OpenInterest(*BONK, size=2_000_000.0),
        ],
    ),
    "past trades": (
        f"{REST_URL}/trades?market=BTC-USD-PERP&start_at=1&end_at=2",
        """{"next":null,"prev":null,"results":[{"created_at":1700000000000,"id":"12345644",
        "market":"BTC-USD-PERP","price":"59900","side":"BUY","size":"0.5",
        "trade_type":"LIQUIDATION"},{"created_at":1699999999000,"id":"12345643",
        "market":"BTC-USD-PERP","price":"60000","side":"BUY","size":"0.01","trade_type":"FILL"}]}""",
        [liquidation(BTC, Position.SHORT, 0.5, 59900.0, 29950.0, history=True)],
    ),
}


def trade(number: str = "1700000000000201709233240002", **changed: str) -> str:
    """A trade in JSON."""
    values = {
        "id": number,
        "market": "BTC-USD-PERP",
        "side": "BUY",
        "size": "0.5",
        "price": "60000.5",
        "trade_type": "FILL",
    } | changed
    data = ",".join(f'"{key}":"{value}"' for key, value in values.items())
    return (
        '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.ALL","data":{'
        f'{data},"created_at":{TIME}}}}}}}'
    )


def packed(
    number: int,
    *,
    market: str = "BTC-USD-PERP",
    side: int = 1,
    size: float = 0.5,
    price: float = 60000.5,
    kind: int = 1,
    seq: int = 7_678_386_728,
    template: int = 1,
    more_fields: bytes = b"",
    more_text: bytes = b"",
) -> str:
    """A trade in binary, schema 1:1, in hexadecimal digits."""
    block = struct.pack(
        "<qqqBqqqB",
        TIME * 1000 + 5000,
        seq,
        number,
        side,
        round(price * 1e8),
        round(size * 1e8),
        TIME * 1000 + 250,
        kind,
    )
    block += more_fields
    header = struct.pack("<HHHH", len(block), template, 1, 1)
    name = market.encode()
    return (header + block + bytes([len(name)]) + name + more_text).hex()


FRAMES: dict[str, tuple[str, list[Event | Control]]] = {
    "binary trade": (
        packed(101),
        [Trade(*BTC, price=60000.5, size=0.5, side=Side.BUY, id="101")],
    ),
    "binary trade whose id does not fit, of 1,000 coins": (
        packed(-2, market="kBONK-USD-PERP", side=2, size=34028, price=0.028776, kind=5),
        [
            Trade(
                *BONK,
                price=0.028776 / 1000,
                size=34_028_000.0,
                side=Side.SELL,
                id=str(2**64 - 2),
            )
        ],
    ),
    "binary trade of a later version": (
        packed(103, more_fields=bytes(8), more_text=b"\x0228"),
        [Trade(*BTC, price=60000.5, size=0.5, side=Side.BUY, id="103")],
    ),
    "binary liquidation taken over by the insurance fund": (
        packed(104, side=2, kind=2, seq=0),
        [liquidation(BTC, Position.LONG, 0.5, 60000.5, 30000.25, Mechanism.BACKSTOP)],
    ),
    "binary liquidation on the book": (
        packed(105, kind=2),
        [
            Trade(*BTC, price=60000.5, size=0.5, side=Side.BUY, id="105"),
            liquidation(BTC, Position.SHORT, 0.5, 60000.5, 30000.25),
        ],
    ),
    "binary transfer": (packed(106, kind=3, seq=0), []),
    "binary settlement": (packed(107, kind=4, seq=0), []),
    "binary block trade": (packed(108, kind=6, seq=0), []),
    "binary trade of a kind that cannot be told": (packed(109, kind=254), []),
    "binary trade without a side": (packed(110, side=254), []),
    "binary trade of an option": (packed(111, market="BTC-USD-26JUN26-80000-C"), []),
    "binary book": (packed(112, template=3), []),
    "binary heartbeat": ("1000280001000100" + "00" * 16, [Alive()]),
    "trade in JSON": (
        trade(market="kBONK-USD-PERP", size="34028", price="0.028776"),
        [
            Trade(
                *BONK,
                price=0.028776 / 1000,
                size=34_028_000.0,
                side=Side.BUY,
                id="1700000000000201709233240002",
            )
        ],
    ),
    "liquidation in JSON": (
        trade("1700000000000201709233240003", side="SELL", trade_type="LIQUIDATION"),
        [
            Trade(
                *BTC,
                price=60000.5,
                size=0.5,
                side=Side.SELL,
                id="1700000000000201709233240003",
            ),
            liquidation(BTC, Position.LONG, 0.5, 60000.5, 30000.25),
        ],
    ),
    "block trade in JSON": (
        trade("1700000000000201709233240004", trade_type="BLOCK_TRADE"),
        [],
    ),
    "another channel": (
        """{"jsonrpc":"2.0","method":"subscription","params":{"channel":"bbo.BTC-USD-PERP",
        "data":{"bid":"60000"}}}""",
        [],
    ),
    "subscribed": (
        """{"jsonrpc":"2.0","result":{"channel":"trades.ALL"},"usIn":1682556415569005,
        "usDiff":1291,"id":1}""",
        [Acknowledged(("trades.ALL",))],
    ),
    "refused": (
        """{"jsonrpc":"2.0","error":{"code":40112,"message":"Geo IP blocked"},"usIn":1,"usOut":2,
        "usDiff":1,"id":1}""",
        [Refused("40112 Geo IP blocked", ("trades.ALL",))],
    ),
}
