"""How far one dollar of taker flow moves the price."""

from math import exp, hypot, sqrt

import msgspec

BIN_S = 5
MEMORY_S = 1800
PRIOR_BINS = 6.0
PRIOR_MOVE = 6e-4  # the flow that moves price by 6 bp sizes the prior
FLOOR_SHARE = 0.2
DAY_S = 86_400
REFERENCE_SHARE = 0.003  # of a day's volume, in the square-root law
VOLUME_MEMORY_S = 3600
WARM_UP_S = 1800
TENTH = 1.2816  # standard normal deviate to the 90 % quantile
PRIOR_ERROR = 0.69  # log; a book may be half or twice as deep as the law says (not measured)
_KEEP = exp(-BIN_S / MEMORY_S)


class Impact(msgspec.Struct):
    """Price impact lambda, log price per USD: five-second returns regressed on net taker USD.

    The prior comes from the square-root law linearised at 0.3 % of a day's volume V:
    lambda0 = sigma_day / sqrt(V * 0.003 V) (Donier and Bonart, arXiv 1412.4503, measured it on
    Bitcoin). It counts as six bins of a 6-bp flow, so only flows that truly move the price
    overrule it. Memory 30 min, floor 0.2 lambda0.

    It is wrong when makers leave: in a cascade true impact is higher than the half hour before
    says.
    """

    sxx: float = 0.0
    sxy: float = 0.0
    bin_return: float = 0.0
    bin_flow_usd: float = 0.0
    seconds: int = 0
    volume_usd_per_s: float = 0.0

    def update(self, log_return: float, net_usd: float, volume_usd: float) -> None:
        """Take one second: its return, taker buys less sells, and all traded USD."""
        self.seconds += 1
        gain = max(1 / self.seconds, 1 / VOLUME_MEMORY_S)
        self.volume_usd_per_s += (volume_usd - self.volume_usd_per_s) * gain
        self.bin_return += log_return
        self.bin_flow_usd += net_usd
        if self.seconds % BIN_S == 0:
            self.sxx = self.sxx * _KEEP + self.bin_flow_usd**2
            self.sxy = self.sxy * _KEEP + self.bin_flow_usd * self.bin_return
            self.bin_return = self.bin_flow_usd = 0.0

    @property
    def warm(self) -> bool:
        """Whether half an hour of data outweighs the prior."""
        return self.seconds >= WARM_UP_S

    def per_usd(self, sigma: float) -> float:
        """Lambda for the current volatility (log price per sqrt(s)); 0 before any trade."""
        prior = self._prior(sigma)
        if not prior:
            return 0.0
        prior_sxx = PRIOR_BINS * (PRIOR_MOVE / prior) ** 2
        fitted = (self.sxy + prior * prior_sxx) / (self.sxx + prior_sxx)
        return max(fitted, FLOOR_SHARE * prior)

    def usd_to_move(self, log_distance: float, sigma: float) -> tuple[float, float, float] | None:
        """Return the net taker USD that would move price so far, and the range that holds them four
        times in five; None before any trade.

        The range has the error of the fit and that of the prior, each by its weight; all
        volatility counts as noise of the fit. Far away it takes more: impact is held to be linear,
        and grows slower than that. And forced orders on the way do a part of it.
        """
        prior, impact = self._prior(sigma), self.per_usd(sigma)
        if not prior:
            return None
        prior_sxx = PRIOR_BINS * (PRIOR_MOVE / prior) ** 2
        of_fit = TENTH * sigma * sqrt(BIN_S * self.sxx) / impact
        factor = exp(hypot(of_fit, PRIOR_ERROR * prior_sxx) / (self.sxx + prior_sxx))
        usd = log_distance / impact
        return usd, usd / factor, usd * factor

    def _prior(self, sigma: float) -> float:
        volume_day = self.volume_usd_per_s * DAY_S
        return sigma * sqrt(DAY_S) / (volume_day * sqrt(REFERENCE_SHARE)) if volume_day > 0 else 0.0
