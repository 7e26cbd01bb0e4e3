"""Open interest and trades become estimated positions: who entered where, at which leverage."""

from collections.abc import Sequence
from math import exp
from typing import NamedTuple

import msgspec

from liqwatch.engine.leverage import distances
from liqwatch.engine.liquidation_map import Ladder
from liqwatch.engine.margin import Terms
from liqwatch.events import Position

JUMP_SHARE = 0.3  # open interest does not change by so much from one sample to the next
STALE_MS = 600_000  # what was open so long ago is not what is open now

PASS_S = 60  # how often `pass_time` wants to be called
STOP_OUT_S = 86_400  # what is near its liquidation gives up with this time constant
STAYS_SHARE = exp(-PASS_S / STOP_OUT_S)


DEFAULT_TERMS = Terms()


class Swept(NamedTuple):
    """Mass that price has passed: what it should have liquidated between two prices."""

    position: Position
    low: float
    high: float
    usd: float


NOTHING: Sequence[Swept] = ()


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
    terms: Terms  # on which they are held
    sampled_ms: int = 0  # when open interest was told last
    doubtful_size: float | None = None  # a sample too far from the last to be believed alone
    forced_usd: float = 0.0  # liquidations seen since the last sample
    swept_usd: dict[Position, float] = msgspec.field(  # mass that price has passed, ever
        default_factory=lambda: dict.fromkeys(Position, 0.0)
    )

    @classmethod
    def begin(
        cls, open_size: float, price: float, bucket: float, terms: Terms = DEFAULT_TERMS
    ) -> "PositionBook":
        """Start from the first sample of open interest."""
        return cls(
            longs=Ladder.around(Position.LONG, price, bucket=bucket),
            shorts=Ladder.around(Position.SHORT, price, bucket=bucket),
            open_size=open_size,
            terms=terms,
        )

    def side(self, position: Position) -> Ladder:
        """Return the ladder of the longs or the shorts."""
        return self.longs if position is Position.LONG else self.shorts

    @property
    def ladders(self) -> tuple[Ladder, Ladder]:
        """Longs and shorts."""
        return self.longs, self.shorts

    def frozen(self, now_ms: int) -> bool:
        """Whether open interest is missing or in doubt, so that the book is as it last was known.

        Price goes on to sweep it.
        """
        return self.doubtful_size is not None or now_ms - self.sampled_ms > STALE_MS

    # -- open interest ----------------------------------------------------------------------------

    def sample(self, open_size: float, entry: float) -> None:
        """Take a new sample; `entry` is the takers' average price since the last one."""
        if not self._believed(open_size):
            return
        for ladder in self.ladders:
            ladder.recentre(entry)
        change = open_size - self.open_size
        if change > 0:
            self.open(change * entry, entry)
        elif self.open_size > 0:
            closed_usd = max(0.0, -change * entry - self.forced_usd)
            self.close(closed_usd / (self.open_size * entry))
        self.open_size = open_size
        self.forced_usd = 0.0

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

    def open(self, notional_usd: float, entry: float) -> None:
        """Put new contracts on both sides."""
        for position in Position:
            self.side(position).spread(entry, notional_usd, distances(self.terms, position))

    def close(self, share: float) -> None:
        """Take a share of everything from both sides: who closes by himself is not known."""
        for ladder in self.ladders:
            ladder.scale(max(1 - share, 1e-9))

    # -- price and time ---------------------------------------------------------------------------

    def sweep(self, price: float) -> Sequence[Swept]:
        """Take out what is liquidated with the mark at this price; return it, by side."""
        gone = NOTHING
        for ladder in self.ladders:
            edge, usd = ladder.edge, ladder.sweep(price)
            if usd:
                low, high = sorted((exp(ladder.sign * edge), price))
                gone = [*gone, Swept(ladder.position, low, high, usd)]
                self.swept_usd[ladder.position] += usd
        return gone

    def pass_time(self, price: float, fade: float, *, minutes: float = 1.0) -> None:
        """Take the end of a minute: who is near his liquidation gives up, and the rest fades.

        `fade` is the share that stays, a guard against lost samples.
        """
        for ladder in self.ladders:
            ladder.give_up(price, STAYS_SHARE**minutes)
            ladder.scale(fade**minutes)
