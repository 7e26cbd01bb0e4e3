"""Rare forced flow in one direction, second by second, and how far price has run on since."""

from math import sqrt

import msgspec

from liqwatch.engine.start import Rarity

FRESH_S = 10  # rare flow is remembered so long: a feed may be lost in the middle of a burst
OVER_S = 30  # without any: the burst is over
SIGMA_S = 30  # run-on is told in sigmas of half a minute


class Burst(msgspec.Struct):
    """A stretch of rare flow, from the second in which it became rare.

    Forced orders that feed a move come before it: `run_on_z` is how far price went on after flow
    had become rare. News moves the price first, and the forced orders that follow find it standing.
    """

    began_x: float  # log price
    rare: Rarity  # the newest
    rare_ms: int

    def see(self, rarity: Rarity | None, now_ms: int) -> None:
        """Take one more second."""
        if rarity is not None and rarity.ratio >= 1:
            self.rare, self.rare_ms = rarity, now_ms

    def fresh(self, now_ms: int) -> Rarity | None:
        """Return the rare flow of the last seconds."""
        return self.rare if now_ms - self.rare_ms <= FRESH_S * 1000 else None

    def over(self, now_ms: int) -> bool:
        """Say whether flow has been ordinary for so long that the next burst is another one."""
        return now_ms - self.rare_ms > OVER_S * 1000

    def run_on_z(self, x: float, sigma: float, sign: int) -> float:
        """Return how far price has run on, in sigmas of half a minute, towards `sign`."""
        return (x - self.began_x) * sign / (sigma * sqrt(SIGMA_S))
