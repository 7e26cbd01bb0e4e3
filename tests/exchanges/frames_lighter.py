"""Frames of Lighter, written by hand after apidocs.lighter.xyz (docs/websocket-reference, of the
text of 2026-07, and reference/orderbookdetails), with the events they must give.
"""

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
    OpenInterest,
    Position,
    PriceKind,
    Side,
    Trade,
)
from liqwatch.exchanges.base import Acknowledged, Alive, Control, Notice, Refused, Reply
from liqwatch.exchanges.wire import NO_CAP

VENUE = "lighter"
RECEIVED = 1_700_000_002_000_000_000
LIST_URL = "https://mainnet.zklighter.elliot.ai/api/v1/orderBookDetails"
LIST = """{"code":200,"order_book_details":[
{"symbol":"BTC","market_id":1,"market_type":"perp","status":"active","size_decimals":5,
 "price_decimals":1,"min_initial_margin_fraction":200,"maintenance_margin_fraction":120,
 "closeout_margin_fraction":80,"open_interest":1500.25},
{"symbol":"1000PEPE","market_id":4,"market_type":"perp","status":"active","size_decimals":0,
 "price_decimals":6,"min_initial_margin_fraction":1000,"maintenance_margin_fraction":600,
 "closeout_margin_fraction":400,"open_interest":9000000.0},
{"symbol":"XRP","market_id":7,"market_type":"perp","status":"inactive","size_decimals":0,
 "price_decimals":4,"min_initial_margin_fraction":500,"maintenance_margin_fraction":300,
 "closeout_margin_fraction":200,"open_interest":0},
{"symbol":"ETH/USDC","market_id":2048,"market_type":"spot","status":"active","size_decimals":4,
 "price_decimals":2,"min_initial_margin_fraction":10000,"maintenance_margin_fraction":10000,
 "open_interest":0}]}"""

TIME = 1_700_000_000_000
BTC = (VENUE, "BTC", "1", TIME, RECEIVED)
PEPE = (VENUE, "PEPE", "4", TIME, RECEIVED)


def listed(
    name: str, symbol: str, size: float, tick_size: float, status: str = "active"
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


def margin(name: str, symbol: str, rate: float, max_leverage: float) -> MarginTiers:
    return MarginTiers(
        venue=VENUE,
        symbol=symbol,
        instrument=name,
        time=RECEIVED // 1_000_000,
        received=RECEIVED,
        unit="usd",
        tiers=(MarginTier(cap=NO_CAP, rate=rate, max_leverage=max_leverage),),
    )


REST: dict[str, tuple[str, str, list[Event | Control]]] = {
    "markets": (
        LIST_URL,
        LIST,
        [
            listed("1", "BTC", 1.0, 10**-1),
            listed("4", "PEPE", 1000.0, 10**-6 / 1000),
            listed("7", "XRP", 1.0, 10**-4, "inactive"),
            margin("1", "BTC", 0.012, 50.0),
            margin("4", "PEPE", 0.06, 10.0),
            margin("7", "XRP", 0.03, 20.0),
        ],
    ),
}


def holds(
    about: tuple[str, str, str, int, int],
    account: str,
    position: Position,
    size: float,
    entry_price: float | None,
    leverage: float | None,
) -> AccountPosition:
    return AccountPosition(
        *about,
        account=account,
        position=position,
        size=size,
        entry_price=entry_price,
        leverage=leverage,
    )


def liquidation(
    position: Position, price: float, size: float, *, time: int = TIME, history: bool = False
) -> Liquidation:
    return Liquidation(
        venue=VENUE,
        symbol="BTC",
        instrument="1",
        time=time,
        received=RECEIVED,
        position=position,
        size=size,
        price=price,
        price_kind=PriceKind.FILL,
        notional_usd=size * price,
        completeness=Completeness.FULL,
        history=history,
    )


FRAMES: dict[str, tuple[str, list[Event | Control]]] = {
    "two trades, the newest first, and what the accounts hold after both": (
        """{"type":"update/trade","channel":"trade:1","nonce":71,"trades":[
        {"trade_id":402,"type":"trade","market_id":1,"size":"0.25","price":"60010.0",
         "usd_amount":"15002.5","ask_account_id":30,"bid_account_id":12,"is_maker_ask":true,
         "timestamp":1700000000000,"taker_position_size_before":"1.5",
         "taker_entry_quote_before":"89500.0","taker_initial_margin_fraction_before":500,
         "maker_position_sign_changed":true,"maker_initial_margin_fraction_before":200},
        {"trade_id":401,"type":"trade","market_id":1,"size":"0.5","price":"60000.0",
         "usd_amount":"30000.0","ask_account_id":20,"bid_account_id":12,"is_maker_ask":true,
         "timestamp":1700000000000,"taker_position_size_before":"1.0",
         "taker_entry_quote_before":"59500.0","taker_initial_margin_fraction_before":500,
         "maker_position_size_before":"2.0","maker_entry_quote_before":"116000.0",
         "maker_initial_margin_fraction_before":1000}],"liquidation_trades":null}""",
        [
            Trade(*BTC, price=60000.0, size=0.5, side=Side.BUY, id="401"),
            Trade(*BTC, price=60010.0, size=0.25, side=Side.BUY, id="402"),
            holds(BTC, "12", Position.LONG, 1.75, (89500.0 + 0.25 * 60010.0) / 1.75, 20.0),
            holds(BTC, "20", Position.LONG, 1.5, 58000.0, 10.0),
            holds(BTC, "30", Position.SHORT, 0.25, 60010.0, 50.0),
        ],
    ),
    "trade of a thousand coins, positions not told, lists left out": (
        """{"type":"update/trade","channel":"trade/4","trades":[{"trade_id":410,"type":"trade",
        "market_id":4,"size":"3000","price":"0.0125","ask_account_id":20,"bid_account_id":12,
        "is_maker_ask":false,"timestamp":1700000000000}]}""",
        [Trade(*PEPE, price=0.0125 / 1000, size=3e6, side=Side.SELL, id="410")],
    ),
    "liquidation of a short, listed apart": (
        """{"type":"update/trade","channel":"trade:1","trades":null,"liquidation_trades":[
        {"trade_id":420,"type":"liquidation","market_id":1,"size":"0.02","price":"60600.0",
         "ask_account_id":20,"bid_account_id":281474976710001,"is_maker_ask":true,
         "timestamp":1700000000000,"taker_position_size_before":"-0.02",
         "taker_entry_quote_before":"1188.0","taker_initial_margin_fraction_before":200,
         "taker_position_sign_changed":true,"maker_position_size_before":"-0.5",
         "maker_entry_quote_before":"30100.0","maker_initial_margin_fraction_before":200}]}""",
        [
            Trade(*BTC, price=60600.0, size=0.02, side=Side.BUY, id="420"),
            liquidation(Position.SHORT, 60600.0, 0.02),
            holds(BTC, "281474976710001", Position.SHORT, 0.0, None, 50.0),
            holds(BTC, "20", Position.SHORT, 0.52, (30100.0 + 0.02 * 60600) / 0.52, 50.0),
        ],
    ),
    "liquidation of a long, in both lists": (
        """{"type":"update/trade","channel":"trade:1","trades":[{"trade_id":421,"type":"trade",
        "market_id":1,"size":"0.1","price":"59400.0","ask_account_id":33,"bid_account_id":20,
        "is_maker_ask":false,"timestamp":1700000000000}],"liquidation_trades":[{"trade_id":421,
        "type":"liquidation","market_id":1,"size":"0.1","price":"59400.0","ask_account_id":33,
        "bid_account_id":20,"is_maker_ask":false,"timestamp":1700000000000}]}""",
        [
            Trade(*BTC, price=59400.0, size=0.1, side=Side.SELL, id="421"),
            liquidation(Position.LONG, 59400.0, 0.1),
        ],
    ),
    "liquidation of a taker who held the other side": (
        """{"type":"update/trade","channel":"trade:1","trades":[],"liquidation_trades":[
        {"trade_id":422,"type":"liquidation","market_id":1,"size":"0.1","price":"59400.0",
         "ask_account_id":33,"bid_account_id":20,"is_maker_ask":false,"timestamp":1700000000000,
         "taker_position_size_before":"-0.4"}]}""",
        [
            Trade(*BTC, price=59400.0, size=0.1, side=Side.SELL, id="422"),
            holds(BTC, "33", Position.SHORT, 0.5, None, None),
        ],
    ),
    "replay after subscribing": (
        """{"type":"subscribed/trade","channel":"trade:1","trades":[],"liquidation_trades":[
        {"trade_id":302,"type":"liquidation","market_id":1,"size":"0.3","price":"59000.0",
         "ask_account_id":33,"bid_account_id":20,"is_maker_ask":false,
         "timestamp":1699996800000}]}""",
        [
            Acknowledged(("trade/1",)),
            liquidation(Position.LONG, 59000.0, 0.3, time=1_699_996_800_000, history=True),
        ],
    ),
    "statistics in dollars": (
        """{"type":"subscribed/market_stats","channel":"market_stats:all",
        "timestamp":1700000000000,"market_stats":{"1":{"symbol":"BTC","market_id":1,
        "index_price":"60002.0","mark_price":"60001.0","open_interest":"90001500.0",
        "last_trade_price":"60000.0","current_funding_rate":"0.0012","funding_rate":"0.0008",
        "funding_timestamp":1699999200000,"daily_price_change":-0.76},"4":{"symbol":"1000PEPE",
        "market_id":4,"index_price":"0.012501","mark_price":"0.012500","open_interest":"100000.0",
        "current_funding_rate":"-0.0200"}}}""",
        [
            Acknowledged(("market_stats/all",)),
            MarkPrice(*BTC, price=60001.0, index_price=60002.0),
            OpenInterest(*BTC, size=1500.0),
            Funding(*BTC, rate=0.0012 / 100, interval_hours=1.0),
            MarkPrice(*PEPE, price=0.0125 / 1000, index_price=0.012501 / 1000),
            OpenInterest(*PEPE, size=100000.0 / 0.0125 * 1000),
            Funding(*PEPE, rate=-0.02 / 100, interval_hours=1.0),
        ],
    ),
    "statistics in coins": (
        """{"type":"update/market_stats","channel":"market_stats:all","timestamp":1700000000000,
        "market_stats":{"1":{"market_id":1,"index_price":"","mark_price":"60001.0",
        "open_interest":"1490.5"}}}""",
        [MarkPrice(*BTC, price=60001.0), OpenInterest(*BTC, size=1490.5)],
    ),
    "forced reduction of a winner": (
        """{"type":"update/trade","channel":"trade:1","trades":[{"trade_id":430,
        "type":"deleverage","market_id":1,"size":"0.1","price":"59400.0","ask_account_id":33,
        "bid_account_id":20,"is_maker_ask":false,"timestamp":1700000000000}]}""",
        [],
    ),
    "trade of a market not listed": (
        """{"type":"update/trade","channel":"trade:99","trades":[{"trade_id":440,"type":"trade",
        "market_id":99,"size":"1","price":"5","ask_account_id":33,"bid_account_id":20,
        "is_maker_ask":false,"timestamp":1700000000000}]}""",
        [],
    ),
    "tape without rows": ("""{"type":"update/trade","channel":"trade:1","trades":[]}""", []),
    "book": (
        """{"type":"update/order_book","channel":"order_book:1","offset":41,"order_book":
        {"code":0,"asks":[{"price":"60001.0","size":"0.5"}],"bids":[]}}""",
        [],
    ),
    "connected": ("""{"session_id":"6b27e9ee","type":"connected"}""", [Alive()]),
    "ping": ("""{"type":"ping"}""", [Reply('{"type":"pong"}')]),
    "pong": ("""{"type":"pong"}""", [Alive()]),
    "refused": (
        """{"error":{"code":30005,"message":"Invalid Channel"}}""",
        [Refused("30005 Invalid Channel")],
    ),
    "shutdown": ("""{"type":"shutdown","close_in_ms":1000}""", [Notice("shutdown")]),
}
SILENT = ("tape without rows",)
