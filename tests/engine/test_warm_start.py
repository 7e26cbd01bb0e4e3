"""A map from the past is that of somebody who was there, as far as bars can tell."""

from collections.abc import Sequence
from itertools import pairwise
from math import exp
from random import Random

import pytest
import walked_market as walked
from msgspec.structs import replace

from liqwatch.engine.liquidation_map import Ladder, MapSettings
from liqwatch.engine.open_positions import OpenPositions
from liqwatch.engine.positions import PositionBook
from liqwatch.engine.price import Source
from liqwatch.engine.snapshot import EngineState, pack, unpack
from liqwatch.engine.state import SymbolState
from liqwatch.engine.warm_start import COLD_MS, GAP_MS, OLD_MS, told_history
from liqwatch.events import (
    Connect,
    OpenInterest,
    OpenInterestHistory,
    Position,
    PriceBar,
    PriceHistory,
    Side,
    Tick,
)

VENUE, NAME = "bybit-linear", "BTCUSDT"
KEY = f"{VENUE}|{NAME}"
MINUTE_MS = 60_000
T0 = 1_791_565_200_000
PAST, BAR = 600, 5  # minutes
Market = Sequence[tuple[float, float]]


def market(minutes: int = PAST + 60, seed: int = 3) -> Market:
    """Price and open interest, minute by minute."""
    rng, x, size = Random(seed), 0.0, 10_000.0
    told = []
    for _ in range(minutes):
        x += rng.gauss(0, 6e-4)
        size *= 1 + rng.gauss(3e-4, 1e-3)
        told.append((50_000 * exp(x), size))
    return told


class Follower:
    """The books of one coin, told a market a minute at a time."""

    def __init__(self) -> None:
        self.state = SymbolState(name="BTC", number=0)
        self.state.sources[KEY] = Source(venue=VENUE)
        self.positions = OpenPositions(self.state, MapSettings(), {})
        self.minute = 0

    def follow(self, told: Market, minutes: range) -> "Follower":
        for minute in minutes:
            self.minute = minute
            price, size = told[minute]
            self.state.price.price = price
            self.state.sources[KEY].print(self.now_ms, price, 1.0, Side.BUY)
            self.positions.tell(KEY, size)
            self.positions.close_second(self.now_ms, minute_ends=True)
        return self

    @property
    def now_ms(self) -> int:
        return T0 + self.minute * MINUTE_MS

    @property
    def book(self) -> PositionBook:
        return self.state.map.books[KEY]


def past(told: Market, minutes: range, bar: int = BAR) -> tuple[PriceHistory, OpenInterestHistory]:
    """What the venue then tells of these minutes."""
    ends = range(minutes.start, minutes.stop, bar)
    bars, points = [], [(T0 + minutes.start * MINUTE_MS, told[minutes.start][1])]
    for begin, end in pairwise(ends):
        prices = [price for price, _ in told[begin + 1 : end + 1]]
        average = sum(prices) / len(prices)
        bars.append(PriceBar(T0 + begin * MINUTE_MS, min(prices), max(prices), average))
        points.append((T0 + end * MINUTE_MS, told[end][1]))
    first = PriceBar(bars[0].time - bar * MINUTE_MS, *[told[minutes.start][0]] * 3)
    now_ms = T0 + minutes[-1] * MINUTE_MS
    about = (VENUE, "BTC", NAME, now_ms, now_ms * 1_000_000)
    return (
        PriceHistory(*about, bar * MINUTE_MS, (first, *bars)),
        OpenInterestHistory(*about, "coin", tuple(points)),
    )


def unlike(one: PositionBook, other: PositionBook) -> float:
    """The share of mass that lies elsewhere, in buckets of half a percent."""
    differ = total = 0.0
    for position in Position:
        a, b = (coarse(book.side(position)) for book in (one, other))
        differ += sum(abs(a.get(key, 0.0) - b.get(key, 0.0)) for key in a.keys() | b.keys()) / 2
        total += (sum(a.values()) + sum(b.values())) / 2
    return differ / total


def coarse(ladder: Ladder) -> dict[int, float]:
    sums: dict[int, float] = {}
    for key, usd in ladder.items().items():
        sums[key // 5] = sums.get(key // 5, 0.0) + usd
    return sums


def total(book: PositionBook) -> float:
    return sum(ladder.total() for ladder in book.ladders)


def test_history_of_minutes_is_as_good_as_having_been_there() -> None:
    told = market()
    always = Follower().follow(told, range(PAST + 60))
    late = Follower().follow(told, range(PAST, PAST + 1))
    assert late.positions.take_past(*past(told, range(PAST + 1), bar=1)) == 0
    late.follow(told, range(PAST + 1, PAST + 60))

    assert unlike(late.book, always.book) < 0.01
    assert late.book.open_size == always.book.open_size
    assert late.book.swept_usd != always.book.swept_usd  # nobody saw what the past liquidated


def test_longer_bars_tell_most_of_it() -> None:
    told = market()
    always = Follower().follow(told, range(PAST + 60))
    never = Follower().follow(told, range(PAST, PAST + 60))
    late = Follower().follow(told, range(PAST, PAST + 1))
    late.positions.take_past(*past(told, range(PAST + 1)))
    late.follow(told, range(PAST + 1, PAST + 60))

    assert unlike(late.book, always.book) < 0.25
    assert unlike(never.book, always.book) > 0.5


@pytest.mark.parametrize("minutes", [1, 4, 14])
def test_history_that_comes_late_doubles_nothing(minutes: int) -> None:
    told = market()
    seen = range(PAST + minutes)
    always = Follower().follow(told, seen)
    late = Follower().follow(told, range(PAST, PAST + minutes))
    late.positions.take_past(*past(told, seen, bar=1))

    assert total(late.book) == pytest.approx(total(always.book), rel=0.01)
    assert late.book.open_size == always.book.open_size
    assert late.book.sampled_ms == late.now_ms


def test_after_a_gap_history_fills_it() -> None:
    told = market()
    always = Follower().follow(told, range(PAST))
    back = Follower().follow(told, range(300)).follow(told, range(500, 501))
    assert list(back.state.map.cold) == [KEY]
    back.positions.take_past(*past(told, range(501), bar=1))
    back.follow(told, range(501, PAST))

    assert unlike(back.book, always.book) < 0.02
    recalled = back.state.map.recalled[KEY]
    assert recalled.since_ms == T0 + 299 * MINUTE_MS
    assert recalled.until_ms == T0 + 500 * MINUTE_MS


def test_a_short_gap_needs_no_history() -> None:
    told = market()
    coin = Follower().follow(told, range(30)).follow(told, range(30 + GAP_MS // MINUTE_MS - 1, 50))

    assert not coin.state.map.cold


def test_a_book_waits_for_its_past_a_while_and_then_knows_better() -> None:
    told = market()
    waited = range(PAST - COLD_MS // MINUTE_MS - 2, PAST)
    coin = Follower().follow(told, waited)
    live = coin.book

    assert not coin.state.map.cold
    assert coin.positions.take_past(*past(told, range(PAST))) == 0
    assert coin.book is live


def test_usd_of_inverse_contracts_are_coins_at_the_price_of_their_time() -> None:
    told = market()
    prices, coins = past(told, range(PAST + 1), bar=1)
    closes = {bar.time + MINUTE_MS: bar.average for bar in prices.bars}
    usd = replace(
        coins, unit="usd", points=tuple((at, size * closes[at]) for at, size in coins.points)
    )
    books = []
    for history in (coins, usd):
        coin = Follower().follow(told, range(PAST, PAST + 1))
        coin.positions.take_past(prices, history)
        books.append(coin.book)

    assert unlike(*books) < 1e-6


def test_a_point_that_jumps_is_held_until_another_agrees() -> None:
    told = market()
    prices, history = past(told, range(PAST + 1))
    points = list(history.points)
    points[50] = (points[50][0], 2 * points[50][1])
    sound, jumped = (Follower().follow(told, range(PAST, PAST + 1)) for _ in range(2))
    sound.positions.take_past(prices, history)

    assert jumped.positions.take_past(prices, replace(history, points=tuple(points))) == 1
    assert unlike(jumped.book, sound.book) < 0.02


@pytest.mark.parametrize(
    ("size", "price", "shift"),
    [(2.0, 1.0, 0), (0.5, 1.0, 0), (1.0, 1000.0, 0), (1.0, 1.0, 10**9)],
    ids=["doubled", "halved", "another unit of price", "no prices of that time"],
)
def test_a_past_that_does_not_fit_the_present_is_refused_whole(
    size: float, price: float, shift: int
) -> None:
    told = market()
    prices, history = past(told, range(PAST + 1))
    prices = replace(
        prices,
        bars=tuple(
            PriceBar(bar.time + shift, bar.low * price, bar.high * price, bar.average * price)
            for bar in prices.bars
        ),
    )
    history = replace(history, points=tuple((at, size * told) for at, told in history.points))
    coin = Follower().follow(told, range(PAST, PAST + 1))
    live = coin.book

    assert coin.positions.take_past(prices, history) == len(history.points)
    assert coin.book is live
    assert not coin.state.map.recalled
    assert not coin.state.map.cold  # asked once; it will not fit any better


def test_an_empty_past_is_no_past() -> None:
    told = market()
    prices, history = past(told, range(PAST + 1))
    coin = Follower().follow(told, range(PAST, PAST + 1))
    live = coin.book

    assert coin.positions.take_past(replace(prices, bars=()), replace(history, points=())) == 0
    assert coin.book is live


def test_what_opened_in_a_hole_entered_nobody_knows_where() -> None:
    told = market()
    prices, history = past(told, range(PAST + 1))
    rising = tuple((at, 10_000.0 + 10 * n) for n, (at, _) in enumerate(history.points))
    holed = (*rising[:40], *rising[80:])
    whole, lacking = (Follower().follow(told, range(PAST, PAST + 1)) for _ in range(2))
    for coin, points in ((whole, rising), (lacking, holed)):
        coin.state.map.books[KEY].open_size = rising[-1][1]
        coin.positions.take_past(prices, replace(history, points=points))

    assert lacking.book.open_size == whole.book.open_size
    assert total(lacking.book) < 0.8 * total(whole.book)


def test_points_of_the_future_are_left_out() -> None:
    told = market()
    prices, history = past(told, range(PAST + 1))
    mad = replace(history, points=(*history.points, (10**13, history.points[-1][1])))
    sound, other = (Follower().follow(told, range(PAST, PAST + 1)) for _ in range(2))
    sound.positions.take_past(prices, history)

    assert other.positions.take_past(prices, mad) == 1
    assert unlike(other.book, sound.book) == 0


def test_what_waits_for_its_past_outlives_a_restart() -> None:
    told = market()
    coin = Follower().follow(told, range(300)).follow(told, range(500, 501))
    state = EngineState(symbols={"BTC": coin.state}, past_prices={VENUE: past(told, range(9))[0]})

    assert unpack(pack(state)) == state


def test_a_map_says_how_much_of_it_is_history_until_it_is_old() -> None:
    told = market()
    coin = Follower().follow(told, range(PAST, PAST + 1))
    assert told_history(coin.state.map.books, coin.state.map.recalled, coin.now_ms) is None
    coin.positions.take_past(*past(told, range(PAST + 1)))
    other = f"okx-swap|{NAME}"
    coin.state.map.books[other] = replace(coin.book, open_size=3 * coin.book.open_size)
    books, recalled = coin.state.map.books, coin.state.map.recalled
    seen = told_history(books, recalled, coin.now_ms + 2 * 3_600_000)

    assert seen is not None
    assert (seen.hours, seen.live_hours, seen.share) == (10.0, 2.0, 0.25)
    assert told_history(books, recalled, coin.now_ms + OLD_MS) is None


def test_what_lacks_its_past_is_named_the_largest_first_until_it_is_told() -> None:
    engine, now_ms = walked.engine(), walked.T0
    engine.update(Connect(VENUE, now_ms, now_ms * 1_000_000, "s/1"))
    for second in range(10):
        now_ms = walked.T0 + second * 1000
        for coin, usd in (("ETH", 1e8), ("BTC", 1e9), ("SOL", 1e7)):
            about = (VENUE, coin, f"{coin}USDT", now_ms, now_ms * 1_000_000)
            print_ = replace(walked.trade(now_ms, 100.0), symbol=coin, instrument=about[2])
            engine.update(print_)
            engine.update(OpenInterest(*about, usd / 100.0))
        engine.update(Tick(time=now_ms + 900))
    assert engine.cold(VENUE) == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    assert engine.cold("okx-swap") == []

    about = (VENUE, "BTC", NAME, now_ms, now_ms * 1_000_000)
    hours = [now_ms - 3_600_000 * ago for ago in range(9, -1, -1)]
    bars = tuple(PriceBar(time_ms, 99.0, 101.0, 100.0) for time_ms in hours)
    points = tuple((time_ms, 1e7 - 1e5 * n) for n, time_ms in enumerate(reversed(hours)))
    engine.update(OpenInterestHistory(*about, "coin", points[::-1]))  # without prices: of no use
    assert "BTCUSDT" in engine.cold(VENUE)
    engine.update(PriceHistory(*about, 3_600_000, bars))
    engine.update(OpenInterestHistory(*about, "coin", points[::-1]))

    assert engine.cold(VENUE) == ["ETHUSDT", "SOLUSDT"]
    assert total(engine.state.symbols["BTC"].map.books[KEY]) > 0
    assert engine.state.past_prices == {}
