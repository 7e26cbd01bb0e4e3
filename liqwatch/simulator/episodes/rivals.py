"""What somebody would use instead: a threshold on dollars, on counts, on price.

Every one of them sees what liqwatch sees, and its threshold is the best of a grid on tuning seeds,
for each visibility anew: more than its user could do.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from liqwatch.alerts import Direction, Kind
from liqwatch.events import Position
from liqwatch.simulator.episodes.course import SECONDS
from liqwatch.simulator.episodes.feeds import Shown
from liqwatch.simulator.episodes.legs import START_MS, SYMBOL
from liqwatch.simulator.episodes.orders import Orders
from liqwatch.simulator.episodes.worlds import Floats

REARM_S = 300
WINDOW_S = 30
PRICE_WINDOW_S = 60


class Seen(NamedTuple):
    """What a rival sees of one side: the forced orders of all feeds, and the price each second in
    the direction that they push.
    """

    orders: Orders
    log_price: Floats
    volume_usd_day: float


Speaks = Callable[[float], list[int]]  # a threshold -> the seconds in which it is reached


class Rival(NamedTuple):
    """How an episode is listened to, and the thresholds that are tried on what is heard."""

    name: str
    listen: Callable[[Seen], Speaks]
    thresholds: tuple[float, ...]


def _reaching(statistic: Callable[[Seen], Floats]) -> Callable[[Seen], Speaks]:
    def listen(seen: Seen) -> Speaks:
        values = statistic(seen)
        return lambda threshold: np.nonzero(values >= threshold)[0].tolist()

    return listen


def _dollars(seen: Seen) -> Floats:
    return _recent(seen, seen.orders.usd)


def _dollars_by_volume(seen: Seen) -> Floats:
    return _recent(seen, seen.orders.usd) / seen.volume_usd_day


def _count(seen: Seen) -> Floats:
    return _recent(seen, np.ones(len(seen.orders.usd)))


def _move(seen: Seen) -> Floats:
    before = np.concatenate([np.full(PRICE_WINDOW_S, seen.log_price[0]), seen.log_price])
    moved: Floats = seen.log_price - before[:SECONDS]
    return moved


def _recent(seen: Seen, amounts: Floats) -> Floats:
    second = seen.orders.time_s.astype(np.int64)
    cells = np.bincount(second, amounts, minlength=SECONDS)[:SECONDS]
    summed: Floats = np.convolve(cells, np.ones(WINDOW_S))[:SECONDS]
    return summed


def _grid(low: float, high: float, count: int) -> tuple[float, ...]:
    return tuple(np.geomspace(low, high, count).tolist())


PLAIN_RIVALS = (
    Rival("dollars in 30 s, best for all coins", _reaching(_dollars), _grid(1e3, 1e9, 31)),
    Rival(
        "dollars in 30 s, scaled to each coin", _reaching(_dollars_by_volume), _grid(1e-8, 1e-1, 36)
    ),
    Rival("orders in 30 s, best for all coins", _reaching(_count), _grid(2, 2e4, 31)),
    Rival("price move in 60 s", _reaching(_move), _grid(1e-3, 6e-2, 31)),
    Rival("2M USD in 30 s", _reaching(_dollars), (2e6,)),
)


def see(
    shown: Shown, prices: Sequence[float], volume_usd_day: float
) -> Iterator[tuple[Direction, Seen]]:
    """Return what there is to see of both sides; prices are those at the end of each second."""
    for position in Position:
        direction = Direction.of(position)
        each = [orders[position] for orders in shown.values()]
        orders = Orders(*(np.concatenate(parts) for parts in zip(*each, strict=True)))
        log_price = direction.sign * np.log(np.array(prices))
        yield direction, Seen(orders, log_price, volume_usd_day)


def starts(direction: Direction, seconds: Iterable[int]) -> Iterator[dict[str, Any]]:
    """Return an alert for each of these seconds, one in five minutes at most."""
    armed_s = 0
    for second in seconds:
        if second >= armed_s:
            armed_s = second + REARM_S
            yield {
                "kind": Kind.CASCADE_STARTED.value,
                "symbol": SYMBOL,
                "time": START_MS + (second + 1) * 1000,
                "direction": direction.value,
            }
