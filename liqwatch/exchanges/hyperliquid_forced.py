"""What Hyperliquid's fills and public trades say of forced orders.

A forced order is matched against many makers in one block, and only those we follow tell of it.
They name the victim, and public trades name their taker: a trade of the same coin, block and side
with the victim as its taker is part of the same order. That this finds all of them is an inference.
"""

from collections import Counter

from msgspec import Struct

from liqwatch.events import Completeness, Liquidation, Mechanism, Position, PriceKind
from liqwatch.exchanges.hyperliquid_info import VENUE
from liqwatch.exchanges.hyperliquid_wire import FillRow, TradeRow
from liqwatch.exchanges.seen import SeenKeys, remember

_RECENT = 512  # orders; fills and trades of one block arrive within moments of each other
_MATCHES = 1000  # of one order


class ForcedState(Struct):
    """What must survive a restart."""

    told: list[str] = []
    transfers: dict[str, Mechanism] = {}
    orders: dict[str, None] = {}
    recent: dict[str, list[TradeRow]] = {}


class ForcedOrders:
    """Turn fills and trades into liquidations, each match once, whoever tells of it first.

    What is not turned into one is counted in `counts`.
    """

    def __init__(self, counts: Counter[str], state: ForcedState | None = None) -> None:
        state = state or ForcedState()
        self._counts = counts
        self._told = SeenKeys(state.told)
        self._transfers = state.transfers  # matches that were none on the book
        self._orders = state.orders  # that are forced
        self._recent = state.recent  # trades of orders that are not, as far as is known

    def state(self) -> ForcedState:
        """Return what must survive a restart."""
        return ForcedState(self._told.keys(), self._transfers, self._orders, self._recent)

    def transferred(self, key: str) -> Mechanism | None:
        """Return how a match came about, if it was none on the book."""
        return self._transfers.get(key)

    def trade(self, trade: TradeRow, coin: tuple[str, int], received: int) -> list[Liquidation]:
        """Take a public trade that is new."""
        order = _order(trade.coin, trade.time, trade.side, trade.taker)
        if order in self._orders:
            return self._swept([trade], coin, received)
        matches = self._recent.setdefault(order, [])
        if len(matches) < _MATCHES:
            matches.append(trade)
        if len(self._recent) > _RECENT:
            del self._recent[next(iter(self._recent))]
        return []

    def fill(
        self,
        fill: FillRow,
        coin: tuple[str, int],
        receiver: str,
        received: int,
        *,
        of_vault: bool,
        history: bool,
    ) -> list[Liquidation]:
        """Take a fill that is part of a liquidation, as `receiver` is told of it.

        `of_vault`: what is liquidated belongs to the venue's own vault. Its users were liquidated
        when it took the position over.
        """
        mechanism = _mechanism_of(fill)
        position = _closed_position(fill, receiver)
        if mechanism is not Mechanism.BOOK:
            remember(self._transfers, fill.key, mechanism)
        if of_vault:
            self._counts["vault_liquidated"] += 1
        elif position is None:
            self._counts["uncertain_side"] += 1
        elif not self._told.add(fill.key):
            self._counts["duplicate"] += 1
        else:
            told = _liquidation(fill, coin, position, mechanism, received, history=history)
            if history or mechanism is not Mechanism.BOOK or not fill.victim:
                return [told]
            side = "A" if position is Position.LONG else "B"
            order = _order(fill.coin, fill.time, side, fill.victim)
            remember(self._orders, order, None)
            return [told, *self._swept(self._recent.pop(order, []), coin, received)]
        return []

    def _swept(
        self, trades: list[TradeRow], coin: tuple[str, int], received: int
    ) -> list[Liquidation]:
        return [
            _liquidation(trade, coin, _closed_by(trade.side), Mechanism.BOOK, received)
            for trade in trades
            if self._told.add(trade.key)
        ]


def _order(coin: str, time_ms: int, side: str, taker: str) -> str:
    return f"{time_ms} {coin} {side} {taker}"


def _mechanism_of(fill: FillRow) -> Mechanism:
    # Deleveraging, too, is said to be of method `backstop`.
    if fill.dir == "Auto-Deleveraging":
        return Mechanism.ADL
    is_market = fill.liquidation is not None and fill.liquidation.method == "market"
    return Mechanism.BOOK if is_market else Mechanism.BACKSTOP


def _closed_by(side: str) -> Position:
    """Whose position a forced order of that side closes."""
    return Position.SHORT if side == "B" else Position.LONG


def _closed_position(fill: FillRow, receiver: str) -> Position | None:
    """Whose position a fill closes, None where that is not certain.

    The side is the receiver's own: that of the forced order if the receiver is the victim, else the
    opposite. Takeovers say it in words as well, to both parties: `Liquidated Cross Long`.
    """
    opposite = "A" if fill.side == "B" else "B"
    by_side = _closed_by(fill.side if fill.victim == receiver else opposite)
    if not fill.dir.startswith("Liquidated"):
        return by_side if fill.victim else None
    in_words = Position.LONG if fill.dir.endswith("Long") else Position.SHORT
    return in_words if by_side is in_words or not fill.victim else None


def _liquidation(
    match: FillRow | TradeRow,
    coin: tuple[str, int],
    position: Position,
    mechanism: Mechanism,
    received: int,
    *,
    history: bool = False,
) -> Liquidation:
    symbol, multiplier = coin
    # All the vaults that take positions over are followed, but few of the makers.
    is_full = mechanism is Mechanism.BACKSTOP
    return Liquidation(
        venue=VENUE,
        symbol=symbol,
        instrument=match.coin,
        time=match.time,
        received=received,
        position=position,
        size=match.sz * multiplier,
        price=match.px / multiplier,
        price_kind=PriceKind.FILL,
        notional_usd=match.sz * match.px,
        completeness=Completeness.FULL if is_full else Completeness.SAMPLED,
        mechanism=mechanism,
        history=history,
    )
