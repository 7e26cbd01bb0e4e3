import pytest
from msgspec.structs import replace
from sample_map import small_map  # noqa: F401 - fixtures

from liqwatch.alerting.map_text import ladder
from liqwatch.map_view import MapHistory, MapShown, Range


def lines(shown: MapShown, width: int = 80) -> list[str]:
    return ladder(shown, width).plain.split("\n")


def rung(shown: MapShown, price: str) -> str:
    (line,) = [line for line in lines(shown) if line.lstrip().startswith(f"{price} ")]
    return line


def test_prices_fall_from_line_to_line_around_the_price_of_now(shown: MapShown) -> None:
    said = lines(shown)
    first = said.index(next(line for line in said if "to price" in line)) + 1
    last = said.index(next(line for line in said if "longs: forced" in line))
    prices = [float(line.split()[0].replace(",", "")) for line in said[first:last]]

    assert prices == sorted(prices, reverse=True)
    assert 70_000.0 in prices
    assert said[first + prices.index(70_000.0)].endswith("─")


def test_each_rung_tells_distance_amount_and_what_adds_up_to_it(shown: MapShown) -> None:
    assert rung(shown, "72,500").split()[1:4] == ["+3.6%", "$10M", "$10M"]
    assert rung(shown, "75,500").split()[1:4] == ["+7.9%", "$30M", "$40M"]
    assert rung(shown, "68,000").split()[1:4] == ["−2.9%", "$4.0M", "$4.0M"]
    assert rung(shown, "73,000").split()[1:4] == ["+4.3%", "·", "$10M"], "nothing is no amount"


def test_longs_and_shorts_differ_without_colour(shown: MapShown) -> None:
    assert "█" in rung(shown, "75,500")
    assert "▒" in rung(shown, "68,000")


def test_clusters_and_watched_levels_are_marked_where_they_lie(shown: MapShown) -> None:
    assert rung(shown, "75,500").endswith("S1")
    assert rung(shown, "68,000").endswith("L1")
    assert rung(shown, "71,500").endswith("your level")


def test_the_table_tells_running_total_criticality_and_source(shown: MapShown) -> None:
    (short,) = [line for line in lines(shown, 100) if line.startswith("S1")]
    (long,) = [line for line in lines(shown, 100) if line.startswith("L1")]

    assert " ".join(short.split()) == "S1 75,000–75,100 +7.1% $30M $40M $480–620M 1.3 estimate"
    assert " ".join(long.split()).endswith("$4.0M $4.0M ? ? estimate, published positions 50%")


def test_once_calibrated_amounts_are_ranges(shown: MapShown) -> None:
    long, short = shown.map.clusters
    short = replace(short, notional_range_usd=Range(24e6, 41e6))
    known = replace(shown, map=replace(shown.map, scale="usd", clusters=(long, short)))

    assert "$24–41M" in next(line for line in lines(known, 100) if line.startswith("S1"))
    assert "ranges hold their scale" in " ".join(lines(known))


def test_a_map_from_the_venues_records_says_so(shown: MapShown) -> None:
    history = MapHistory(hours=24.0, live_hours=0.4, share=0.8)
    said = " ".join(lines(replace(shown, map=replace(shown.map, history=history))))

    assert "Warm-started from 24 h of the venues' history (80% of open interest)" in said
    assert "Warm-started" not in " ".join(lines(shown))


@pytest.mark.parametrize("width", [40, 62, 80, 200])
def test_no_line_is_wider_than_the_terminal(shown: MapShown, width: int) -> None:
    assert max(map(len, lines(shown, width))) <= width


def test_that_amounts_are_relative_is_said_once(shown: MapShown) -> None:
    assert " ".join(lines(shown)).count("relative until calibrated") == 1
    assert "relative" not in " ".join(lines(replace(shown, map=replace(shown.map, scale="usd"))))


def test_an_empty_map_is_still_a_ladder(shown: MapShown) -> None:
    said = lines(MapShown(replace(shown.map, buckets=(), clusters=(), venues={})))

    assert "No cluster stands out." in said
    assert "Nothing is known yet." in said
