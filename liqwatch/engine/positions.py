"""Open interest and trades become estimated positions: who entered where, at which leverage."""

from math import log

import msgspec

from liqwatch.engine.liquidation_map import Ladder
from liqwatch.engine.margin import liquidation_price
from liqwatch.events import Position

# Share of open interest by leverage, bottom-heavy: most of it never liquidates (Hyperliquid,
# December 2025: 36 % below 3x, 48 % at 3-7x; arXiv 2102.04591: those who are liquidated average
# 60x).
LEVERAGE_SHARE = {3: 0.32, 5: 0.22, 10: 0.20, 20: 0.11, 25: 0.06, 50: 0.06, 100: 0.03}

# Cross margin holds more than the position shows, so half of each tier lies farther away than its
# leverage says.
EFFECTIVE_LEVERAGE = ((1.0, 0.5), (0.9, 0.125), (0.75, 0.125), (0.6, 0.125), (0.5, 0.125))


JUMP_SHARE = 0.3  # open interest does not change by so much from one sample to the next


def _distances(position: Position) -> tuple[tuple[float, float], ...]:
    """Return (log distance from entry, share of open interest) of tiers that can be liquidated."""
    table = []
    for leverage, share in LEVERAGE_SHARE.items():
        for effective, part in EFFECTIVE_LEVERAGE:
            ratio = liquidation_price(
                position, entry=1.0, size=1.0, leverage=max(1.0, leverage * effective)
            )
            if ratio is not None:
                table.append((log(ratio), share * part))
    return tuple(table)


DISTANCES = {position: _distances(position) for position in Position}


class PositionBook(msgspec.Struct):
    """What is believed to be open on one instrument, as two ladders of liquidation prices.

    Every new contract has a long and a short, so an increase goes to both sides at the takers'
    average price of the interval. A decrease is first what was seen to be liquidated (swept
    already), the rest is taken from both sides in proportion. What was open before the first sample
    entered at unknown prices and is not in the map.
    """

    longs: Ladder
    shorts: Ladder
    open_size: float  # at the last sample, base coins
    doubtful_size: float | None = None  # a sample too far from the last to be believed alone
    forced_usd: float = 0.0  # liquidations seen since the last sample
    swept_bucket: int | None = None  # where the mark stood
    swept_usd: dict[Position, float] = msgspec.field(  # mass that price has passed, ever
        default_factory=lambda: dict.fromkeys(Position, 0.0)
    )

    @classmethod
    def begin(cls, open_size: float, price: float, bucket: float) -> "PositionBook":
        """Start from the first sample of open interest."""
        return cls(
            longs=Ladder.around(price, bucket),
            shorts=Ladder.around(price, bucket),
            open_size=open_size,
        )

    def sample(self, open_size: float, entry: float) -> None:
        """Take a new sample; `entry` is the takers' average price since the last one."""
        if not self._believed(open_size):
            return
        self.longs.recentre(entry)
        self.shorts.recentre(entry)
        change = open_size - self.open_size
        if change > 0:
            self._open(change * entry, entry)
        elif self.open_size > 0:
            closed_usd = max(0.0, -change * entry - self.forced_usd)
            share = max(0.0, 1.0 - closed_usd / (self.open_size * entry))
            self.longs.scale(max(share, 1e-9))
            self.shorts.scale(max(share, 1e-9))
        self.open_size = open_size
        self.forced_usd = 0.0
        self.swept_bucket = None

    def _believed(self, open_size: float) -> bool:
        """Return whether a sample is a change, not a mistake of unit or a hole in the data.

        One that jumps is held until another agrees; then it is where we count from.
        """
        if abs(open_size - self.open_size) <= JUMP_SHARE * self.open_size:
            self.doubtful_size = None
            return True
        doubted = self.doubtful_size
        self.doubtful_size = open_size
        if doubted and abs(open_size - doubted) <= JUMP_SHARE * doubted:
            self.open_size, self.doubtful_size = open_size, None
        return False

    def side(self, position: Position) -> Ladder:
        """Return the ladder of the longs or the shorts."""
        return self.longs if position is Position.LONG else self.shorts

    def _open(self, notional_usd: float, entry: float) -> None:
        for position, distances in DISTANCES.items():
            self.side(position).spread(entry, notional_usd, distances)

    def sweep(self, price: float) -> None:
        """Take out what would have been liquidated with the mark at this price."""
        bucket = self.longs.key(price)
        if bucket == self.swept_bucket:
            return
        self.swept_bucket = bucket
        self.swept_usd[Position.LONG] += self.longs.sweep(price, price * 2)
        self.swept_usd[Position.SHORT] += self.shorts.sweep(price / 2, price)

    def decay(self, share: float) -> None:
        """Let everything fade a little: a guard against lost samples."""
        self.longs.scale(share)
        self.shorts.scale(share)
