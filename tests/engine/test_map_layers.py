from math import exp

import pytest

from liqwatch.engine.map_layers import Layer, in_force
from liqwatch.events import Position
from liqwatch.map_import import ImportedMap, MapLevel

LONG, SHORT = Position.LONG, Position.SHORT
BUCKET = 0.001


def imported(*levels: MapLevel, source: str = "file", as_of_ms: int = 1, **other) -> ImportedMap:  # type: ignore[no-untyped-def]  # fields of the struct
    venues = frozenset(other.pop("venues", ("binance-usdm",)))
    return ImportedMap(
        source=source, symbol="BTC", as_of_ms=as_of_ms, venues=venues, levels=levels, **other
    )


def test_a_level_is_shared_out_over_its_buckets_and_nothing_is_lost() -> None:
    layer = Layer.of(imported(MapLevel(exp(0.0105), exp(0.0135), 0, 30.0)), BUCKET)

    assert layer.usd[SHORT] == pytest.approx({10: 5.0, 11: 10.0, 12: 10.0, 13: 5.0})
    assert layer.usd[LONG] == {}


def test_a_level_at_one_price_is_in_its_bucket() -> None:
    layer = Layer.of(imported(MapLevel(1.0, 1.0, 7.0, 0)), BUCKET)

    assert layer.usd[LONG] == {0: 7.0}


def test_what_price_has_reached_since_is_gone_for_good() -> None:
    layer = Layer.of(
        imported(
            MapLevel(0.95, 0.95, 5.0, 0),
            MapLevel(1.02, 1.02, 0, 2.0),
            MapLevel(1.05, 1.05, 0, 3.0),
        ),
        BUCKET,
    )
    for price in (1.0, 1.03, 1.0):
        layer.pass_price(price)

    assert list(layer.left(SHORT).values()) == [3.0]
    assert list(layer.left(LONG).values()) == [5.0]
    layer.pass_price(0.94)
    assert layer.left(LONG) == {}


def test_no_venue_is_told_by_two_layers_and_the_newest_tells() -> None:
    level = MapLevel(1, 1, 1, 1)
    layers = {
        source: Layer.of(imported(level, source=source, as_of_ms=at, venues=venues), BUCKET)
        for source, at, venues in (
            ("old", 1, ("a", "b")),
            ("new", 2, ("b", "c")),
            ("other", 1, ("d",)),
        )
    }

    assert [layer.source for layer in in_force(layers)] == ["new", "other"]
