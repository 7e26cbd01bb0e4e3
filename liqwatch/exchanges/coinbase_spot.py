"""Coinbase spot: trades of the pairs with US dollars, by the Advanced Trade websocket.

Documentation: docs.cdp.coinbase.com, pages coinbase-app/advanced-trade-apis/websocket (overview,
channels, rate limits), api-reference/advanced-trade-api (websocket/market-trades,
rest-api/public/list-public-products). One payload per channel and address:

    market_trades {"channel":"market_trades","client_id":"","timestamp":"2023-11-14T22:13:20.250Z",
                   "sequence_num":5,"events":[{"type":"update","trades":[{"trade_id":"995098700",
                   "product_id":"BTC-USD","price":"60000.10","size":"0.0015","side":"SELL",
                   "time":"2023-11-14T22:13:20.000000Z"}]}]}
    heartbeats    {"channel":"heartbeats","client_id":"","timestamp":"2023-11-14T22:13:20Z",
                   "sequence_num":6,"events":[{"current_time":"2023-11-14 22:13:20 +0000 UTC",
                   "heartbeat_counter":3049}]}
    …/products    {"products":[{"product_id":"BTC-USD","base_currency_id":"BTC",
                   "quote_currency_id":"USD","price_increment":"0.01","status":"online",
                   "trading_disabled":false}],"num_products":1}

An event of type `snapshot`, the first after a subscription, repeats trades of before: history.
`side` is the maker's, who did not begin the trade. The pages on market_trades do not say so, those
of Coinbase Exchange do of the same matches (exchange/websocket-feed/channels, match). It is borne
out by an answer of …/ticker that nautilus_trader keeps (crates/adapters/coinbase/test_data/
http_ticker.json, of 2026-04-07): what was traded at the best ask is a SELL there. Not verified
live, and neither is that the list is whole where no limit is asked for.
"""

from collections.abc import Collection, Sequence
from typing import Literal

import msgspec
from msgspec import Raw, Struct

from liqwatch.events import MarketEvent, Side, Trade
from liqwatch.exchanges.base import Acknowledged, Alive, Control, Endpoint, MalformedFrame, Refused
from liqwatch.exchanges.spot import Pair, SpotExchange
from liqwatch.exchanges.wire import (
    Id,
    Positive,
    UtcTime,
    batches,
    each_good,
    ignore,
    milliseconds,
    read,
)

_HEARTBEATS = "heartbeats"
_MATCHES = "market_trades"
_PRODUCTS_PER_REQUEST = 100  # the venue names no limit


class _Match(Struct, gc=False):
    trade_id: Id
    product_id: str
    price: Positive
    size: Positive
    side: Literal["BUY", "SELL"]  # the maker's
    time: UtcTime


class _Event(Struct):
    type: str = ""
    trades: list[Raw] = []
    subscriptions: dict[str, list[str]] = {}


class _Message(Struct):
    channel: str = ""
    type: str = ""
    message: str = ""
    events: list[_Event] = []


class _Listing(Struct):
    product_id: str
    base_currency_id: str
    quote_currency_id: str
    price_increment: Positive
    status: str
    trading_disabled: bool = False


class _Answer(Struct):
    products: list[Raw]


_match = msgspec.json.Decoder(_Match, strict=False)
_message = msgspec.json.Decoder(_Message)
_listing = msgspec.json.Decoder(_Listing, strict=False)
_answer = msgspec.json.Decoder(_Answer)


class CoinbaseSpot(SpotExchange):
    """Coinbase's pairs with US dollars, whose books those with USDC share."""

    venue = "coinbase-spot"
    title = "Coinbase spot"
    limits = "pairs with US dollars, told four times a second"
    connects_per_s = 4.0  # 8 documented
    rest_per_s = 5.0  # 10 documented

    suffix = "-USD"
    trading = "online"
    pairs = "https://api.coinbase.com/api/v3/brokerage/market/products?product_type=SPOT"

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Listen to the trades of these coins on one connection, with heartbeats."""
        names = self._names(symbols)
        if not names:
            return []
        requests = [
            {"type": "subscribe", "channel": _HEARTBEATS},
            *(
                {"type": "subscribe", "channel": _MATCHES, "product_ids": part}
                for part in batches(names, _PRODUCTS_PER_REQUEST)
            ),
        ]
        return [
            Endpoint(
                url="wss://advanced-trade-ws.coinbase.com",
                requests=tuple(msgspec.json.encode(each).decode() for each in requests),
                topics=(_HEARTBEATS, *(f"{_MATCHES}:{name}" for name in names)),
                silent_after_s=self._silent_after_s(names),
            )
        ]

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame into events."""
        message = read(_message, frame)
        match message.channel:
            case "market_trades":
                rows = self._news(message.events)
                return each_good(rows, lambda row: self._taken(row, received), self.counts)
            case "heartbeats":
                return [Alive()]
            case "subscriptions":
                return [Acknowledged(_topics(message.events))]
            case "" if message.type == "error":
                return [Refused(message.message or message.type)]
            case _:
                ignore(self.counts, message.channel or message.type)
                return ()

    def _news(self, events: Sequence[_Event]) -> list[Raw]:
        """Return the trades that are told for the first time."""
        rows: list[Raw] = []
        for event in events:
            if event.type == "snapshot":
                self.counts["history"] += len(event.trades)
            elif event.type == "update":
                rows += event.trades
            else:
                raise MalformedFrame("bad_field", f"market_trades of type {event.type[:32]}")
        return rows

    def _taken(self, row: Raw, received: int) -> Sequence[Trade]:
        made = read(_match, row)
        return self._trade(
            made.product_id,
            made.trade_id,
            made.price,
            made.size,
            Side.BUY if made.side == "SELL" else Side.SELL,  # who takes is on the other side
            time=milliseconds(made.time),
            received=received,
        )

    def _rows(self, text: str) -> Sequence[Raw]:
        return read(_answer, text).products

    def _pair(self, row: Raw) -> Pair | None:
        listing = read(_listing, row)
        if listing.quote_currency_id != "USD":
            return None
        status = "trading disabled" if listing.trading_disabled else listing.status
        return Pair(listing.product_id, listing.base_currency_id, listing.price_increment, status)


def _topics(events: Sequence[_Event]) -> tuple[str, ...]:
    """Return everything that is subscribed to now; heartbeats name themselves."""
    return tuple(
        channel if name == channel else f"{channel}:{name}"
        for event in events
        for channel, names in event.subscriptions.items()
        for name in names
    )
