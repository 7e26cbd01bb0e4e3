"""Speed and acceleration of one price, scaled by its own volatility, on a grid of one second."""

from math import exp, sqrt

import msgspec

VOLATILITY_MEMORY_S = 1800
VOLATILITY_FLOOR = 0.5e-4  # log price per sqrt(s): half a basis point
VOLATILITY_PRIOR = 1.0e-4  # before anything is known: an ordinary hour of a large coin
PRIOR_WEIGHT_S = 120
WARM_UP_S = 600
CLIP_SIGMA = 4.0  # a jump does not become tomorrow's normal
EXTREME_WINDOW_S = 60
SHARE_WINDOW_S = 20
_SHARE_MASK = (1 << SHARE_WINDOW_S) - 1
_GAIN = {tau: 1 - exp(-1 / tau) for tau in (10, 30, 60)}


class Momentum(msgspec.Struct):
    """Volatility, drift and new extremes from one-second log returns.

    With r the log return of each second: sigma² is an exponential mean of r² (30 min, r clipped at
    4 sigma), v_tau one of r (10, 30, 60 s), and the drift z-score is z_tau = v_tau / (sigma /
    sqrt(2 tau)), which for a driftless walk has unit variance. The statistic follows the drift-
    burst idea (Christensen, Oomen, Renò, Journal of Econometrics 227(2), 2022): short explosive
    trends against local volatility.

    It is wrong when sigma is: in its first ten minutes (`warm` is false) sigma leans on a prior,
    and after a calm night a normal morning looks fast. A coin that prints less than once in five
    seconds has no one-second returns.

    >>> m = Momentum()
    >>> for _ in range(900):
    ...     m.update(0.0)
    >>> for _ in range(30):
    ...     m.update(2e-4)
    >>> m.warm, m.z(30) > 6, m.new_extreme_share(1)
    (True, True, 1.0)
    """

    x: float = 0.0  # log price index
    seconds: int = 0
    variance: float = VOLATILITY_PRIOR**2
    v10: float = 0.0
    v30: float = 0.0
    v60: float = 0.0
    recent: list[float] = msgspec.field(default_factory=list)  # x of the last minute, oldest first
    highs: int = 0  # one bit a second, newest lowest: x went above its minute's high
    lows: int = 0

    def update(self, log_return: float) -> None:
        """Take the return of one more second."""
        self._update_variance(log_return)
        self.v10 += (log_return - self.v10) * _GAIN[10]
        self.v30 += (log_return - self.v30) * _GAIN[30]
        self.v60 += (log_return - self.v60) * _GAIN[60]
        self.x += log_return
        recent = self.recent
        higher = bool(recent) and self.x > max(recent)
        lower = bool(recent) and self.x < min(recent)
        self.highs = (self.highs << 1 | higher) & _SHARE_MASK
        self.lows = (self.lows << 1 | lower) & _SHARE_MASK
        recent.append(self.x)
        if len(recent) > EXTREME_WINDOW_S:
            del recent[0]

    def _update_variance(self, log_return: float) -> None:
        limit = CLIP_SIGMA * self.sigma
        clipped = max(-limit, min(limit, log_return))
        gain = max(1 / (PRIOR_WEIGHT_S + self.seconds + 1), 1 / VOLATILITY_MEMORY_S)
        self.variance += (clipped * clipped - self.variance) * gain
        self.seconds += 1

    def restart(self) -> None:
        """Forget the run of the price, keep its volatility: what follows a gap is not a move."""
        self.v10 = self.v30 = self.v60 = 0.0
        self.recent.clear()
        self.highs = self.lows = 0

    @property
    def sigma(self) -> float:
        """Volatility, log price per sqrt(s)."""
        return max(VOLATILITY_FLOOR, sqrt(self.variance))

    @property
    def warm(self) -> bool:
        """Whether sigma rests on ten minutes of data."""
        return self.seconds >= WARM_UP_S

    def z(self, tau_s: int) -> float:
        """Drift over 10, 30 or 60 s in sigmas; positive is up."""
        drift = {10: self.v10, 30: self.v30, 60: self.v60}[tau_s]
        return drift / (self.sigma / sqrt(2 * tau_s))

    @property
    def acceleration(self) -> float:
        """Drift of the last 10 s above that of the last 60 s, in sigmas; positive is up."""
        return (self.v10 - self.v60) / (self.sigma / sqrt(20))

    @property
    def speed_bp_per_min(self) -> float:
        """Drift of the last 10 s; positive is up."""
        return self.v10 * 60e4

    def run(self, seconds: int) -> float:
        """Return the log price covered in so many seconds, 59 at most; positive is up."""
        return self.x - self.recent[-seconds - 1 :][0] if self.recent else 0.0

    def new_extreme_share(self, sign: int) -> float:
        """Share of the last 20 s that went beyond the extreme of the minute before; sign +1 up, -1
        down.
        """
        return (self.highs if sign > 0 else self.lows).bit_count() / SHARE_WINDOW_S

    @property
    def five_minute_move(self) -> float:
        """One sigma of a five-minute move, log price: the yardstick of distances to levels."""
        return self.sigma * sqrt(300)
