"""Gate's liquidations, told by the stream and over REST, and whose side the stream's sign is.

Documentation: gate.com/docs/developers/futures/ws (public liquidates) and
gate.com/docs/developers/apiv4 (retrieve-liquidation-history). One liquidation, told twice:

    stream  {"contract":"BTC_USDT","price":"59400","size":"-124.5","time":1700000000123}
    REST    {"contract":"BTC_USDT","size":165,"order_size":-124,"order_price":"59400",
             "fill_price":"59550","left":0,"time":1700000000}

Over REST the sign of `size` is the position's. Neither the documentation nor other people's code
agree on the stream's: the two tellings of one liquidation decide, again and again.
"""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from liqwatch.events import Completeness, Instrument, Liquidation, Position, PriceKind
from liqwatch.exchanges import gate_wire as wire
from liqwatch.exchanges.calibration import Meetings, Telling, Votes
from liqwatch.exchanges.seen import SeenKeys

_NEAR_S = 2  # how far apart the two times of one liquidation may be


class LiquidationsState(Struct):
    """What the meaning of the next row depends on."""

    seen: list[str]
    meetings: Meetings
    side: Votes


class Liquidations:
    """Turns the rows of both sources into events, each liquidation once.

    `side` is the vote on whether the stream's sign is that of the position. What is no event is
    counted in `counts`: repetitions, `uncertain_side` while the vote is open, and `no_size`.
    """

    def __init__(self, counts: Counter[str]) -> None:
        self.side = Votes()
        self._counts = counts
        self._seen = SeenKeys()
        self._meetings = Meetings()

    def of_stream(
        self,
        row: wire.Liquidation,
        instrument: Instrument,
        told: Counter[str],
        received: int,
        *,
        history: bool,
    ) -> Sequence[Liquidation]:
        """Tell a row of the stream. `told` counts the equal rows of its frame."""
        time, contracts = wire.to_ms(row.time), abs(row.size)
        key = f"{row.contract} {time} {row.size} {row.price}"
        if not self._is_new(key, contracts, told):
            return ()
        is_position = self.side.verdict
        order = self._meetings.of_stream(
            _name(row.contract, contracts, row.price),
            Telling(time // 1000, row.size, is_position is not None),
            within=_NEAR_S,
        )
        if order is not None:
            self.side.add(first=(order.value > 0) == (row.size > 0))
            self._counts["duplicate"] += 1
            return ()
        if is_position is None:
            self._counts["uncertain_side"] += 1
            return ()
        return (
            _event(
                instrument,
                time=time,
                received=received,
                is_long=(row.size > 0) == is_position,
                contracts=contracts,
                price=row.price,
                price_kind=PriceKind.ORDER,
                history=history,
            ),
        )

    def of_rest(
        self,
        row: wire.LiquidationOrder,
        instrument: Instrument,
        told: Counter[str],
        received: int,
    ) -> Sequence[Liquidation]:
        """Tell a row of REST as history, unless the stream already was an event."""
        # An order may close the position only in part; its size is missing in older answers.
        time, contracts = wire.to_ms(row.time), abs(row.order_size or row.size)
        key = f"rest {row.contract} {time} {row.size} {row.order_size} {row.order_price}"
        if not self._is_new(key, min(contracts, abs(row.size)), told):
            return ()
        streamed = self._meetings.of_rest(
            _name(row.contract, contracts, row.order_price),
            Telling(time // 1000, row.size, is_event=True),
            within=_NEAR_S,
        )
        if streamed is not None:
            self.side.add(first=(streamed.value > 0) == (row.size > 0))
            if streamed.is_event:
                self._counts["duplicate"] += 1
                return ()
        return (
            _event(
                instrument,
                time=time,
                received=received,
                is_long=row.size > 0,
                contracts=contracts,
                price=row.fill_price or row.order_price,
                price_kind=PriceKind.FILL if row.fill_price else PriceKind.ORDER,
                history=True,
            ),
        )

    def state(self) -> LiquidationsState:
        """Everything to be restored."""
        return LiquidationsState(self._seen.keys(), self._meetings, self.side)

    def restore(self, state: LiquidationsState) -> None:
        """Take back what `state` gave."""
        self._seen = SeenKeys(state.seen)
        self._meetings = state.meetings
        self.side = state.side

    def _is_new(self, key: str, contracts: float, told: Counter[str]) -> bool:
        """Whether a row has a size and was not told before by the same source, counted if not."""
        if wire.is_none(contracts):
            self._counts["no_size"] += 1
            return False
        # Equal rows of one frame are several liquidations; the same frame again is a repetition.
        told[key] += 1
        if not self._seen.add(f"{key} {told[key]}"):
            self._counts["duplicate"] += 1
            return False
        return True


def _name(contract: str, contracts: float, price: float) -> str:
    # REST rounds sizes down to whole contracts, unless asked for decimals by a header.
    return f"{contract} {int(contracts)} {price}"


def _event(
    instrument: Instrument,
    *,
    time: int,
    received: int,
    is_long: bool,
    contracts: float,
    price: float,
    price_kind: PriceKind,
    history: bool,
) -> Liquidation:
    size = contracts * instrument.contract_size
    price /= wire.multiplier_of(instrument.instrument)
    return Liquidation(
        venue=instrument.venue,
        symbol=instrument.symbol,
        instrument=instrument.instrument,
        time=time,
        received=received,
        position=Position.LONG if is_long else Position.SHORT,
        size=size,
        price=price,
        price_kind=price_kind,
        notional_usd=size * price,
        completeness=Completeness.FULL,
        history=history,
    )
