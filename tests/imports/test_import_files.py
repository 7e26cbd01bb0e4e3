import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from liqwatch.imports import FileImport
from liqwatch.imports.errors import Refused
from liqwatch.imports.files import read_map
from liqwatch.imports.settings import Scale
from liqwatch.imports.tables import MAX_BYTES
from liqwatch.map_import import MOST_LEVELS, ImportedMap, MapLevel

CHANGED_MS = 1_791_565_600_000
BTC = FileImport(file=Path("levels.csv"), symbol="BTC", covers=("binance-usdm", "okx-swap"))

WINDOWS = """\
low,high,long_usd,short_usd
60000,61000,4.12e7,0
61000,62000,5000000,0
83000,84000,0,0
84000,84105.5,0,41200000
"""
# The object of the map contract, shortened; its clusters and score say nothing to us.
DOCUMENT = """\
{"symbol":"BTC","time":1791565600000,"price":71450.0,"scale":"relative",
 "bucket_bp":12.5,
 "buckets":[
  {"low":61000.0,"high":61076.0,"long_usd":2.5e6,"short_usd":0.0,"observed_share":0.04},
  {"low":84000.0,"high":84105.0,"long_usd":0.0,"short_usd":41200000.0,"observed_share":null}],
 "clusters":[{"id":"BTC-short-7","low":89900.0}],"score":null}
"""


def read(text: str, wanted: FileImport = BTC) -> ImportedMap:
    return read_map(text.encode(), wanted, changed_ms=CHANGED_MS)


def refusal(text: str | bytes, wanted: FileImport = BTC) -> str:
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(Refused) as caught:
        read_map(content, wanted, changed_ms=CHANGED_MS)
    return caught.value.reason


def test_windows_of_longs_and_shorts_become_levels_and_empty_ones_are_left_out() -> None:
    assert read(WINDOWS) == ImportedMap(
        source="levels.csv",
        symbol="BTC",
        as_of_ms=CHANGED_MS,
        venues=frozenset({"binance-usdm", "okx-swap"}),
        levels=(
            MapLevel(60000, 61000, 4.12e7, 0),
            MapLevel(61000, 62000, 5e6, 0),
            MapLevel(84000, 84105.5, 0, 4.12e7),
        ),
        relative=False,
    )


def test_prices_with_notional_and_position_become_levels_of_one_price() -> None:
    read_levels = read("position, price ,notional\nlong,60000,5\nlong,84000,0\nshort,84000,7\n")

    assert read_levels.levels == (MapLevel(60000, 60000, 5, 0), MapLevel(84000, 84000, 0, 7))


def test_the_object_of_the_map_command_is_read_with_its_own_time_and_scale() -> None:
    found = read(DOCUMENT)

    assert (found.as_of_ms, found.relative) == (1_791_565_600_000, True)
    assert found.levels == (MapLevel(61000, 61076, 2.5e6, 0), MapLevel(84000, 84105, 0, 4.12e7))


def test_json_may_be_a_list_of_rows() -> None:
    rows = '[{"price": 60000, "long_usd": 1, "short_usd": 0}]'

    assert read(rows).levels == (MapLevel(60000, 60000, 1, 0),)


def test_a_file_of_several_coins_gives_each_its_own() -> None:
    several = "symbol,price,long_usd,short_usd\nETH,2000,1,0\nBTC,60000,2,0\nETH,1900,x,0\n"

    assert read(several).levels == (MapLevel(60000, 60000, 2, 0),)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    content = b"\xef\xbb\xbf" + WINDOWS.replace("\n", "\r\n").encode()

    assert read_map(content, BTC, changed_ms=CHANGED_MS) == read(WINDOWS)


def test_the_scale_of_the_settings_holds_where_the_file_says_none() -> None:
    relative = msgspec.structs.replace(BTC, scale=Scale.RELATIVE)

    assert read(WINDOWS, relative).relative
    assert not read(DOCUMENT.replace('"relative"', '"usd"'), relative).relative


@pytest.mark.parametrize(
    "said", ["1791560000000", "2026-10-09T14:13:20+00:00", "2026-10-09T14:13:20"]
)
def test_as_of_is_ms_or_iso_8601_in_utc(said: str) -> None:
    one = read(f"price,long_usd,short_usd,as_of\n60000,1,0,{said}\n61000,1,0,{said}\n")

    assert one.as_of_ms == (1_791_560_000_000 if said.isdecimal() else 1_791_555_200_000)


ROW = "low,high,long_usd,short_usd\n60000,61000,1,0\n"
NOT_PLAIN = ", not a plain number such as 41200000"
SIDES = "price,notional,position\n"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "no row is of BTC"),
        ("low,high,long_usd,short_usd\n", 1, "no row is of BTC"),
        (
            "price,long_usdd,short_usd\n1,2,3\n",
            1,
            '"long_usdd" is no column of a map; did you mean long_usd?',
        ),
        (
            "low,long_usd,short_usd\n1,2,3\n",
            1,
            "the prices must be given as either low and high, or price",
        ),
        (
            "low,high,price,long_usd,short_usd\n1,2,1,2,3\n",
            1,
            "the prices must be given as either low and high, or price",
        ),
        (
            "price,long_usd\n1,2\n",
            1,
            "the amounts must be given as either long_usd and short_usd, or notional and position",
        ),
        ("price,long_usd,long_usd\n1,2,3\n", 1, "two columns have the same name"),
        (
            "low;high;long_usd;short_usd\n1;2;3;4\n",
            1,
            '"low;high;long_usd;short_usd" is no column of a map',
        ),
        (ROW + "62000,63000,1\n", 3, "3 values under 4 columns"),
        (ROW + '62000,"63\n000,1,1\n', 4, "not CSV: unexpected end of data"),
        (ROW + "62000,63000,-5,0\n", 3, "long_usd is negative"),
        (ROW + "62000,63000,nan,0\n", 3, 'long_usd is "nan"' + NOT_PLAIN),
        (ROW + "62000,63000,12%,0\n", 3, 'long_usd is "12%"' + NOT_PLAIN),
        (ROW + "62000,63000,$5M,0\n", 3, 'long_usd is "$5M"' + NOT_PLAIN),
        (ROW + "62000,63000,1_000,0\n", 3, 'long_usd is "1_000"' + NOT_PLAIN),
        (ROW + "62000,63000,,0\n", 3, "long_usd is empty" + NOT_PLAIN),
        (ROW + "62000,63000,1e16,0\n", 3, "long_usd is absurdly large"),
        (ROW + "0,63000,1,0\n", 3, "low is 0, and no price"),
        (ROW + "63000,62000,1,0\n", 3, "high (62000) is below low (63000)"),
        (ROW + "62000,630000,1,0\n", 3, "high (630000) is too far from low (62000)"),
        (ROW + "59000,59500,1,0\n", 3, "rows must be sorted by price, the lowest first"),
        (ROW + "60500,61500,1,0\n", 3, "the prices overlap those of line 2"),
        (ROW + "60000,60500,1,0\n", 3, "the prices overlap those of line 2"),
        (ROW + "60000,61000,1,0\n", 3, "the prices of line 2 again"),
        (SIDES + "60000,1,long\n60000,1,long\n", 3, "the prices of line 2 again"),
        (SIDES + "60000,1,long\n60000,1,short\n60000,1,long\n", 4, "the prices of line 3 again"),
        (SIDES + "60000,1,buy\n", 2, 'position is "buy", not long or short'),
        (
            SIDES + "60000,1,short\n84000,1,long\n",
            3,
            "longs above shorts: no price is between; are the sides swapped?",
        ),
        (
            "price,long_usd,short_usd\n1,0,0\n2,0,0\n",
            3,
            "nowhere is there anything to be liquidated",
        ),
        ("symbol,price,long_usd,short_usd\nBTCUSDT,1,0,0\n", 1, "no row is of BTC, but of BTCUSDT"),
        (
            "price,long_usd,short_usd,as_of\n1,1,0,1791560000\n",
            2,
            'as_of is "1791560000", not ms since 1970 or ISO 8601',
        ),
        (
            "price,long_usd,short_usd,as_of\n1,1,0,today\n",
            2,
            'as_of is "today", not ms since 1970 or ISO 8601',
        ),
        ("price,long_usd,short_usd,as_of\n1,1,0,2027-01-01\n", 2, "as_of is later than the file"),
        (
            "price,long_usd,short_usd,as_of\n1,1,0,2026-01-01\n2,1,0,2026-01-02\n",
            3,
            "as_of is not that of line 2: a map is of one moment",
        ),
        (DOCUMENT.replace("BTC", "ETH", 1), 1, "no row is of BTC, but of ETH"),
        (DOCUMENT.replace("2.5e6", '"2.5e6 USD"'), 4, 'long_usd is "2.5e6 USD"' + NOT_PLAIN),
        (DOCUMENT.replace("2.5e6", "null"), 4, "long_usd is empty" + NOT_PLAIN),
        (DOCUMENT.replace("2.5e6", "true"), 4, 'long_usd is "True"' + NOT_PLAIN),
        (DOCUMENT.replace("2.5e6", "NaN"), 4, "not JSON: JSON is malformed: invalid character"),
        (
            DOCUMENT.replace("71450.0", "60000.0"),
            4,
            "longs above the price (60000); are the sides swapped?",
        ),
        (
            DOCUMENT.replace("71450.0", "90000.0"),
            5,
            "shorts below the price (90000); are the sides swapped?",
        ),
        (
            DOCUMENT.replace("relative", "euro"),
            1,
            "not a map: Invalid enum value 'euro' - at `$.scale`",
        ),
        (
            DOCUMENT.replace("buckets", "rows"),
            1,
            "not a map: Object missing required field `buckets`",
        ),
        (DOCUMENT[:-60], 6, "not JSON: Input data was truncated"),
        ("[\n1]", 2, "a row must be an object"),
        (b"price,long_usd,short_usd\n1,\xff,0\n", 2, "not UTF-8 text"),
        (b"x" * (MAX_BYTES + 1), 1, "the file is larger than 4 MiB"),
    ],
)
def test_a_bad_file_is_one_line_with_its_place(text: str | bytes, line: int, reason: str) -> None:
    assert refusal(text) == f"levels.csv:{line}: {reason}"


def test_a_file_of_too_many_rows_is_refused() -> None:
    rows = "".join(f"{1000 + number},1,0\n" for number in range(MOST_LEVELS + 1))

    assert refusal("price,long_usd,short_usd\n" + rows) == (
        f"levels.csv:{MOST_LEVELS + 2}: more than 20,000 rows"
    )


def test_edges_that_were_rounded_twice_are_no_overlap() -> None:
    rounded = WINDOWS.replace("61000,62000", "60999.999999,62000")

    assert len(read(rounded).levels) == 3


def test_a_map_of_no_venue_is_no_setting() -> None:
    with pytest.raises(ValueError, match="covers must name the venues"):
        FileImport(file=Path("x"), symbol="BTC", covers=())


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@example(b"[" * 100_000)
@example(b'[{"price": 1' + b"0" * 400 + b', "long_usd": 1, "short_usd": 0}]')
@example(b'{"buckets": [], "as_of": "0001-01-01T00:00:00+14:00"}')
def test_whatever_a_file_holds_it_is_a_map_or_refused_in_one_line(content: bytes) -> None:
    reason = ""
    try:
        read_map(content, BTC, changed_ms=CHANGED_MS)
    except Refused as refused:
        reason = refused.reason

    assert not reason or re.match(r"levels\.csv:\d+: .", reason)
    assert "\n" not in reason


@st.composite
def ladders(draw: st.DrawFn) -> list[dict[str, Any]]:
    edges = sorted(draw(st.sets(st.integers(50_000, 90_000), min_size=4, max_size=20)))
    usd = st.floats(1, 1e9)
    half = len(edges) // 2
    return [
        {
            "low": low,
            "high": high,
            "long_usd": draw(usd) if at < half else 0.0,
            "short_usd": 0.0 if at < half else draw(usd),
        }
        for at, (low, high) in enumerate(pairwise(edges))
    ]


@given(ladders())
def test_csv_and_json_of_the_same_ladder_are_the_same_map(rows: list[dict[str, Any]]) -> None:
    lines = [",".join(str(value) for value in row.values()) for row in rows]
    as_csv = "\n".join([",".join(rows[0]), *lines])

    assert read(as_csv) == read(msgspec.json.encode(rows).decode())
    assert read(as_csv).levels == tuple(MapLevel(**row) for row in rows)
