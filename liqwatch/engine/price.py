"""One price of a coin from the prints of several venues."""

from math import exp, log
from statistics import median

import msgspec

from liqwatch.engine.conduct import Conduct, near
from liqwatch.engine.momentum import Momentum
from liqwatch.events import Side

FRESH_MS = 5_000  # a price older than this says nothing about now
GAP_S = 30  # after so long without any fresh price, what follows is not a move
BASIS_MEMORY_S = 600
VOLUME_MEMORY_S = 3600
ENTRY_OFF = 0.5  # takers did not pay so much more or less than the price is, between two samples
_BUY = Side.BUY  # asked of every trade, and slow to find by its class (Python 3.11)


class Source(msgspec.Struct):
    """What one instrument of one venue printed: the only thing that is touched per trade."""

    venue: str
    price: float = 0.0
    last_ms: int = 0
    bought_size: float = 0.0  # coins by takers, since the last closed second
    sold_size: float = 0.0
    traded_usd: float = 0.0  # since the last open-interest sample
    traded_size: float = 0.0
    mark: float | None = None
    mark_ms: int = 0
    volume_usd_per_s: float = 0.0  # about the last hour
    seconds: int = 0
    basis: float | None = None  # slow log distance from the common price; None until it joins
    conduct: Conduct = msgspec.field(default_factory=Conduct)

    def print(self, time_ms: int, price: float, size: float, side: Side) -> None:
        """Take one trade; a late one counts as volume, not as the price."""
        if side is _BUY:
            self.bought_size += size
        else:
            self.sold_size += size
        self.traded_usd += price * size
        self.traded_size += size
        if time_ms >= self.last_ms:
            self.price = price
            self.last_ms = time_ms

    def traded_since_usd(self, price: float) -> float:
        """Return what was traded since the last closed second, at the common price."""
        return (self.bought_size + self.sold_size) * price

    def take_second(self, price: float) -> tuple[float, float]:
        """Return net and total taker USD of the second that ends, and begin the next.

        At the common price, so that prints at a mad price do not count for mad amounts.
        """
        net = (self.bought_size - self.sold_size) * price
        volume = self.traded_since_usd(price)
        self.bought_size = self.sold_size = 0.0
        self.seconds += 1
        gain = max(1 / self.seconds, 1 / VOLUME_MEMORY_S)
        self.volume_usd_per_s += (volume - self.volume_usd_per_s) * gain
        return net, volume

    def take_average_price(self, price: float) -> float:
        """Return the takers' average price since the last call, or the last price; the common price
        in place of one that is far from it.
        """
        average = self.traded_usd / self.traded_size if self.traded_size > 0 else self.price
        self.traded_usd = self.traded_size = 0.0
        return average if near(average, price, ENTRY_OFF) else price

    def leave_out(self) -> None:
        """Let it join the common price anew, where it then stands, when it is believed again."""
        self.basis = None
        self.traded_usd = self.traded_size = 0.0

    def fresh(self, now_ms: int) -> bool:
        """Whether the last print still speaks of the present."""
        return self.last_ms > now_ms - FRESH_MS


class Composite(msgspec.Struct):
    """The common price: the median of the venues' log prices, each less its own slow basis.

    A venue that joins, leaves or goes stale therefore never moves it, and neither does one venue
    that prints nonsense while two others agree.
    """

    momentum: Momentum = msgspec.field(default_factory=Momentum)
    price: float = 0.0  # quote currency; 0 before the first print
    anchor: float = 0.0  # log price minus x: follows the median of the prints slowly
    stale_s: int = 0

    def interrupted(self) -> None:
        """We were not there for a while: what follows is not a move."""
        self.stale_s = GAP_S + 1

    def close_second(self, sources: list[Source], now_ms: int) -> float | None:
        """Take one second's end; return its log return, None while no price is fresh."""
        fresh = [source for source in sources if source.fresh(now_ms)]
        if not fresh:
            self.stale_s += 1
            return None
        middle = log(median(source.price for source in fresh))
        if self.stale_s > GAP_S or self.price == 0.0:
            self._begin(middle, sources)
        self.stale_s = 0
        known = [log(source.price) - source.basis for source in fresh if source.basis is not None]
        x = median(known) if known else self.momentum.x
        step = x - self.momentum.x
        self.momentum.update(step)
        for source in sources:
            _follow_basis(source, x, fresh=source in fresh)
        self.anchor += (middle - x - self.anchor) / BASIS_MEMORY_S
        self.price = exp(x + self.anchor)
        return step

    def _begin(self, middle: float, sources: list[Source]) -> None:
        """Begin at a new price: the way there is no move, but is known to who waited for it."""
        if self.price > 0:
            self.momentum.x = middle - self.anchor
        else:
            self.anchor = middle
        self.momentum.restart()
        for source in sources:
            source.basis = None


def _follow_basis(source: Source, x: float, *, fresh: bool) -> None:
    if not fresh:
        source.basis = None  # it joins again where it then stands
        return
    distance = log(source.price) - x
    if source.basis is None:
        source.basis = distance
    else:
        source.basis += (distance - source.basis) / BASIS_MEMORY_S
