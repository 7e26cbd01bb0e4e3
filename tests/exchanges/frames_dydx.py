"""Frames of dYdX v4, written by hand after docs.dydx.xyz (indexer-client/websockets and
indexer-client/http) and the types of trades in dydxprotocol/v4-chain (2026-03-04), with the events
they must give.
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

VENUE = "dydx"
RECEIVED = 1_700_000_002_000_000_000
LIST_URL = "https://indexer.dydx.trade/v4/perpetualMarkets"
BTC_ROW = """"BTC-USD":{"clobPairId":"0","ticker":"BTC-USD","status":"ACTIVE",
 "oraclePrice":"60000.5","nextFundingRate":"0.0000125","initialMarginFraction":"0.02",
 "maintenanceMarginFraction":"0.012","openInterest":"381.75","tickSize":"1","stepSize":"0.0001",
 "marketType":"CROSS","openInterestLowerCap":"0","openInterestUpperCap":"0"}"""
OTHER_ROWS = """"PUP-USD":{"clobPairId":"901","ticker":"PUP-USD",
 "status":"FINAL_SETTLEMENT","oraclePrice":"0","nextFundingRate":"0","initialMarginFraction":"0.2",
 "maintenanceMarginFraction":"0.1","openInterest":"0","tickSize":"0.00001","stepSize":"10",
 "marketType":"ISOLATED"},
"BTC,RAYDIUM,3QGW-USD":{"clobPairId":"903","ticker":"BTC,RAYDIUM,3QGW-USD",
 "status":"ACTIVE","oraclePrice":"0.01","nextFundingRate":"0","initialMarginFraction":"0.2",
 "maintenanceMarginFraction":"0.1","openInterest":"5","tickSize":"0.00001","stepSize":"10",
 "marketType":"ISOLATED"},
"ETH-BTC":{"clobPairId":"902","ticker":"ETH-BTC","status":"ACTIVE","oraclePrice":"0.05",
 "nextFundingRate":"0","initialMarginFraction":"0.1","maintenanceMarginFraction":"0.05",
 "openInterest":"3","tickSize":"0.0001","stepSize":"0.01","marketType":"CROSS"}"""
LIST = f'{{"markets":{{{BTC_ROW},{OTHER_ROWS}}}}}'
LIST_WITH_BAD_ROW = f'{{"markets":{{"BAD-USD":{{"ticker":1}},{BTC_ROW},{OTHER_ROWS}}}}}'
EMPTY_LIST = '{"markets":{}}'

TIME = 1_700_000_000_000
BTC = (VENUE, "BTC", "BTC-USD", TIME, RECEIVED)
BTC_NOW = (VENUE, "BTC", "BTC-USD", RECEIVED // 1_000_000, RECEIVED)
PUP_NOW = (VENUE, "PUP", "PUP-USD", RECEIVED // 1_000_000, RECEIVED)

REST: dict[str, tuple[str, str, list[Event | Control]]] = {
    "markets": (
        LIST_URL,
        LIST,
        [
            Instrument(
                *BTC_NOW,
                contract_type=ContractType.LINEAR,
                contract_size=1.0,
                tick_size=1.0,
                status="ACTIVE",
            ),
            MarginTiers(
                *BTC_NOW,
                unit="usd",
                tiers=(MarginTier(cap=NO_CAP, rate=0.012, max_leverage=50.0),),
            ),
            MarkPrice(*BTC_NOW, price=60000.5),
            OpenInterest(*BTC_NOW, size=381.75),
            Funding(*BTC_NOW, rate=0.0000125, interval_hours=1.0),
            Instrument(
                *PUP_NOW,
                contract_type=ContractType.LINEAR,
                contract_size=1.0,
                tick_size=0.00001,
                status="FINAL_SETTLEMENT",
            ),
            MarginTiers(
                *PUP_NOW,
                unit="usd",
                tiers=(MarginTier(cap=NO_CAP, rate=0.1, max_leverage=5.0),),
            ),
            OpenInterest(*PUP_NOW, size=0.0),
            Funding(*PUP_NOW, rate=0.0, interval_hours=1.0),
        ],
    ),
}


def liquidation(
    position: Position, price: float, size: float, *, time: int = TIME, history: bool = False
) -> Liquidation:
    return Liquidation(
        venue=VENUE,
        symbol="BTC",
        instrument="BTC-USD",
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
    "trade and liquidation of a long": (
        """{"type":"channel_data","connection_id":"c1","message_id":40,"id":"BTC-USD",
        "channel":"v4_trades","version":"2.1.0","contents":{"trades":[
        {"id":"0165e5e40000000200000002","size":"0.002","price":"60397","side":"BUY",
         "createdAt":"2023-11-14T22:13:20.000Z","type":"LIMIT"},
        {"id":"0165e5e40000000200000005","side":"SELL","size":"3.5","price":"59400",
         "type":"LIQUIDATED","createdAt":"2023-11-14T22:13:20.000Z"}]}}""",
        [
            Trade(*BTC, price=60397.0, size=0.002, side=Side.BUY, id="0165e5e40000000200000002"),
            Trade(*BTC, price=59400.0, size=3.5, side=Side.SELL, id="0165e5e40000000200000005"),
            liquidation(Position.LONG, 59400.0, 3.5),
        ],
    ),
    "batch of two": (
        """{"type":"channel_batch_data","connection_id":"c1","message_id":41,"id":"BTC-USD",
        "channel":"v4_trades","version":"2.1.0","contents":[{"trades":[
        {"id":"0165e5e50000000200000002","size":"0.5","price":"60600","side":"BUY",
         "createdAt":"2023-11-14T22:13:20.000Z","type":"LIQUIDATED"}]},{"trades":[
        {"id":"0165e5e50000000200000008","size":"0.25","price":"60601","side":"SELL",
         "createdAt":"2023-11-14T22:13:20.000Z","type":"TWAP_SUBORDER"}]}]}""",
        [
            Trade(*BTC, price=60600.0, size=0.5, side=Side.BUY, id="0165e5e50000000200000002"),
            liquidation(Position.SHORT, 60600.0, 0.5),
            Trade(*BTC, price=60601.0, size=0.25, side=Side.SELL, id="0165e5e50000000200000008"),
        ],
    ),
    "the past after subscribing": (
        """{"type":"subscribed","connection_id":"c1","message_id":42,"channel":"v4_trades",
        "id":"BTC-USD","contents":{"trades":[
        {"id":"0165e5000000000200000002","side":"SELL","size":"1.5","price":"59000",
         "type":"LIQUIDATED","createdAt":"2023-11-14T21:20:00.000Z","createdAtHeight":"49592"}]}}""",
        [
            Acknowledged(("v4_trades:BTC-USD",)),
            liquidation(Position.LONG, 59000.0, 1.5, time=TIME - 3_200_000, history=True),
        ],
    ),
    "oracle prices": (
        """{"type":"channel_data","connection_id":"c1","message_id":43,"channel":"v4_markets",
        "version":"1.0.0","contents":{"oraclePrices":{"BTC-USD":{"oraclePrice":"60001.5",
        "effectiveAt":"2023-11-14T22:13:20.000Z","effectiveAtHeight":"12345679","marketId":0}}}}""",
        [MarkPrice(*BTC, price=60001.5)],
    ),
    "open interest and funding": (
        """{"type":"channel_batch_data","connection_id":"c1","message_id":44,
        "channel":"v4_markets","version":"1.0.0","contents":[{"trading":{"BTC-USD":{"id":"0",
        "openInterest":"382.25","nextFundingRate":"-0.0000041","priceChange24H":"-12.5"}}}]}""",
        [
            OpenInterest(*BTC_NOW, size=382.25),
            Funding(*BTC_NOW, rate=-0.0000041, interval_hours=1.0),
        ],
    ),
    "markets after subscribing": (
        """{"type":"subscribed","connection_id":"c1","message_id":45,"channel":"v4_markets",
        "contents":{"markets":{"BTC-USD":{"clobPairId":"0","ticker":"BTC-USD","status":"ACTIVE",
        "oraclePrice":"60000.5","openInterest":"381.75"}}}}""",
        [
            Acknowledged(("v4_markets",)),
            MarkPrice(*BTC_NOW, price=60000.5),
            OpenInterest(*BTC_NOW, size=381.75),
        ],
    ),
    "fill against a bankrupt account": (
        """{"type":"channel_data","connection_id":"c1","message_id":46,"id":"BTC-USD",
        "channel":"v4_trades","version":"2.1.0","contents":{"trades":[
        {"id":"0165e5e60000000200000002","size":"0.5","price":"59000","side":"BUY",
         "createdAt":"2023-11-14T22:13:20.000Z","type":"DELEVERAGED"}]}}""",
        [],
    ),
    "trade of another quote": (
        """{"type":"channel_data","connection_id":"c1","message_id":47,"id":"ETH-BTC",
        "channel":"v4_trades","version":"2.1.0","contents":{"trades":[
        {"id":"0165e5e70000000200000002","size":"0.5","price":"0.05","side":"BUY",
         "createdAt":"2023-11-14T22:13:20.000Z","type":"LIMIT"}]}}""",
        [],
    ),
    "batch without trades": (
        """{"type":"channel_batch_data","channel":"v4_trades","id":"BTC-USD","version":"2.1.0",
        "contents":[{"trades":[]}]}""",
        [],
    ),
    "book": (
        """{"type":"channel_data","connection_id":"c1","message_id":48,"id":"BTC-USD",
        "channel":"v4_orderbook","version":"1.0.0","contents":{"bids":[["59999","0"]]}}""",
        [],
    ),
    "connected": ("""{"type":"connected","connection_id":"c2","message_id":0}""", [Alive()]),
    "pong": (
        """{"type":"pong","connection_id":"c1","message_id":49,"id":1}""",
        [Alive()],
    ),
    "refused": (
        """{"type":"error","message":"Invalid subscription: channel 'v4_foo' not found",
        "connection_id":"c1","message_id":50}""",
        [Refused("Invalid subscription: channel 'v4_foo' not found")],
    ),
    "rate limited": ("""{"message":"Rate limited"}""", [Refused("Rate limited")]),
}
SILENT = ("batch without trades",)
