"""How many dollars one unit of the map is worth, learned from what was seen to be liquidated."""

from collections.abc import Iterable
from math import exp, fsum, hypot, log, sqrt

import msgspec

from liqwatch.events import Completeness

KEPT_PER_DAY = 0.98
PRIOR_STEPS = 5.0  # what we believed before counts as so many ordinary steps
TIER_PRIOR = 0.3  # and so much of the mean exposure of a tier
SAME_PRICE = 0.003  # mark and last farther apart than this: who was swept is not known
DAY_MS = 86_400_000
TENTH = 1.2816  # standard normal deviates to the 10 % and 90 % quantiles
CALIBRATED_STEPS = 30  # that saw forced orders
CALIBRATED_RANGE = 2.0  # 90 % over 10 % quantile of the scale
TRANSFER_ERROR = 0.69  # log; a venue's traders may be half or twice as levered (not measured)


class Step(msgspec.Struct, frozen=True, gc=False):
    """What one side of one venue did in a step, a minute say."""

    time_ms: int  # its end
    swept_usd: tuple[float, ...]  # mass that price passed, per tier, as if all of it were that tier
    forced_usd: float  # liquidations seen
    completeness: Completeness  # of the feed that saw them
    whole: bool  # no gap in trades, marks or liquidations
    mark: float
    last: float


class Scale(msgspec.Struct, frozen=True):
    """Dollars liquidated per dollar of the map, with the range that holds it four times in five."""

    value: float
    low: float
    high: float
    calibrated: bool


class Calibration(msgspec.Struct):
    """Weights of the leverage tiers and their common scale, for one side of one venue.

    Each step has u_j, the unit mass of tier j that price swept, and y, the forced USD seen. With
    prior weights w0 and all sums fading by 0.98 a day,

        r_j = w_j u_j / sum(w u);  A_j += y r_j;  E_j += u_j
        S   = (5 u0 + sum A) / (5 u0 + sum(w0 E))
        w_j = (S w0_j k Ebar + A_j) / (k Ebar + E_j),  Ebar = mean E, k = 0.3

    where u0 is the median of sum(w0 u). That is a Gamma-Poisson estimate normalised by exposure:
    high leverage earns nothing by being hit more often, and tiers never hit move with the common
    scale. A map with one ladder per side is one tier of prior 1, and S is all there is to learn.

    Forced orders come in bursts and lie beside the map, so a dollar is not an independent event. S
    is Gamma with one event for each phi dollars, phi = sum((y - sum(w u))^2) / sum(w u).
    Calibrated means thirty steps with forced orders, and a 10-90 % range no wider than two to one.

    It is wrong after the venue's traders change faster than the memory (50 days); low by what is
    liquidated in a later step than it was swept, if that one sweeps nothing; and it cannot see that
    the map is empty where people are liquidated. On a sampled feed it would be worse than nothing
    (measured: a quarter of the true scale), so it refuses those. It corrects the scale much and
    the mixture of tiers little.

    Source: the EM step and its constants are the project's own, measured on simulated markets; the
    dispersion is that of McCullagh and Nelder, Generalized Linear Models, 4.5.

    >>> scale_only = Calibration(prior=(1.0,))
    >>> for minute in range(100):
    ...     step = Step(
    ...         time_ms=minute * 60_000,
    ...         swept_usd=(1e6,),
    ...         forced_usd=5e5,
    ...         completeness=Completeness.FULL,
    ...         whole=True,
    ...         mark=100.0,
    ...         last=100.1,
    ...     )
    ...     assert scale_only.update(step)
    >>> round(scale_only.scale().value, 2)
    0.52
    """

    prior: tuple[float, ...]  # share of open interest by tier
    assigned_usd: list[float] = msgspec.field(default_factory=list)  # A
    exposure_usd: list[float] = msgspec.field(default_factory=list)  # E
    typical_usd: float = 0.0  # u0
    expected_usd: float = 0.0  # what the weights of the time led to expect
    squares_usd2: float = 0.0  # by how much that was wrong
    steps: int = 0
    forced_steps: int = 0
    time_ms: int = 0

    def __post_init__(self) -> None:
        """Start with empty sums."""
        self.assigned_usd = self.assigned_usd or [0.0] * len(self.prior)
        self.exposure_usd = self.exposure_usd or [0.0] * len(self.prior)

    def update(self, step: Step) -> bool:
        """Learn from a step; return whether it was one to learn from.

        Refused: a feed that is not complete, a gap, mark and last apart, nothing swept. Raises
        ValueError if the tiers are not those of the prior.
        """
        parts = [w * u for w, u in zip(self.weights(), step.swept_usd, strict=True)]
        expected = fsum(parts)
        if not (expected > 0 and step.forced_usd >= 0 and _trusted(step)):
            return False
        self._fade(step.time_ms)
        for tier, (part, swept) in enumerate(zip(parts, step.swept_usd, strict=True)):
            self.assigned_usd[tier] += step.forced_usd * part / expected
            self.exposure_usd[tier] += swept
        self.expected_usd += expected
        self.squares_usd2 += (step.forced_usd - expected) ** 2
        self.steps += 1
        self.forced_steps += step.forced_usd > 0
        self._follow_typical(fsum(w * u for w, u in zip(self.prior, step.swept_usd, strict=True)))
        return True

    def _fade(self, time_ms: int) -> None:
        if self.steps:
            kept = KEPT_PER_DAY ** (max(0, time_ms - self.time_ms) / DAY_MS)
            self.assigned_usd = [usd * kept for usd in self.assigned_usd]
            self.exposure_usd = [usd * kept for usd in self.exposure_usd]
            self.expected_usd *= kept
            self.squares_usd2 *= kept
        self.time_ms = max(self.time_ms, time_ms)

    def _follow_typical(self, usd: float) -> None:
        """Move towards the median: as often up as down."""
        factor = 1 + max(0.02, 1 / self.steps)
        if self.steps == 1:
            self.typical_usd = usd
        elif usd > self.typical_usd:
            self.typical_usd *= factor
        else:
            self.typical_usd /= factor

    def weights(self) -> tuple[float, ...]:
        """Return the USD that one unit of mass of each tier is worth, the scale included."""
        if not self.steps:
            return self.prior
        scale, trust = self._mean_scale(), TIER_PRIOR * fsum(self.exposure_usd) / len(self.prior)
        sums = zip(self.prior, self.assigned_usd, self.exposure_usd, strict=True)
        return tuple((scale * w * trust + a) / (trust + e) for w, a, e in sums)

    def scale(self) -> Scale:
        """Return the common scale S and how well it is known."""
        value = self._mean_scale()
        low, high = (value * quantile for quantile in _gamma_tenths(self._events()))
        known = high <= CALIBRATED_RANGE * low and self.forced_steps >= CALIBRATED_STEPS
        return Scale(value=value, low=low, high=high, calibrated=known)

    def _events(self) -> float:
        if not self.steps:
            return PRIOR_STEPS
        believed = PRIOR_STEPS * self.typical_usd
        variance = believed * self.typical_usd + self.squares_usd2
        dispersion = variance / (believed + self.expected_usd)
        return (believed + fsum(self.assigned_usd)) / dispersion

    def _mean_scale(self) -> float:
        if not self.steps:
            return 1.0
        believed = PRIOR_STEPS * self.typical_usd
        swept = fsum(w * e for w, e in zip(self.prior, self.exposure_usd, strict=True))
        return (believed + fsum(self.assigned_usd)) / (believed + swept)


class Learned(msgspec.Struct):
    """One side of one venue, and where its sums stood at the end of the last minute."""

    swept_usd: float
    forced_usd: float
    calibration: Calibration = msgspec.field(default_factory=lambda: Calibration(prior=(1.0,)))


def transfer(scales: Iterable[tuple[Scale, float]]) -> Scale | None:
    """Return the scale for a venue whose feed is not complete, None while no other is calibrated.

    Takes the scale and open interest (USD) of each venue that is; the mean is weighted by open
    interest, and its range widened, because nobody has seen this venue's own.
    """
    known = [(scale, usd) for scale, usd in scales if scale.calibrated and usd > 0]
    total = fsum(usd for _, usd in known)
    if not total:
        return None
    value = fsum(scale.value * usd for scale, usd in known) / total
    low = fsum(scale.low * usd for scale, usd in known) / total
    high = fsum(scale.high * usd for scale, usd in known) / total
    return Scale(
        value=value,
        low=value * exp(-hypot(log(value / low), TRANSFER_ERROR)),
        high=value * exp(hypot(log(high / value), TRANSFER_ERROR)),
        calibrated=True,
    )


def together(scales: Iterable[tuple[Scale, float]]) -> Scale | None:
    """Return the scale of all that is summed in a map, None while no part of it is calibrated.

    Takes the scale and open interest of each part; those not calibrated have what `transfer` says.
    """
    parts = list(scales)
    elsewhere, total = transfer(parts), fsum(size for _, size in parts)
    if elsewhere is None:
        return None
    used = [(one if one.calibrated else elsewhere, size / total) for one, size in parts]
    return Scale(
        value=fsum(one.value * share for one, share in used),
        low=fsum(one.low * share for one, share in used),
        high=fsum(one.high * share for one, share in used),
        calibrated=True,
    )


def _trusted(step: Step) -> bool:
    near = abs(step.mark - step.last) <= SAME_PRICE * step.last
    return step.completeness is Completeness.FULL and step.whole and near


def _gamma_tenths(shape: float) -> tuple[float, float]:
    """Return the 10 % and 90 % quantiles of a Gamma of mean 1 (Wilson and Hilferty 1931).

    Below a shape of a half the approximation breaks, and the range is as good as unknown.
    """
    shape = max(0.5, shape)
    middle, spread = 1 - 1 / (9 * shape), TENTH / (3 * sqrt(shape))
    return float((middle - spread) ** 3), float((middle + spread) ** 3)
