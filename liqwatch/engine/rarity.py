"""How rare this much forced flow is for this feed: the only measure that survives an unknown
visible share.
"""

from math import erf, log, log2, sqrt

import msgspec

BLOCK_S = 300
BLOCKS_PER_HOUR = 3600 // BLOCK_S
HALF_LIFE_S = 14 * 86_400
GROWTH = 2 ** (BLOCK_S / HALF_LIFE_S)
RENORMALISE_AT = 1e12
RANK_MIN = 5.0
BINS_PER_OCTAVE = 6
BINS = 160  # up to 2**26: a root-sum of 67 million
ARMED_HOURS = 6.0
TAIL_EXPONENT = 0.7  # of a whole market
TAIL_EXPONENT_COIN = 0.4  # with it a month of ordinary bursts reaches the weekly level once a week
TAIL_EXPONENT_BOUNDED = 0.3  # one coin on a feed of one order a second: its sum cannot grow far
MARKET_PRIOR = (170.0, 0.77, 9.0)  # median block maximum, log-sd, worth so many hours


class History(msgspec.Struct):
    """Block maxima of a root-sum, and the level that is reached once in T hours.

    M is the largest root-sum of each five-minute block; its distribution is kept as a log2
    histogram whose increments grow instead of its bins decaying (half-life 14 days). With `hours`
    of history and r = max(5, hours / T),

        level(T) = (r-th largest M) * max(1, T r / hours) ** tail_exponent.

    A constant error of share or unit multiplies sum and level alike and cancels. The running block
    is not part of the level it is held against, so a burst cannot raise its own bar. It is wrong
    after the venue changes what it shows, and far out (T much beyond the history) it rests on the
    exponent.

    >>> h = History()
    >>> for block in range(1200):
    ...     h.add_block(100.0 if block % 12 else 400.0)
    >>> 360 < h.level(2.0) < 410
    True
    """

    bins: list[float] = msgspec.field(default_factory=lambda: [0.0] * BINS)
    weight: float = 1.0  # of a block that ends now
    blocks: float = 0.0  # sum of weights, the zero blocks among them
    positive: float = 0.0  # sum of weights of the other blocks

    def add_block(self, maximum: float) -> None:
        """Take the maximum of one more block in which the feed was healthy from start to end."""
        self.weight *= GROWTH
        self.blocks += self.weight
        if maximum >= 1:
            self.positive += self.weight
            self.bins[min(BINS - 1, int(BINS_PER_OCTAVE * log2(maximum)))] += self.weight
        if self.weight > RENORMALISE_AT:
            self._renormalise()

    def _renormalise(self) -> None:
        self.bins = [weight / self.weight for weight in self.bins]
        self.blocks /= self.weight
        self.positive /= self.weight
        self.weight = 1.0

    @property
    def hours(self) -> float:
        """Hours of healthy history, the old ones counted less."""
        return self.blocks / self.weight / BLOCKS_PER_HOUR

    @property
    def armed(self) -> bool:
        """Whether there is enough history to call anything rare: six hours and five non-zero
        blocks.
        """
        return self.hours >= ARMED_HOURS and self.positive / self.weight >= RANK_MIN

    def level(self, return_hours: float, tail_exponent: float = TAIL_EXPONENT) -> float:
        """Root-sum reached once in `return_hours`; 0 without history."""
        if self.blocks == 0:
            return 0.0
        hours = self.hours
        rank = max(RANK_MIN, hours / return_hours)
        rank = max(1.0, min(rank, self.positive / self.weight))  # a level is never that of zero
        beyond = max(1.0, return_hours * rank / hours)
        return self._largest(rank) * float(beyond**tail_exponent)

    def _largest(self, rank: float) -> float:
        """Return the rank-th largest block maximum, interpolated inside its bin; 0 if it was a zero
        block.
        """
        left = rank * self.weight
        for index in range(BINS - 1, -1, -1):
            held = self.bins[index]
            if held >= left:
                return float(2 ** ((index + 1 - left / held) / BINS_PER_OCTAVE))
            left -= held
        return 0.0


def market_prior() -> History:
    """Return what an ordinary day of a whole Binance-type market looks like, before the first of
    our own.

    From 8.7 hours of ordinary recordings (log-normal block maxima of the ten-second market root-
    sum); it counts as nine hours and fades as real blocks come in.
    """
    median, log_sd, hours = MARKET_PRIOR
    history = History(blocks=hours * BLOCKS_PER_HOUR, positive=hours * BLOCKS_PER_HOUR)
    below = 0.0
    for index in range(BINS):
        edge = 2 ** ((index + 1) / BINS_PER_OCTAVE)
        share = 0.5 * (1 + erf(log(edge / median) / (log_sd * sqrt(2))))
        history.bins[index] = (share - below) * history.blocks
        below = share
    return history
