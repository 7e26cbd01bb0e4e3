"""What the spot market of a coin does: shown beside what is decided, never decided on.

A trade of coins themselves reaches nothing else in the engine.
"""

from statistics import median

import msgspec

from liqwatch.engine.forced_flow import DecayingSum
from liqwatch.engine.price import FRESH_MS
from liqwatch.events import Side, Trade

KNOWN_MS = 60_000  # after so long without a trade nothing is known of the spot market
FLOW_S = 300


class SpotPrice(msgspec.Struct, frozen=True):
    """What one instrument was traded at last."""

    price: float
    time_ms: int


def _fading() -> DecayingSum:
    return DecayingSum(tau_s=float(FLOW_S))


class Spot(msgspec.Struct):
    """Last prices and the takers' balance of one coin.

    The balance is USD bought by takers less USD sold, each trade fading as exp(-age / 5 min): of a
    steady flow it holds five minutes. It is known once it has been followed for so long without a
    minute of silence.
    """

    prices: dict[str, SpotPrice] = msgspec.field(default_factory=dict)  # by instrument
    balance_usd: DecayingSum = msgspec.field(default_factory=_fading)
    since_ms: int = 0  # followed without a silence
    heard_ms: int = 0

    def take(self, trade: Trade, time_ms: int) -> None:
        """Take one trade; a late one counts as flow, not as the price."""
        if time_ms - self.heard_ms > KNOWN_MS:
            self.balance_usd, self.since_ms = _fading(), time_ms
        self.heard_ms = max(self.heard_ms, time_ms)
        usd = trade.price * trade.size
        self.balance_usd.add(time_ms, usd if trade.side is Side.BUY else -usd)
        key = f"{trade.venue}|{trade.instrument}"
        last = self.prices.get(key)
        if last is None or time_ms >= last.time_ms:
            self.prices[key] = SpotPrice(trade.price, time_ms)

    def age_ms(self, now_ms: int) -> int | None:
        """Return how old the newest trade is; None of what is too old to tell anything."""
        age_ms = max(0, now_ms - self.heard_ms)
        return age_ms if age_ms <= KNOWN_MS else None

    def price(self) -> float | None:
        """Return the median of the prices about as new as the newest."""
        newest_ms = max((one.time_ms for one in self.prices.values()), default=0)
        fresh = [one.price for one in self.prices.values() if one.time_ms > newest_ms - FRESH_MS]
        return median(fresh) if fresh else None

    def taker_usd(self, now_ms: int) -> float | None:
        """Return the takers' balance; None before it has been followed for five minutes."""
        followed = now_ms - self.since_ms >= FLOW_S * 1000
        return self.balance_usd.at(now_ms) if followed else None

    def forget(self, venue: str) -> None:
        """Drop what one venue was traded at."""
        self.prices = {
            key: one for key, one in self.prices.items() if key.partition("|")[0] != venue
        }
