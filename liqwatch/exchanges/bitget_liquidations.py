"""Bitget's liquidations, told by the stream and over REST, and what unit REST tells them in.

Documentation: bitget.com/api-doc/uta, pages websocket/public/Liquidation-Channel and
public/Get-Liquidations. Both tell a liquidation in the same shape:

    {"symbol":"BTCUSDT","side":"buy","price":"59400.12","amount":"5940.012","ts":"1700000000000"}

The amount of the stream is USDT. Over REST the documentation names no unit, and other people's
code reads it as coins or as USDT: the two tellings of one liquidation decide, again and again.
"""

from collections import Counter
from collections.abc import Sequence
from math import isclose

from msgspec import Struct

from liqwatch.events import Completeness, Liquidation, Position, PriceKind
from liqwatch.exchanges import bitget_wire as wire
from liqwatch.exchanges.calibration import Meetings, Telling, Votes
from liqwatch.exchanges.seen import SeenKeys
from liqwatch.exchanges.symbols import coin_of


class LiquidationsState(Struct):
    """What the meaning of the next row depends on."""

    seen: list[str]
    meetings: Meetings
    unit: Votes


class Liquidations:
    """Turns the rows of both sources into events, each liquidation once.

    `unit` is the vote on whether amounts over REST are USDT. What is no event is counted in
    `counts`: repetitions, and `uncertain_unit` while the vote is open.
    """

    def __init__(self, counts: Counter[str]) -> None:
        self.unit = Votes()
        self._counts = counts
        self._seen = SeenKeys()
        self._meetings = Meetings()

    def of_stream(
        self, row: wire.Liquidation, received: int, *, history: bool
    ) -> Sequence[Liquidation]:
        """Tell a row of the stream."""
        # Of one second, symbol and side there is only one row: an equal one is a repetition.
        if not self._is_new(f"{row.key()} {row.amount}"):
            return ()
        rest = self._meetings.of_stream(row.key(), Telling(row.ts, row.amount, is_event=True))
        if rest is not None:
            self._vote(row.price, streamed=row.amount, rest=rest.value)
            if rest.is_event:
                self._counts["duplicate"] += 1
                return ()
        return (_event(row, row.amount, received, history=history),)

    def of_rest(self, row: wire.Liquidation, received: int) -> Sequence[Liquidation]:
        """Tell a row of REST as history, if its unit is known and the stream did not tell it."""
        if not self._is_new(f"rest {row.key()} {row.amount}"):
            return ()
        is_usdt = self.unit.verdict
        telling = Telling(row.ts, row.amount, is_usdt is not None)
        streamed = self._meetings.of_rest(row.key(), telling)
        if streamed is not None:
            self._vote(row.price, streamed=streamed.value, rest=row.amount)
            self._counts["duplicate"] += 1
            return ()
        if is_usdt is None:
            self._counts["uncertain_unit"] += 1
            return ()
        usdt = row.amount if is_usdt else row.amount * row.price
        return (_event(row, usdt, received, history=True),)

    def state(self) -> LiquidationsState:
        """Everything to be restored."""
        return LiquidationsState(self._seen.keys(), self._meetings, self.unit)

    def restore(self, state: LiquidationsState) -> None:
        """Take back what `state` gave."""
        self._seen = SeenKeys(state.seen)
        self._meetings = state.meetings
        self.unit = state.unit

    def _is_new(self, key: str) -> bool:
        if self._seen.add(key):
            return True
        self._counts["duplicate"] += 1
        return False

    def _vote(self, price: float, *, streamed: float, rest: float) -> None:
        is_usdt = isclose(rest, streamed, rel_tol=1e-6)
        is_coins = isclose(rest * price, streamed, rel_tol=1e-6)
        if is_usdt != is_coins:  # at a price of 1 both are true
            self.unit.add(first=is_usdt)


def _event(row: wire.Liquidation, usdt: float, received: int, *, history: bool) -> Liquidation:
    symbol, multiplier = coin_of(row.symbol) or (row.symbol, 1)
    return Liquidation(
        venue="bitget-usdt",
        symbol=symbol,
        instrument=row.symbol,
        time=row.ts,
        received=received,
        # The side is that of the position, unlike at most venues: "buy" was a long.
        position=Position.LONG if row.side == "buy" else Position.SHORT,
        size=usdt / row.price * multiplier,
        price=row.price / multiplier,
        price_kind=PriceKind.REFERENCE,
        notional_usd=usdt,
        completeness=Completeness.SAMPLED,
        history=history,
    )
