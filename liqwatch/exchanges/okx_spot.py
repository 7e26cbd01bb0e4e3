"""OKX spot: trades of the pairs with USDT, by the same websocket and words as its swaps.

Documentation: okx.com/docs-v5/en, sections order-book-trading-market-data-ws-trades-channel and
public-data-rest-api-get-instruments. One payload per channel and address:

    trades      {"instId":"BTC-USDT","tradeId":"130639474","px":"60000.1","sz":"0.12060306",
                 "side":"buy","ts":"1700000000000","count":"3","source":"0"}
    instruments {"instType":"SPOT","instId":"BTC-USDT","baseCcy":"BTC","quoteCcy":"USDT",
                 "tickSz":"0.1","lotSz":"0.00000001","state":"live","ctVal":""}

`side` is the taker's. `sz` counts coins, where that of a swap counts contracts. A row may merge
several matches of one order: ids tradeId − count + 1 to tradeId. Not verified live.
"""

from collections.abc import Collection, Sequence

import msgspec
from msgspec import UNSET, Raw, Struct

from liqwatch.events import MarketEvent, Side, Trade
from liqwatch.exchanges import okx_wire as wire
from liqwatch.exchanges.base import Alive, Control, Endpoint, MalformedFrame
from liqwatch.exchanges.okx import answered, control, endpoint
from liqwatch.exchanges.spot import Pair, SpotExchange
from liqwatch.exchanges.wire import (
    UNREADABLE,
    Blank,
    Positive,
    batches,
    each_good,
    ignore,
    read,
    read_rows,
)

_PAIRS_PER_CONNECTION = 500  # the venue names no limit


class _Listing(Struct, rename="camel"):
    inst_id: str
    base_ccy: str
    quote_ccy: str
    tick_sz: Positive | Blank
    state: str


_listing = msgspec.json.Decoder(_Listing, strict=False)


class OkxSpot(SpotExchange):
    """OKX's pairs with USDT."""

    venue = "okx-spot"
    title = "OKX spot"
    limits = "pairs with USDT"
    connects_per_s = 1.0  # 3 with the swaps together
    rest_per_s = 2.5

    suffix = "-USDT"
    trading = "live"
    pairs = "https://www.okx.com/api/v5/public/instruments?instType=SPOT"

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        """Listen to the trades of these coins."""
        return [
            endpoint(
                [f"trades:{name}" for name in names], silent_after_s=self._silent_after_s(names)
            )
            for names in batches(self._names(symbols), _PAIRS_PER_CONNECTION)
        ]

    def decode(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Turn one frame into events."""
        try:
            trades = wire.trades.decode(frame).data
        except UNREADABLE:
            return self._second_look(frame, received)
        return [event for trade in trades for event in self._match(trade, received)]

    def _second_look(self, frame: str | bytes, received: int) -> Sequence[MarketEvent | Control]:
        """Read what is not a batch of good trades, row by row."""
        if frame == ("pong" if isinstance(frame, str) else b"pong"):
            return [Alive()]
        message = read(wire.envelope, frame)
        if message.event:
            return control(message, self.counts)
        if message.arg.channel != "trades":
            ignore(self.counts, message.arg.channel)
            return ()
        if message.data is UNSET:
            raise MalformedFrame("bad_field", "trades without data")
        rows = read_rows(message.data)
        return each_good(
            rows, lambda row: self._match(read(wire.trade, row), received), self.counts
        )

    def _match(self, trade: wire.Trade, received: int) -> Sequence[Trade]:
        return self._trade(
            trade.inst_id,
            trade.trade_id,
            trade.px,
            trade.sz,
            Side(trade.side),
            time=trade.ts,
            received=received,
            count=trade.count,
        )

    def _rows(self, text: str) -> Sequence[Raw]:
        return answered(text)

    def _pair(self, row: Raw) -> Pair | None:
        listing = read(_listing, row)
        if listing.quote_ccy != "USDT":
            return None
        if listing.tick_sz == "":
            self.counts["not_open_yet"] += 1
            return None
        return Pair(listing.inst_id, listing.base_ccy, listing.tick_sz, listing.state)
