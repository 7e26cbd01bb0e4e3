"""What liquidation feeds show: root-sums, decaying dollar sums, the move they explain."""

from math import exp, fsum, sqrt

import msgspec

from liqwatch.engine.rarity import BLOCK_S, History
from liqwatch.events import Completeness

SYMBOL_WINDOW_S = 30
MARKET_WINDOW_S = 10
KEEP_S = 60


class DecayingSum(msgspec.Struct):
    """Sum of amounts, each fading as exp(-age / tau); the order of arrival does not matter.

    >>> a, b = DecayingSum(tau_s=5.0), DecayingSum(tau_s=5.0)
    >>> a.add(1_000, 10.0)
    ... a.add(4_000, 20.0)
    >>> b.add(4_000, 20.0)
    ... b.add(1_000, 10.0)
    >>> abs(a.at(6_000) - b.at(6_000)) < 1e-12
    True
    """

    tau_s: float
    value: float = 0.0
    time_ms: int = 0

    def add(self, time_ms: int, amount: float) -> None:
        """Add an amount that belongs to `time_ms`, be it new or late."""
        if time_ms == self.time_ms:
            self.value += amount
        elif time_ms > self.time_ms:
            self.value *= exp((self.time_ms - time_ms) / (1000 * self.tau_s))
            self.value += amount
            self.time_ms = time_ms
        else:
            self.value += amount * exp((time_ms - self.time_ms) / (1000 * self.tau_s))

    def at(self, time_ms: int) -> float:
        """Return the sum as it stands at a time not before the newest amount."""
        if self.value == 0.0 or time_ms <= self.time_ms:
            return self.value
        return self.value * exp((self.time_ms - time_ms) / (1000 * self.tau_s))


class BlockMaximum(msgspec.Struct):
    """The running five-minute block of one root-sum, and the history it becomes."""

    history: History = msgspec.field(default_factory=History)
    block: int = 0
    maximum: float = 0.0

    def close_second(self, second: int, root_sum: float, *, counts_since_s: int | None) -> None:
        """Take a second's root-sum; a block counts only if the feed was healthy from its start."""
        block = second // BLOCK_S
        if block != self.block:
            if self.block and counts_since_s is not None and counts_since_s <= self.block * BLOCK_S:
                self.history.add_block(self.maximum)
            self.block = block
            self.maximum = 0.0
        self.maximum = max(self.maximum, root_sum)


class Feed(msgspec.Struct):
    """Forced orders of one coin, side and venue, as far as the venue shows them."""

    venue: str
    completeness: Completeness
    cells: dict[int, float] = msgspec.field(default_factory=dict)  # second -> USD
    root_sum: float = 0.0  # at the last closed second
    past: BlockMaximum = msgspec.field(default_factory=BlockMaximum)
    fast: DecayingSum = msgspec.field(default_factory=lambda: DecayingSum(tau_s=5.0))
    slow: DecayingSum = msgspec.field(default_factory=lambda: DecayingSum(tau_s=30.0))
    total_usd: float = 0.0

    def add(self, time_ms: int, usd: float) -> None:
        """Take one forced order."""
        second = time_ms // 1000
        self.cells[second] = self.cells.get(second, 0.0) + usd
        self.fast.add(time_ms, usd)
        self.slow.add(time_ms, usd)
        self.total_usd += usd

    def close_second(self, second: int, *, counts_since_s: int | None) -> None:
        """Forget cells older than a minute, renew the root-sum, feed the history."""
        if self.cells:
            self.cells = {at: usd for at, usd in self.cells.items() if at > second - KEEP_S}
            recent = (usd for at, usd in self.cells.items() if at > second - SYMBOL_WINDOW_S)
            self.root_sum = fsum(map(sqrt, recent))
        self.past.close_second(second, self.root_sum, counts_since_s=counts_since_s)

    def uncount(self) -> float:
        """Forget what was shown in the last minute, and return how much it was."""
        usd = sum(self.cells.values())
        self.cells.clear()
        self.fast.value = self.slow.value = self.root_sum = 0.0
        self.total_usd -= usd
        return usd

    def visible_usd(self, second: int, window_s: int) -> float:
        """Sum of what was shown in the last `window_s` seconds (60 at most)."""
        return sum((usd for at, usd in self.cells.items() if at > second - window_s), 0.0)


class MarketFeed(msgspec.Struct):
    """Forced orders of all coins of one venue and side: breadth weighted by money."""

    past: BlockMaximum
    cells: dict[int, dict[str, float]] = msgspec.field(default_factory=dict)
    root_sum: float = 0.0

    def add(self, time_ms: int, symbol: str, usd: float) -> None:
        """Take one forced order."""
        second = time_ms // 1000
        cell = self.cells.get(second)
        if cell is None:
            cell = self.cells[second] = {}
        cell[symbol] = cell.get(symbol, 0.0) + usd

    def close_second(self, second: int, *, counts_since_s: int | None) -> None:
        """Forget old cells, renew the root-sum, feed the history."""
        if self.cells:
            self.cells = {at: c for at, c in self.cells.items() if at > second - MARKET_WINDOW_S}
            self.root_sum = fsum(sqrt(usd) for c in self.cells.values() for usd in c.values())
        self.past.close_second(second, self.root_sum, counts_since_s=counts_since_s)

    def uncount(self, symbol: str) -> None:
        """Forget what was shown of one coin."""
        for cell in self.cells.values():
            cell.pop(symbol, None)

    def usd(self) -> tuple[float, float]:
        """USD in the window: of all coins, and without the largest."""
        by_symbol: dict[str, float] = {}
        for cell in self.cells.values():
            for symbol, usd in cell.items():
                by_symbol[symbol] = by_symbol.get(symbol, 0.0) + usd
        total = sum(by_symbol.values())
        return total, total - max(by_symbol.values(), default=0.0)


def forced_impact_z(impact_per_usd: float, forced_usd_30s: float, sigma: float) -> float:
    """Return the move that forced orders of the last 30 s should cause by themselves, in sigmas of
    30 s.
    """
    return impact_per_usd * forced_usd_30s / (sigma * sqrt(30))
