from itertools import pairwise
from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwatch.alerts import Direction
from liqwatch.engine.map_layers import Layer
from liqwatch.engine.merged import Side, merge, venue_weights
from liqwatch.engine.observed import Observed
from liqwatch.engine.positions import PositionBook
from liqwatch.engine.state import MapState
from liqwatch.events import AccountPosition, Position
from liqwatch.map_import import ImportedMap, MapLevel

LONG, SHORT = Position.LONG, Position.SHORT
BUCKET, PRICE = 0.001, 100.0
AT = 110.0  # where the shorts of these tests lie


def book(size: float, short_usd: float = 0.0, long_usd: float = 0.0) -> PositionBook:
    one = PositionBook.begin(size, PRICE, BUCKET)
    one.shorts.add(AT, short_usd)
    one.longs.add(90.0, long_usd)
    return one


def state(**books: PositionBook) -> MapState:
    return MapState(books={f"{venue}|BTCUSDT": one for venue, one in books.items()})


def short_usd(of: MapState, low: float = 109.0, high: float = 111.0) -> float:
    return merge(of, PRICE, BUCKET)[Direction.UP].notional_usd(low, high)


def account(name: str, size: float, price: float | None = AT) -> AccountPosition:
    return AccountPosition("hl", "BTC", "BTCUSDT", 1, 1, name, SHORT, size, PRICE, price, 10.0)


def watch(of: MapState, *events: AccountPosition) -> MapState:
    known = of.observed["hl|BTCUSDT"] = Observed(published=True)
    for event in events:
        known.take(event, PRICE, of.books["hl|BTCUSDT"].terms)
    return of


def lay(of: MapState, short_usd: float, *venues: str, relative: bool = False) -> MapState:
    levels = (MapLevel(105.0, 105.0, 0.0, short_usd),)
    imported = ImportedMap(
        source="file",
        symbol="BTC",
        as_of_ms=1,
        venues=frozenset(venues),
        levels=levels,
        relative=relative,
    )
    of.layers["file"] = Layer.of(imported, BUCKET)
    return of


def test_venues_add_up() -> None:
    assert short_usd(state(a=book(50, 3e6), b=book(50, 4e6))) == pytest.approx(7e6)


def test_each_side_is_read_away_from_the_price() -> None:
    one = state(a=book(50, 3e6, 2e6))
    sides = merge(one, PRICE, BUCKET)

    assert sides[Direction.DOWN].notional_usd(80, 200) == pytest.approx(2e6)
    assert sides[Direction.UP].notional_usd(80, 200) == pytest.approx(3e6)
    assert merge(one, 120.0, BUCKET)[Direction.UP].notional_usd(80, 200) == 0


def test_a_venue_weighs_what_is_open_there_but_never_more_than_the_most_that_is_believed() -> None:
    weights = venue_weights(state(a=book(80), b=book(15), c=book(5)))

    assert weights == pytest.approx({"a": 0.6, "b": 0.15, "c": 0.05})
    assert venue_weights(state(a=book(80))) == {"a": 1.0}
    assert short_usd(state(a=book(80, 8e6), b=book(20, 2e6))) == pytest.approx(6e6 + 2e6)


def test_known_positions_take_the_place_of_as_much_of_the_estimate() -> None:
    one = watch(state(hl=book(100_000, 8e6)), account("x", 25_000, AT), account("y", 25_000, None))
    side = merge(one, PRICE, BUCKET)[Direction.UP]

    assert side.notional_usd(109, 111) == pytest.approx(4e6 + 25_000 * AT)
    shares = side.shares(109, 111)
    assert shares["observed"] == pytest.approx(25_000 * AT / (4e6 + 25_000 * AT))
    assert set(shares) == {"estimate", "observed"}
    (bucket,) = side.buckets()
    assert bucket.low <= AT <= bucket.high
    assert bucket.observed_share == pytest.approx(shares["observed"])


def test_no_more_is_known_than_is_open() -> None:
    one = watch(state(hl=book(100, 8e6)), account("x", 150, AT), account("y", 50, AT))

    assert short_usd(one) == pytest.approx(100 * AT)


def test_an_import_replaces_the_venues_it_covers_and_no_other() -> None:
    one = lay(state(a=book(50, 3e6), b=book(50, 4e6)), 9e6, "a", "elsewhere")

    assert short_usd(one) == pytest.approx(4e6)
    assert short_usd(one, 104, 106) == pytest.approx(9e6)
    shares = merge(one, PRICE, BUCKET)[Direction.UP].shares(104, 106)
    assert shares == {"imported": pytest.approx(1.0)}


def test_an_import_without_a_unit_is_held_against_our_estimate_of_its_venues() -> None:
    one = state(a=book(50, 3e6), b=book(50, 4e6))
    one.books["a|BTCUSDT"].shorts.add(104.0, 1e6)

    assert short_usd(lay(one, 77.0, "a", relative=True), 104.5, 106) == pytest.approx(4e6)


def test_an_import_without_a_unit_and_with_nothing_to_hold_it_against_is_as_it_is() -> None:
    assert short_usd(lay(state(), 77.0, "a", relative=True), 104, 106) == pytest.approx(77.0)


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=50), st.floats(-5, 60), st.floats(-5, 60))
def test_sums_between_prices_are_those_of_the_buckets(
    usd: list[float], one: float, other: float
) -> None:
    side = Side(BUCKET, 0, {"estimate": usd})
    low, high = sorted((one, other))
    expected = sum(
        mass * max(0.0, min(high, end) - max(low, begin))
        for mass, (begin, end) in zip(usd, pairwise(range(len(usd) + 1)), strict=True)
    )

    got = side.notional_usd(exp(low * BUCKET), exp(high * BUCKET))
    assert got == pytest.approx(expected, rel=1e-6, abs=1.0)


def test_the_map_reaches_from_30_pct_below_to_40_pct_above() -> None:
    one = state(a=book(50))
    one.books["a|BTCUSDT"].shorts.add(139.0, 1e6)
    one.books["a|BTCUSDT"].longs.add(71.0, 1e6)
    sides = merge(one, PRICE, BUCKET)

    assert sides[Direction.UP].notional_usd(100, 140) == pytest.approx(1e6)
    assert sides[Direction.DOWN].notional_usd(70, 100) == pytest.approx(1e6)
    assert list(sides[Direction.UP].by_key(0, 10**6)) == [int(log(139.0) / BUCKET)]
