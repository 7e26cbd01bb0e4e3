"""Binance spot: aggregate trades of the pairs with USDT, by one combined websocket.

Documentation: github.com/binance/binance-spot-api-docs, pages web-socket-streams.md (Aggregate
Trade Streams, Websocket Limits), rest-api.md (Exchange information) and faqs/market_data_only.md,
whose hosts serve public data alone and need no account. One payload per channel and address:

    <symbol>@aggTrade    {"e":"aggTrade","E":1700000000120,"s":"BTCUSDT","a":5933014,
                          "p":"60000.10","q":"0.250","f":100,"l":105,"T":1700000000000,"m":true,
                          "M":true}, inside {"stream":"btcusdt@aggTrade","data":…}
    /api/v3/exchangeInfo {"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC",
                          "quoteAsset":"USDT","filters":[{"filterType":"PRICE_FILTER",
                          "tickSize":"0.01000000"}]}]}

`m` is whether the buyer's order waited in the book: then the taker sold. Not verified live.
"""

from collections.abc import Collection, Sequence

import msgspec
from msgspec import Raw, Struct, field

from liqwatch.events import MarketEvent, Side
from liqwatch.exchanges import binance_wire as on_wire
from liqwatch.exchanges.base import Control, Endpoint, MalformedFrame
from liqwatch.exchanges.binance_like import control
from liqwatch.exchanges.spot import Pair, SpotExchange
from liqwatch.exchanges.wire import UNREADABLE, batches, ignore, read

_STREAMS_PER_CONNECTION = 1000  # 1,024 documented
_STREAMS_PER_REQUEST = 100  # as on Binance's futures, where longer requests are not answered


class _Listing(Struct):
    symbol: str
    status: str
    base: str = field(name="baseAsset")
    quote: str = field(name="quoteAsset")
    filters: list[on_wire.Filter]


class _Combined(Struct, gc=False):
    data: on_wire.AggTrade


_combined = msgspec.json.Decoder(_Combined, strict=False)
_envelope = msgspec.json.Decoder(on_wire.Envelope)
_listing = msgspec.json.Decoder(_Listing, strict=False)


class BinanceSpot(SpotExchange):
    """Binance's pairs with USDT."""

    venue = "binance-spot"
    title = "Binance spot"
    limits = "pairs with USDT"
    connects_per_s = 1.0  # 300 in 5 minutes
    rest_per_s = 1.0

    suffix = "USDT"
    trading = "TRADING"
    # Without the permission sets, which are most of an answer that is else many MB.
    pairs = "https://data-api.binance.vision/api/v3/exchangeInfo?showPermissionSets=false"

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Spread the streams of these coins over connections."""
        names = self._names(symbols)
        return [self._endpoint(part) for part in batches(names, _STREAMS_PER_CONNECTION)]

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame into events."""
        try:
            trade = _combined.decode(frame).data
        except UNREADABLE:
            return self._second_look(frame)
        return self._trade(
            trade.symbol,
            trade.id,
            trade.price,
            trade.size,
            Side.SELL if trade.buyer_is_maker else Side.BUY,
            time=trade.time,
            received=received,
        )

    def _second_look(self, frame: str | bytes) -> Sequence[Control]:
        outer = read(_envelope, frame)
        if controls := control(outer):
            return controls
        kind = read(on_wire.kind, outer.data or Raw(b"{}")).kind
        if kind == "aggTrade":
            read(_combined, frame)  # raises what is wrong with it
        ignore(self.counts, kind)
        return ()

    def _endpoint(self, names: Sequence[str]) -> Endpoint:
        topics = [f"{name.lower()}@aggTrade" for name in names]
        requests = [
            msgspec.json.encode({"method": "SUBSCRIBE", "params": part, "id": number}).decode()
            for number, part in enumerate(batches(topics, _STREAMS_PER_REQUEST), start=1)
        ]
        return Endpoint(
            url="wss://data-stream.binance.vision/stream",
            routes=("wss://stream.binance.com:9443/stream",),
            requests=tuple(requests),
            topics=tuple(topics),
            request_gap_s=0.3,  # 5 frames a second are allowed, pings and pongs included
            protocol_ping_s=20,
            idle_timeout_s=600,  # a rare coin is not traded for minutes; pings find a dead line
            silent_after_s=self._silent_after_s(names),
            rotate_after_s=23 * 3600 + 50 * 60,  # cut by the venue after 24 h
        )

    def _rows(self, text: str) -> Sequence[Raw]:
        return read(on_wire.exchange_info, text).symbols

    def _pair(self, row: Raw) -> Pair | None:
        listing = read(_listing, row)
        if listing.quote != self.suffix:
            return None
        tick_size = next((each.tick_size for each in listing.filters if each.tick_size), None)
        if tick_size is None:
            raise MalformedFrame("bad_field", f"{listing.symbol} without tick size")
        return Pair(listing.symbol, listing.base, tick_size, listing.status)
