"""A simulated cascade as the engine hears it from three venues that have been heard for a week."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from msgspec.structs import replace

from liqwatch.alerts import Alert, Direction, Kind
from liqwatch.engine import Engine
from liqwatch.engine.settings import EngineSettings
from liqwatch.engine.snapshot import EngineState, unpack
from liqwatch.events import Event, Funding, Liquidation, MarkPrice, OpenInterest, Tick, Trade
from liqwatch.exchanges import EXCHANGES
from liqwatch.map_import import ImportedMap
from liqwatch.pipeline import Pipeline, promises
from liqwatch.records import Record
from liqwatch.simulator import write_tape
from liqwatch.simulator.episodes.feeds import Feed, history
from liqwatch.simulator.episodes.orders import liquidity
from liqwatch.simulator.scenarios import BTC
from liqwatch.sources.tape import TapeReader

BINANCE, BYBIT, OKX = VENUES = ("binance-usdm", "bybit-linear", "okx-swap")
FEEDS = (Feed(BINANCE, 0.45, True), Feed(BYBIT, 0.30), Feed(OKX, 0.25, True))
WEEK_HOURS = 168
RUN_UP_MS = 75_000  # so long before the cascade the market is taken up
AFTER_MS = 30_000
MARKET = (Trade, Liquidation, OpenInterest, MarkPrice, Funding)

Change = Callable[[Event], Event]


class Listening(Engine):
    """Keeps what it hears."""

    heard: list[Event]

    def update(self, event: Event | ImportedMap) -> Sequence[Alert]:
        assert not isinstance(event, ImportedMap)
        self.heard.append(event)
        return super().update(event)


@cache
def records(scenario: str) -> list[Record]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tape.jsonl"
        write_tape(path, scenario=scenario, seed=1)
        return list(TapeReader(path))


def pipeline(one: Engine, alerts: list[Alert] | None = None) -> Pipeline:
    told: list[Alert] = [] if alerts is None else alerts
    return Pipeline(one, {name: kind() for name, kind in EXCHANGES.items()}, on_alerts=told.extend)


@cache
def events(scenario: str) -> list[Event]:
    one = Listening(EngineSettings(), watch=None, promises=promises(EXCHANGES))
    one.heard = []
    through = pipeline(one)
    for record in records(scenario):
        through.ingest(record)
    return one.heard


def engine(state: EngineState | None = None) -> Engine:
    return Engine(EngineSettings(), watch=None, promises=promises(EXCHANGES), state=state)


def run(one: Engine, heard: Sequence[Event]) -> list[Alert]:
    return [alert for event in heard for alert in one.update(event)]


@cache
def run_up(scenario: str, seconds: int) -> tuple[bytes, list[Event]]:
    """Return the state after so many seconds, with a week of history, and what is heard then."""
    heard, one = events(scenario), engine()
    until_ms = heard[0].time + seconds * 1000
    cut = next(n for n, one in enumerate(heard) if type(one) is Tick and one.time >= until_ms)
    run(one, heard[:cut])
    for number, feed in enumerate(FEEDS):
        for direction in Direction:
            size = liquidity(BTC.volume_usd_day)
            learned = history(feed, WEEK_HOURS, size, np.random.default_rng([1, number]))
            one.state.symbols["BTC"].feeds[direction][feed.venue].past.history = learned
    return one.snapshot(), heard[cut:]


@cache
def cascade() -> tuple[bytes, list[Event]]:
    """Return the market as it is a minute before the cascade, and what is heard until its end."""
    alerts = run(engine(), events("cascade"))
    start, end = (one.time for one in (story(alerts)[0], story(alerts)[-1]))
    snapshot, heard = run_up("cascade", (start - RUN_UP_MS - events("cascade")[0].time) // 1000)
    return snapshot, [event for event in heard if event.time < end + AFTER_MS]


@cache
def honest() -> list[Alert]:
    """Return what is told of the cascade where nobody lies."""
    return decide(cascade())[1]


@cache
def quiet() -> tuple[bytes, list[Event]]:
    """Return five minutes of a market in which nothing happens."""
    snapshot, heard = run_up("quiet", 300)
    return snapshot, [event for event in heard if event.time < heard[0].time + 300_000]


def decide(
    market: tuple[bytes, Sequence[Event]], change: Change | None = None
) -> tuple[Engine, list[Alert]]:
    """Return the engine that heard a market, and its alerts; `change` is done to each event."""
    snapshot, heard = market
    one = engine(unpack(snapshot))
    return one, run(one, heard if change is None else [change(event) for event in heard])


STORY = (Kind.CASCADE_STARTED, Kind.CASCADE_STALLED, Kind.CASCADE_RESUMED, Kind.CASCADE_ENDED)


def story(alerts: Sequence[Alert]) -> list[Alert]:
    return [alert for alert in alerts if alert.kind in STORY]


def of(venue: str, change: Change) -> Change:
    """Change what one venue says of the market."""

    def changed(event: Event) -> Event:
        return change(event) if isinstance(event, MARKET) and event.venue == venue else event

    return changed


def assert_same_story(alerts: Sequence[Alert], *, within_s: int) -> None:
    """One cascade, told by the same kinds of alert in the same order, at about the same times."""
    told, expected = story(alerts), story(honest())
    assert [one.kind for one in told] == [one.kind for one in expected]
    assert [one.direction for one in told] == [one.direction for one in expected]
    assert len({one.episode for one in told}) == 1
    for one, other in zip(told, expected, strict=True):
        assert abs(one.time - other.time) <= within_s * 1000, one.kind


def skewed(seconds: float) -> Change:
    """Put a venue's clock off."""
    return lambda event: replace(event, time=event.time + int(seconds * 1000))
