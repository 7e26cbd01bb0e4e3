"""Where most was traded: the plainest guess at where positions lie, to hold a map against."""

import msgspec

from liqwatch.engine.frozen_map import REACH, WIDTH, Profile, bucket_key

HALF_LIFE_MS = 5 * 86_400_000  # as long as the map itself remembers by default
LEAST_SHARE = 1e-6  # of what is traded; a bucket that holds less is forgotten


class Traded(msgspec.Struct):
    """USD traded by log-price bucket, as wide as those of the score. What was traded fades.

    >>> traded = Traded()
    >>> traded.add(100.0, 500.0)
    >>> profile = traded.profile(0, 101.0)
    >>> sum(profile.usd)
    500.0
    """

    usd: dict[int, float] = msgspec.field(default_factory=dict)
    faded_ms: int = 0

    def add(self, price: float, usd: float) -> None:
        """Take what was traded in a second about a price."""
        key = bucket_key(price)
        self.usd[key] = self.usd.get(key, 0.0) + usd

    def profile(self, time_ms: int, price: float) -> Profile | None:
        """Return what was traded at the prices around this one, None if nothing was ever."""
        self._fade(time_ms)
        if not self.usd:
            return None
        first = bucket_key(price) - REACH
        usd = [self.usd.get(first + step, 0.0) for step in range(2 * REACH + 1)]
        return Profile(WIDTH, first, usd)

    def _fade(self, time_ms: int) -> None:
        kept = 0.5 ** (max(0, time_ms - self.faded_ms) / HALF_LIFE_MS) if self.faded_ms else 1.0
        least = LEAST_SHARE * sum(self.usd.values())
        self.usd = {key: kept * usd for key, usd in self.usd.items() if usd > least}
        self.faded_ms = max(self.faded_ms, time_ms)
