"""Frames of Deribit, written by hand after docs.deribit.com (subscriptions/trades/
tradeskindcurrencyinterval, subscriptions/market-data/tickerinstrument_nameinterval,
api-reference/market-data/public-get_instruments and
public-get_last_trades_by_instrument_and_time; texts of 2026-09), with the events they must give.
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
from liqwatch.exchanges.base import Acknowledged, Alive, Control, Refused, Reply

VENUE = "deribit"
RECEIVED = 1_700_000_000_200_000_000
LIST_URL = (
    "https://www.deribit.com/api/v2/public/get_instruments?currency=any&kind=future&expired=false"
)
LIST = """{"jsonrpc":"2.0","result":[
{"price_index":"btc_usd","kind":"future","instrument_name":"BTC-PERPETUAL","max_leverage":50,
 "instrument_type":"reversed","contract_size":10.0,"min_trade_amount":10.0,"tick_size":0.5,
 "settlement_period":"perpetual","base_currency":"BTC","quote_currency":"USD","is_active":true,
 "state":"open"},
{"price_index":"eth_usdc","kind":"future","instrument_name":"ETH_USDC-PERPETUAL",
 "max_leverage":50,"instrument_type":"linear","contract_size":0.001,"min_trade_amount":0.001,
 "tick_size":0.05,"settlement_period":"perpetual","base_currency":"ETH","quote_currency":"USDC",
 "is_active":true,"state":"open"},
{"price_index":"1000pepe_usdc","kind":"future","instrument_name":"1000PEPE_USDC-PERPETUAL",
 "max_leverage":25,"future_type":"linear","contract_size":1,"min_trade_amount":1,
 "tick_size":0.000001,"settlement_period":"perpetual","base_currency":"1000PEPE",
 "quote_currency":"USDC","is_active":false},
{"price_index":"btc_eurr","kind":"future","instrument_name":"BTC_EURR-PERPETUAL",
 "instrument_type":"linear","contract_size":0.0001,"min_trade_amount":0.0001,"tick_size":1,
 "settlement_period":"perpetual","base_currency":"BTC","quote_currency":"EURR","is_active":true,
 "state":"open"},
{"price_index":"btc_usd","kind":"future","instrument_name":"BTC-25DEC26",
 "instrument_type":"reversed","contract_size":10.0,"min_trade_amount":10.0,"tick_size":2.5,
 "settlement_period":"month","base_currency":"BTC","quote_currency":"USD","is_active":true,
 "state":"open"}],"usIn":1700000000000000,"usOut":1700000000001000,"usDiff":1000,
"testnet":false}"""


def listed(
    name: str, symbol: str, kind: ContractType, size: float, tick_size: float, status: str
) -> Instrument:
    return Instrument(
        venue=VENUE,
        symbol=symbol,
        instrument=name,
        time=RECEIVED // 1_000_000,
        received=RECEIVED,
        contract_type=kind,
        contract_size=size,
        tick_size=tick_size,
        status=status,
    )


TIME = 1_700_000_000_000
BTC = (VENUE, "BTC", "BTC-PERPETUAL", TIME, RECEIVED)
BTC_BEFORE = (VENUE, "BTC", "BTC-PERPETUAL", TIME - 10_000, RECEIVED)
ETH = (VENUE, "ETH", "ETH_USDC-PERPETUAL", TIME, RECEIVED)
PEPE = (VENUE, "PEPE", "1000PEPE_USDC-PERPETUAL", TIME, RECEIVED)


def liquidation(
    about: tuple[str, str, str, int, int],
    position: Position,
    price: float,
    size: float,
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


REST: dict[str, tuple[str, str, list[Event]]] = {
    "futures": (
        LIST_URL,
        LIST,
        [
            listed("BTC-PERPETUAL", "BTC", ContractType.INVERSE, 10.0, 0.5, "open"),
            listed("ETH_USDC-PERPETUAL", "ETH", ContractType.LINEAR, 0.001, 0.05, "open"),
            listed(
                "1000PEPE_USDC-PERPETUAL",
                "PEPE",
                ContractType.LINEAR,
                1000.0,
                0.000001 / 1000,
                "inactive",
            ),
        ],
    ),
    "trades that were missed, one of them forced": (
        (
            "https://www.deribit.com/api/v2/public/get_last_trades_by_instrument_and_time"
            "?start_timestamp=1699999900000&end_timestamp=1700000000000&count=1000&sorting=desc"
            "&instrument_name=BTC-PERPETUAL"
        ),
        """{"jsonrpc":"2.0","result":{"trades":[
        {"trade_seq":502,"trade_id":"4002","timestamp":1699999990000,"tick_direction":0,
         "price":60000.0,"mark_price":60010.0,"liquidation":"T","instrument_name":"BTC-PERPETUAL",
         "index_price":60012.0,"direction":"buy","contracts":60.0,"amount":600.0},
        {"trade_seq":501,"trade_id":"4001","timestamp":1699999990000,"tick_direction":0,
         "price":60000.0,"mark_price":60010.0,"instrument_name":"BTC-PERPETUAL",
         "index_price":60012.0,"direction":"buy","contracts":1.0,"amount":10.0}],
        "has_more":false},"usIn":1,"usOut":2,"usDiff":1,"testnet":false}""",
        [liquidation(BTC_BEFORE, Position.SHORT, 60000.0, 0.01, 600.0, history=True)],
    ),
}


def trades(*rows: str) -> str:
    return (
        '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.future.any.100ms",'
        f'"data":[{",".join(rows)}]}}}}'
    )


FRAMES: dict[str, tuple[str, list[Event | Control]]] = {
    "trades of an inverse and of a linear perpetual": (
        trades(
            """{"timestamp":1700000000000,"price":60000.0,"amount":1200.0,"direction":"sell",
            "index_price":60012.0,"instrument_name":"BTC-PERPETUAL","trade_seq":100,
            "mark_price":60010.0,"tick_direction":2,"contracts":120.0,"trade_id":"3001"}""",
            """{"timestamp":1700000000000,"price":3000.0,"amount":0.25,"direction":"buy",
            "index_price":3001.0,"instrument_name":"ETH_USDC-PERPETUAL","trade_seq":7,
            "mark_price":3000.5,"tick_direction":1,"contracts":250.0,"trade_id":"ETH-9"}""",
        ),
        [
            Trade(*BTC, price=60000.0, size=0.02, side=Side.SELL, id="3001"),
            Trade(*ETH, price=3000.0, size=0.25, side=Side.BUY, id="ETH-9"),
        ],
    ),
    "the taker is liquidated selling": (
        trades(
            """{"timestamp":1700000000000,"price":4000.0,"amount":1120.0,"direction":"sell",
            "index_price":4005.0,"instrument_name":"BTC-PERPETUAL","trade_seq":101,
            "mark_price":4010.0,"tick_direction":3,"liquidation":"T","trade_id":"3002"}"""
        ),
        [
            Trade(*BTC, price=4000.0, size=0.28, side=Side.SELL, id="3002"),
            liquidation(BTC, Position.LONG, 4000.0, 0.28, 1120.0),
        ],
    ),
    "the maker is liquidated: the taker bought what was sold by force": (
        trades(
            """{"timestamp":1700000000000,"price":4000.0,"amount":2500.0,"direction":"buy",
            "index_price":4005.0,"instrument_name":"BTC-PERPETUAL","trade_seq":102,
            "mark_price":4010.0,"tick_direction":3,"liquidation":"M","trade_id":"3003"}"""
        ),
        [
            Trade(*BTC, price=4000.0, size=0.625, side=Side.BUY, id="3003"),
            liquidation(BTC, Position.LONG, 4000.0, 0.625, 2500.0),
        ],
    ),
    "both are liquidated, of a perpetual counted in thousands": (
        trades(
            """{"timestamp":1700000000000,"price":0.008,"amount":500,"direction":"buy",
            "index_price":0.0081,"instrument_name":"1000PEPE_USDC-PERPETUAL","trade_seq":55,
            "mark_price":0.008,"tick_direction":3,"liquidation":"MT","trade_id":"3004"}"""
        ),
        [
            Trade(*PEPE, price=0.008 / 1000, size=500_000.0, side=Side.BUY, id="3004"),
            liquidation(PEPE, Position.SHORT, 0.008 / 1000, 500_000.0, 4.0),
            liquidation(PEPE, Position.LONG, 0.008 / 1000, 500_000.0, 4.0),
        ],
    ),
    "trade of a combo": (
        trades(
            """{"timestamp":1700000000000,"price":60000.0,"amount":10.0,"direction":"sell",
            "instrument_name":"BTC-PERPETUAL","trade_seq":103,"combo_trade_id":"43",
            "combo_id":"BTC-FS-25DEC26_PERP","trade_id":"3005"}"""
        ),
        [],
    ),
    "block trade": (
        trades(
            """{"timestamp":1700000000000,"price":60000.0,"amount":5000000.0,"direction":"sell",
            "instrument_name":"BTC-PERPETUAL","trade_seq":104,"block_trade_id":"BLOCK-289556",
            "block_trade_leg_count":1,"block_rfq_id":77,"trade_id":"3006"}"""
        ),
        [],
    ),
    "trade of a dated future": (
        trades(
            """{"timestamp":1700000000000,"price":61000.0,"amount":10.0,"direction":"sell",
            "instrument_name":"BTC-25DEC26","trade_seq":1,"trade_id":"3007"}"""
        ),
        [],
    ),
    "trade of a perpetual that is not listed": (
        trades(
            """{"timestamp":1700000000000,"price":1.0,"amount":10.0,"direction":"sell",
            "instrument_name":"NEW_USDC-PERPETUAL","trade_seq":1,"trade_id":"3008"}"""
        ),
        [],
    ),
    "ticker of an inverse perpetual": (
        """{"jsonrpc":"2.0","method":"subscription","params":{"channel":
        "ticker.BTC-PERPETUAL.agg2","data":{"timestamp":1700000000000,"state":"open",
        "stats":{"volume":null,"low":null,"high":null},"settlement_price":59000.1,
        "open_interest":900000000,"min_price":59000.0,"max_price":61000.0,"mark_price":60000.0,
        "last_price":60000.5,"instrument_name":"BTC-PERPETUAL","index_price":60012.0,
        "interest_value":2.1,"funding_8h":0.0000211,"current_funding":0,
        "estimated_delivery_price":60012.0,"best_bid_price":60000.0,"best_bid_amount":7000}}}""",
        [
            MarkPrice(*BTC, price=60000.0, index_price=60012.0),
            OpenInterest(*BTC, size=15000.0, notional_usd=9e8),
            Funding(*BTC, rate=0.0000211, interval_hours=8.0),
        ],
    ),
    "ticker of a linear perpetual counted in thousands": (
        """{"jsonrpc":"2.0","method":"subscription","params":{"channel":
        "ticker.1000PEPE_USDC-PERPETUAL.agg2","data":{"timestamp":1700000000000,"state":"open",
        "open_interest":2500.0,"mark_price":0.008,"instrument_name":"1000PEPE_USDC-PERPETUAL",
        "index_price":0.0081,"funding_8h":-1.2e-5,"current_funding":-2e-5}}}""",
        [
            MarkPrice(*PEPE, price=0.008 / 1000, index_price=0.0081 / 1000),
            OpenInterest(*PEPE, size=2_500_000.0),
            Funding(*PEPE, rate=-1.2e-5, interval_hours=8.0),
        ],
    ),
    "book": (
        """{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms",
        "data":{"type":"change","timestamp":1700000000000,"instrument_name":"BTC-PERPETUAL",
        "change_id":2,"prev_change_id":1,"bids":[["new",60000.0,10.0]],"asks":[]}}}""",
        [],
    ),
    "heartbeat": (
        '{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}}',
        [Alive()],
    ),
    "heartbeat that wants an answer": (
        '{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}',
        [Reply('{"jsonrpc":"2.0","id":0,"method":"public/test","params":{}}')],
    ),
    "answer to our answer": (
        """{"jsonrpc":"2.0","id":0,"result":{"version":"1.2.26"},"usIn":1,"usOut":2,"usDiff":1,
        "testnet":false}""",
        [Alive()],
    ),
    "heartbeat is set": (
        '{"jsonrpc":"2.0","id":1,"result":"ok","usIn":1,"usOut":2,"usDiff":1,"testnet":false}',
        [Acknowledged()],
    ),
    "what was accepted of a subscription": (
        """{"jsonrpc":"2.0","id":2,"result":["ticker.BTC-PERPETUAL.agg2",
        "trades.future.any.100ms"],"usIn":1,"usOut":2,"usDiff":1,"testnet":false}""",
        [Acknowledged(("ticker.BTC-PERPETUAL.agg2", "trades.future.any.100ms"))],
    ),
    "nothing was accepted": (
        '{"jsonrpc":"2.0","id":2,"result":[],"usIn":1,"usOut":2,"usDiff":1,"testnet":false}',
        [Refused("none of the channels")],
    ),
    "too many requests, which ends the session": (
        """{"jsonrpc":"2.0","id":2,"error":{"code":10028,"message":"too_many_requests",
        "data":null}}""",
        [Refused("10028 too_many_requests")],
    ),
}
