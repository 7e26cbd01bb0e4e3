import pytest

from liqwatch.alerts import Direction
from liqwatch.engine.calibration import Calibration, Learned, Step
from liqwatch.engine.clusters import Zone
from liqwatch.engine.map_ranges import Ranges
from liqwatch.engine.merged import Side, merge
from liqwatch.engine.positions import PositionBook
from liqwatch.engine.settings import EngineSettings, SymbolSettings
from liqwatch.engine.state import SymbolState
from liqwatch.engine.symbol import Symbol
from liqwatch.events import AccountPosition, Completeness, Position
from liqwatch.map_import import ImportedMap, MapLevel
from liqwatch.map_view import Range

PRICE, VENUE = 50_000.0, "bybit-linear"
KEY = f"{VENUE}|BTCUSDT"
WHERE = (1.05 * PRICE, 1.07 * PRICE)


def calibrated() -> Calibration:
    """A calibration on a venue where half of what price sweeps is liquidated, more or less."""
    calibration = Calibration(prior=(1.0,))
    for minute in range(200):
        calibration.update(
            Step(
                time_ms=minute * 60_000,
                swept_usd=(1e6,),
                forced_usd=5e5 + (-1) ** minute * 4e5,
                completeness=Completeness.FULL,
                whole=True,
                mark=100.0,
                last=100.0,
            )
        )
    assert calibration.scale().calibrated
    return calibration


def coin(*, known: bool) -> Symbol:
    """A coin with 10M of shorts at +6 %, as estimated."""
    state = SymbolState(name="BTC", number=0)
    state.price.price = PRICE
    settings = EngineSettings()
    book = PositionBook.begin(1_000.0, PRICE, settings.map.bucket_bp / 1e4)
    book.shorts.add(1.06 * PRICE, 10e6)
    state.map.books[KEY] = book
    if known:
        learned = {position: Learned(0.0, 0.0, calibrated()) for position in Position}
        state.map.learned[VENUE] = learned
    return Symbol(state, settings=settings, own=SymbolSettings(), venues={}, listings={})


def up(symbol: Symbol) -> Side:
    bucket = symbol.settings.map.bucket_bp / 1e4
    return merge(symbol.state.map, PRICE, bucket, scale=symbol.map.factor())[Direction.UP]


def of_all(symbol: Symbol) -> tuple[float, Range | None]:
    side = up(symbol)
    usd = side.notional_usd(*WHERE)
    return usd, Ranges(symbol).of(usd, side, *WHERE)


def test_while_amounts_are_relative_they_have_no_range() -> None:
    assert of_all(coin(known=False))[1] is None


def test_a_calibrated_estimate_is_as_uncertain_as_its_scale() -> None:
    symbol = coin(known=True)
    usd, known = of_all(symbol)
    scale = symbol.map.scale()

    assert scale is not None
    assert known is not None
    assert usd == pytest.approx(10e6 * scale.value, rel=1e-6)
    assert (known.low, known.high) == pytest.approx((10e6 * scale.low, 10e6 * scale.high), rel=1e-6)


@pytest.mark.parametrize("relative", [False, True])
def test_an_import_in_dollars_is_as_told_and_one_without_a_unit_shares_the_doubt(
    relative: bool,
) -> None:
    symbol = coin(known=True)
    at = 1.06 * PRICE
    symbol.map.take_import(
        ImportedMap(
            source="file",
            symbol="BTC",
            as_of_ms=1,
            venues=frozenset({VENUE}),
            levels=(MapLevel(at, at, 0.0, 8e6),),
            relative=relative,
        )
    )
    usd, known = of_all(symbol)

    assert known is not None
    assert (known.low == known.high == pytest.approx(usd)) is not relative
    assert known.low <= usd <= known.high


def test_what_is_published_is_no_more_uncertain_than_that() -> None:
    symbol = coin(known=True)
    symbol.map.positions.take(
        AccountPosition(
            venue=VENUE,
            instrument="BTCUSDT",
            symbol="BTC",
            account="a",
            position=Position.SHORT,
            size=1_000.0,
            entry_price=PRICE,
            liquidation_price=1.06 * PRICE,
            time=1,
            received=1_000_000,
        )
    )
    usd, known = of_all(symbol)

    assert known is not None
    assert known.low == known.high == pytest.approx(usd, rel=1e-6), "all of it is published"


def test_your_own_cluster_is_as_you_say_it() -> None:
    symbol = coin(known=True)
    yours = Zone("y", *WHERE, Position.SHORT, 14e9, "user", ("user",))
    ours = Zone("o", *WHERE, Position.SHORT, 14e9, "estimate", ("estimate",))

    assert Ranges(symbol).of_zone(yours, up(symbol)) is None
    assert Ranges(symbol).of_zone(ours, up(symbol)) is not None
