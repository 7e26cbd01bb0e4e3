"""One world, lived through by our estimator, the same without its parts, and the baselines."""

import math
from collections.abc import Mapping, Sequence
from statistics import median

from liqwatch.engine.calibration import Calibration, Step, together
from liqwatch.engine.liquidation_map import MapSettings
from liqwatch.engine.positions import PositionBook, Swept
from liqwatch.events import Completeness, Position
from liqwatch.simulator.map_baselines import BASELINES, Estimator
from liqwatch.simulator.map_course import MINUTES_PER_DAY
from liqwatch.simulator.map_score import BUCKETS, MapScore, judge, ladder
from liqwatch.simulator.map_world import MapWorld, Minute
from liqwatch.simulator.seeds import generator

# Constants of the estimator are chosen on the first, tables are printed of the second.
TUNING_SEEDS = range(24)
HELD_OUT_SEEDS = range(100_000, 100_024)
DAYS = 14
MINUTE_MS = 60_000
FIRST_JUDGED_DAY = 3

BOOK_BUCKET = MapSettings().bucket_bp / 1e4
KEPT_A_MINUTE = 0.5 ** (1 / (MapSettings().half_life_days * MINUTES_PER_DAY))


class OwnEstimate:
    """The daemon's position book, told each minute what `SymbolMap` tells it."""

    in_usd = True

    def __init__(
        self,
        *,
        closes: bool = True,
        attrition: bool = True,
        throttled: bool = False,
        calibrated: bool = False,
    ) -> None:
        self._closes, self._attrition, self._throttled = closes, attrition, throttled
        sides = Position if calibrated else ()
        self._calibrations = {position: Calibration(prior=(1.0,)) for position in sides}
        self._book: PositionBook | None = None
        self._open_size = 0.0
        self._price = 0.0
        self._minutes = 0

    def update(self, minute: Minute) -> None:
        """Pass on forced orders, open interest and mark, and let the minute go by."""
        book = self._book
        if book is None:
            book = self._book = PositionBook.begin(minute.open_size, minute.mark, BOOK_BUCKET)
            self._open_size = minute.open_size
        book.forced_usd += sum(minute.visible_usd if self._throttled else minute.forced_usd)
        change = minute.open_size - self._open_size
        if change > 0 or (change < 0 and self._closes):
            book.sample(book.open_size + change, minute.taker_price)
        self._learn(minute, book.sweep(minute.mark))
        if self._attrition:
            book.pass_time(minute.mark, KEPT_A_MINUTE)
        else:
            for ladder in book.ladders:
                ladder.scale(KEPT_A_MINUTE)
        self._open_size, self._price = minute.open_size, minute.price

    def _learn(self, minute: Minute, swept: Sequence[Swept]) -> None:
        self._minutes += 1
        forced_usd = dict(zip(Position, minute.forced_usd, strict=True))
        for position, calibration in self._calibrations.items():
            step = Step(
                time_ms=self._minutes * MINUTE_MS,
                swept_usd=(math.fsum(one.usd for one in swept if one.position is position),),
                forced_usd=forced_usd[position],
                completeness=Completeness.FULL,
                whole=True,
                mark=minute.mark,
                last=minute.price,
            )
            calibration.update(step)

    def ladder(self, position: Position) -> list[float]:
        """Return one side of the book, times what a dollar of it has proved to be worth."""
        if self._book is None:
            return [0.0] * BUCKETS
        known = together((one.scale(), 0.5) for one in self._calibrations.values())
        scale = known.value if known else 1.0
        masses = (
            (math.exp(key * BOOK_BUCKET), math.exp((key + 1) * BOOK_BUCKET), scale * usd)
            for key, usd in self._book.side(position).items().items()
        )
        return ladder(masses, self._price, position)


def estimators() -> dict[str, Estimator]:
    """Return everybody who takes part, by name, ours last."""
    return {
        **{name: make() for name, make in BASELINES.items()},
        "ours, no closes": OwnEstimate(closes=False),
        "ours, no attrition": OwnEstimate(attrition=False),
        "ours, throttled feed": OwnEstimate(throttled=True),
        "ours": OwnEstimate(),
        "ours, calibrated": OwnEstimate(calibrated=True),
    }


def true_ladder(world: MapWorld, price: float, position: Position) -> list[float]:
    """Return one side of the world as it is, in the buckets of the score.

    Positions with a stop are in it: it is what a venue that publishes positions would show. USD are
    those of the liquidation price.
    """
    lots = world.sides[position].lots()
    masses = ((lot.liquidation, lot.liquidation, coins * lot.liquidation) for lot, coins in lots)
    return ladder(masses, price, position)


def contest(
    seed: int, taking_part: Mapping[str, Estimator], *, days: int = DAYS
) -> dict[str, MapScore]:
    """Live through a world; return how good each map was.

    Medians over both sides at the end of each day from the third. Totals that mean no dollars have
    no scale.
    """
    world = MapWorld(generator(seed, "map world"))
    scores: dict[str, list[MapScore]] = {name: [] for name in taking_part}
    for day in range(1, days + 1):
        for minute in (world.step() for _ in range(MINUTES_PER_DAY)):
            for estimator in taking_part.values():
                estimator.update(minute)
        if day < FIRST_JUDGED_DAY:
            continue
        for position in Position:
            truth = true_ladder(world, minute.price, position)
            for name, estimator in taking_part.items():
                scores[name].append(judge(estimator.ladder(position), truth))
    return {name: _middle(found, in_usd=taking_part[name].in_usd) for name, found in scores.items()}


def _middle(scores: list[MapScore], *, in_usd: bool) -> MapScore:
    scales = [score.ln_scale for score in scores if score.ln_scale is not None]
    return MapScore(
        spearman=median(score.spearman for score in scores),
        top_share=median(score.top_share for score in scores),
        emd_pct=median(score.emd_pct for score in scores),
        ln_scale=median(scales) if in_usd and scales else None,
    )
