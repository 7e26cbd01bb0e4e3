"""An episode as feeds show it: trades, and as many of the forced orders as each of them tells."""

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np

from liqwatch.engine.forced_flow import SYMBOL_WINDOW_S
from liqwatch.engine.rarity import BLOCK_S, History
from liqwatch.events import (
    Completeness,
    Connect,
    Disconnect,
    Liquidation,
    Mechanism,
    Position,
    PriceKind,
    Side,
    Tick,
    Trade,
)
from liqwatch.simulator.episodes.course import SECONDS, STEP_S, STEPS, Episode
from liqwatch.simulator.episodes.legs import START_MS, SYMBOL, prices
from liqwatch.simulator.episodes.orders import (
    HOUR_S,
    Orders,
    background,
    block_maxima,
    liquidity,
    split,
    throttle,
)
from liqwatch.simulator.episodes.worlds import Floats, Story
from liqwatch.simulator.truth import Truth

LATENCY_MS = 60
TRADES_EVERY = 2  # steps: each venue tells its trades twice a second, one print a side
OUTAGE_AFTER_S, OUTAGE_S = 5, 20  # of the complete feed, from the onset of the first leg
INSTRUMENT = "BTCUSDT"
_MS = 1_000_000  # in ns


class Feed(NamedTuple):
    """One venue's liquidation feed: which share of all forced orders it tells."""

    venue: str
    share: float
    throttled: bool = False  # … at most one a second

    @property
    def completeness(self) -> Completeness:
        """What the venue promises."""
        return Completeness.SAMPLED if self.throttled else Completeness.FULL


class Visibility(NamedTuple):
    """What can be seen of the forced orders."""

    name: str
    feeds: tuple[Feed, ...]


def complete(share: float) -> Visibility:
    """Return a feed that promises everything and shows that share of all forced orders."""
    return Visibility(f"{share:.0%}", (Feed("bybit-linear", share),))


THROTTLED = Visibility(
    "throttled only", (Feed("binance-usdm", 0.6, True), Feed("okx-swap", 0.4, True))
)
SEVERAL = Visibility(
    "10 %, 5 %, throttled",
    (Feed("bybit-linear", 0.1), Feed("gate-usdt", 0.05), Feed("binance-usdm", 0.5, True)),
)
ONE_LOST = Visibility(  # the complete one, a quarter of the market; its trades go on
    "complete lost", (Feed("bybit-linear", 0.0), Feed("binance-usdm", 0.6, True))
)

Told = Connect | Disconnect | Liquidation | Tick | Trade

Shown = dict[str, dict[Position, Orders]]  # by venue


def forced_orders(episode: Episode, rng: np.random.Generator) -> dict[Position, Orders]:
    """Return every forced order of an episode, the ordinary ones among them."""
    size = liquidity(episode.volume_usd_day)
    ahead, behind = (Position.SHORT, Position.LONG)[:: int(episode.sign)]
    told = {}
    for position, usd in ((ahead, episode.course.ahead_usd), (behind, episode.course.behind_usd)):
        pushed = split(usd[:, episode.number], STEP_S, size, rng)
        usual = background(SECONDS, size, rng)
        told[position] = Orders(*(np.concatenate(both) for both in zip(pushed, usual, strict=True)))
    return told


def show(orders: dict[Position, Orders], visibility: Visibility, rng: np.random.Generator) -> Shown:
    """Return what each feed tells of them; no two feeds tell the same order."""
    shown: Shown = {feed.venue: {} for feed in visibility.feeds}
    for position, every in orders.items():
        drawn, begin = rng.random(len(every.usd)), 0.0
        for feed in visibility.feeds:
            told = every.only((drawn >= begin) & (drawn < begin + feed.share))
            shown[feed.venue][position] = throttle(told) if feed.throttled else told
            begin += feed.share
    return shown


def history(feed: Feed, hours: int, size: float, rng: np.random.Generator) -> History:
    """Return what a feed has learned in so many ordinary hours."""
    learned = History()
    if hours and feed.share:
        orders = background(hours * HOUR_S, size, rng)
        told = orders.only(rng.random(len(orders.usd)) < feed.share)
        told = throttle(told) if feed.throttled else told
        for maximum in block_maxima(told, hours * HOUR_S, SYMBOL_WINDOW_S, BLOCK_S):
            learned.add_block(maximum)
    return learned


def events(
    episode: Episode,
    visibility: Visibility,
    shown: Shown,
    truth: Truth,
    rng: np.random.Generator,
) -> list[Told]:
    """Return all that an engine hears of an episode, in order."""
    path = prices(episode)
    outage = _outage(episode, truth)
    told: list[tuple[int, Told]] = list(
        chain(
            ((START_MS, _connect(feed.venue, START_MS, 1)) for feed in visibility.feeds),
            _trades(episode, path, visibility, rng),
            (
                (order.time, order)
                for feed in visibility.feeds
                for position, orders in shown[feed.venue].items()
                for order in _liquidations(feed, position, orders, path)
                if not (outage and outage[0] <= order.time < outage[1])
            ),
            _gap(visibility, outage),
            ((at, Tick(at)) for at in range(START_MS + 300, START_MS + SECONDS * 1000, 1000)),
        )
    )
    told.sort(key=lambda one: one[0])
    return [event for _, event in told]


def _outage(episode: Episode, truth: Truth) -> tuple[int, int] | None:
    if episode.story is not Story.OUTAGE or not truth.legs:
        return None
    begin_ms = truth.legs[0].onset_ms + OUTAGE_AFTER_S * 1000
    return begin_ms, begin_ms + OUTAGE_S * 1000


def _gap(visibility: Visibility, outage: tuple[int, int] | None) -> Iterator[tuple[int, Told]]:
    venue = visibility.feeds[0].venue
    if visibility is ONE_LOST:
        at = START_MS + 60_000
        yield at, Disconnect(venue, at, at * _MS, "liquidations", "lost")
    elif outage is not None:
        begin_ms, end_ms = outage
        yield begin_ms, Disconnect(venue, begin_ms, begin_ms * _MS, "liquidations", "lost")
        yield end_ms, _connect(venue, end_ms, 2)


def _connect(venue: str, at: int, number: int) -> Connect:
    return Connect(venue, at, at * _MS, f"stream/{number}")


def _trades(
    episode: Episode, path: list[float], visibility: Visibility, rng: np.random.Generator
) -> Iterator[tuple[int, Told]]:
    buying, selling = _taken(episode, rng)
    share = 1 / len(visibility.feeds)
    for number, taken in enumerate(zip(buying, selling, strict=True)):
        price = path[(number + 1) * TRADES_EVERY - 1]
        at = START_MS + int((number + 1) * TRADES_EVERY * STEP_S * 1000) - 5
        for feed in visibility.feeds:
            for side, usd in zip((Side.BUY, Side.SELL), taken, strict=True):
                received = (at + LATENCY_MS) * _MS
                coins = usd * share / price
                yield at, Trade(feed.venue, SYMBOL, INSTRUMENT, at, received, price, coins, side)


def _taken(episode: Episode, rng: np.random.Generator) -> tuple[list[float], list[float]]:
    """Return USD bought and sold by takers: usual business that grows with stress, half of what
    moved the price from outside, and what was forced.
    """
    batch, course, number = episode
    net = 0.5 * course.outside[:, number] / batch.impact_per_usd[number]
    net += course.stops_usd[:, number]
    net += course.ahead_usd[:, number] - course.behind_usd[:, number]
    net = episode.sign * _every(net).sum(axis=1)
    busy = 1 + 3 * _every(course.stress[:, number]).mean(axis=1)
    usual = episode.volume_usd_day / 86_400 * TRADES_EVERY * STEP_S * busy
    usual *= rng.lognormal(-0.3, 0.75, len(usual))
    lean = 0.5 + 0.2 * np.tanh(rng.normal(size=len(usual)))
    bought: list[float] = (usual * lean + np.maximum(net, 0)).tolist()
    sold: list[float] = (usual * (1 - lean) + np.maximum(-net, 0)).tolist()
    return bought, sold


def _every(values: Floats) -> Floats:
    return values.reshape(-1, TRADES_EVERY)


def _liquidations(
    feed: Feed, position: Position, orders: Orders, path: list[float]
) -> Iterator[Liquidation]:
    for time_s, usd in zip(orders.time_s.tolist(), orders.usd.tolist(), strict=True):
        price = path[min(STEPS - 1, int(time_s / STEP_S))]
        at = START_MS + int(time_s * 1000)
        yield Liquidation(
            venue=feed.venue,
            symbol=SYMBOL,
            instrument=INSTRUMENT,
            time=at,
            received=(at + LATENCY_MS) * _MS,
            position=position,
            size=usd / price,
            price=price,
            price_kind=PriceKind.BANKRUPTCY,
            notional_usd=usd,
            completeness=feed.completeness,
            mechanism=Mechanism.BOOK,
        )
