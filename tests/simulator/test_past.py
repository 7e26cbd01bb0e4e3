from itertools import pairwise
from urllib.parse import parse_qsl, urlsplit

import pytest

from liqwatch.events import MarketEvent, OpenInterestHistory, PriceHistory
from liqwatch.exchanges import EXCHANGES
from liqwatch.simulator.broadcast import VENUES, Broadcast
from liqwatch.simulator.past import BAR_MS, BARS, Past, Path, pasts
from liqwatch.simulator.scenarios import SCENARIOS
from liqwatch.simulator.seeds import generator
from liqwatch.simulator.world import worlds

START_MS = 1_791_565_261_000
SCENARIO = SCENARIOS["demo"]
PLAN = SCENARIO.plans[0]


def made(seed: int = 1) -> list[Past]:
    return pasts(worlds(SCENARIO, seed=seed, start_ms=START_MS)[0], seed=seed)


def test_the_past_ends_where_the_scenario_begins() -> None:
    world = worlds(SCENARIO, seed=1, start_ms=START_MS)[0]
    for past, book in zip(made(), world.market.books, strict=True):
        bars = past.bars(BAR_MS, BARS)

        assert len(bars) == BARS
        assert bars[-1].begin_ms <= START_MS < bars[-1].begin_ms + BAR_MS
        assert bars[-1].close == pytest.approx(world.market.price)
        assert bars[-1].open_interest == pytest.approx(book.open_interest)


def test_it_is_the_same_for_the_same_seed_whatever_is_asked_first() -> None:
    one, other = made(), made()
    assert one[2].bars(BAR_MS, 10) == other[2].bars(BAR_MS, BARS)[-10:]
    assert made(seed=2)[2].bars(BAR_MS, 10) != one[2].bars(BAR_MS, 10)


def test_longer_bars_are_shorter_ones_together() -> None:
    (past, *_) = made()
    short, (*_, hour, _) = past.bars(BAR_MS, BARS), past.bars(4 * BAR_MS, 3)
    within = [bar for bar in short if 0 <= bar.begin_ms - hour.begin_ms < 4 * BAR_MS]

    assert len(within) == 4
    assert (hour.open, hour.close) == (within[0].open, within[-1].close)
    assert (hour.low, hour.high) == (min(b.low for b in within), max(b.high for b in within))
    assert hour.coins == pytest.approx(sum(bar.coins for bar in within))
    assert past.points(BAR_MS, 1) == [(short[-1].begin_ms, short[-2].open_interest)]


def test_price_goes_on_where_it_stopped() -> None:
    (past, *_) = made()
    for before, after in pairwise(past.bars(BAR_MS, BARS)):
        assert after.open == before.close
        assert before.low <= min(before.open, before.close)
        assert before.high >= max(before.open, before.close)


def test_nobody_opened_before_price_last_stood_at_his_exit() -> None:
    path = Path(PLAN.coin, PLAN.coin.price, START_MS, generator("visits"))
    _, _, low, high, close = path.ranges[-100]
    since = path.visits(close, since=(low + high) / 2)

    assert since
    assert min(since) > BARS - 100
    assert set(since) < set(path.visits(close, since=1.0))


@pytest.mark.parametrize("venue", VENUES)
def test_the_venues_tell_it_as_they_do(venue: str) -> None:
    broadcast = Broadcast("demo", seed=1, start_ms=START_MS)
    (frames,) = (one for one in broadcast.venues if one.venue == venue)
    exchange, received = EXCHANGES[venue](), (START_MS + 2_000) * 1_000_000

    def ask(url: str) -> MarketEvent:
        status, text = frames.rest(urlsplit(url).path, dict(parse_qsl(urlsplit(url).query)))
        return exchange.decode_rest(url, status, text, received)[0]

    for poll in exchange.bootstrap():
        ask(poll.url)
    name = next(name for name, one in exchange.instruments.items() if one.symbol == "BTC")
    prices, sizes = (ask(poll.url) for poll in exchange.history(name))

    assert isinstance(prices, PriceHistory)
    assert isinstance(sizes, OpenInterestHistory)
    assert 90 <= len(prices.bars) <= BARS
    assert abs(len(prices.bars) - len(sizes.points)) <= 1
    assert all(bar.low <= bar.average <= bar.high for bar in prices.bars)
    (told,) = (one for one in exchange.instruments.values() if one.instrument == name)
    past = frames.pasts[told.symbol].bars(prices.interval_ms, len(prices.bars))
    for bar, then in zip(prices.bars, past, strict=True):
        assert bar.time == then.begin_ms
        assert bar.high == pytest.approx(then.high, rel=1e-5)
    time_ms, size = sizes.points[-1]
    assert START_MS - prices.interval_ms <= time_ms <= received // 1_000_000
    assert size == pytest.approx(past[-1].open_interest, rel=0.05)
