"""A file with somebody's map, CSV or JSON: every row is checked, and one bad row refuses the file.

Columns are `low` and `high`, or `price`; and `long_usd` and `short_usd`, or `notional` and
`position`; and, if wanted, `symbol` and `as_of` (ms since 1970, or ISO 8601).
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from difflib import get_close_matches
from math import inf
from typing import NamedTuple

from liqwatch.events import Position
from liqwatch.imports.errors import BadRow, Refused
from liqwatch.imports.settings import FileImport, Scale
from liqwatch.imports.tables import Row, Table, read_table
from liqwatch.map_import import WIDEST, ImportedMap, MapLevel

_PRICES = (("low", "high"), ("price",))
_AMOUNTS = (("long_usd", "short_usd"), ("notional", "position"))
_OTHERS = ("symbol", "as_of", "observed_share")
_COLUMNS = set(_OTHERS).union(*_PRICES, *_AMOUNTS)

_NUMBER = re.compile(r"-?\d{1,30}(\.\d{0,30})?([eE][-+]?\d{1,3})?", re.ASCII)
_LARGEST = 1e15
_ROUNDING = 1e-9  # neighbours whose shared edge was rounded twice do not overlap
_FIRST_MS = 10**11  # in 1973: what is less was meant in seconds
_LAST_MS = 10**14
_DAY_MS = 86_400_000
_DIGITS_OF_MS = 14


def read_map(content: bytes, wanted: FileImport, *, changed_ms: int) -> ImportedMap:
    """Read the map of one coin from a file that changed at `changed_ms`; that is how old it is
    where it does not say. Raises Refused with file, line and reason.
    """
    try:
        return _map(read_table(content), wanted, changed_ms)
    except BadRow as bad:
        raise Refused(f"{wanted.file}:{bad.line}: {bad.reason}") from None


def _map(table: Table, wanted: FileImport, changed_ms: int) -> ImportedMap:
    rows = _rows_of(wanted.symbol, table)
    told = _joined(_read(row, table.price) for row in rows)
    _check_sides(told)
    held = tuple(one.level for one in told if one.level.long_usd or one.level.short_usd)
    if not held:
        raise BadRow(rows[-1].line, "nowhere is there anything to be liquidated")
    return ImportedMap(
        source=str(wanted.file),
        symbol=wanted.symbol,
        as_of_ms=_as_of_ms(rows, table, changed_ms),
        venues=frozenset(wanted.covers),
        levels=held,
        relative=(table.scale or wanted.scale) is Scale.RELATIVE,
    )


def _rows_of(symbol: str, table: Table) -> list[Row]:
    named = [(row.values.get("symbol", table.symbol or symbol), row) for row in table.rows]
    rows = [row for name, row in named if str(name).strip() == symbol]
    if not rows:
        others = ", ".join(sorted({str(name)[:20] for name, _ in named})[:5])
        raise BadRow(1, f"no row is of {symbol}" + (f", but of {others}" if others else ""))
    for row in rows:
        _check_columns(row)
    return rows


def _check_columns(row: Row) -> None:
    names = set(row.values)
    if unknown := sorted(names - _COLUMNS):
        close = get_close_matches(unknown[0], _COLUMNS, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise BadRow(row.named_at, f'"{unknown[0][:40]}" is no column of a map{hint}')
    for what, choices in (("prices", _PRICES), ("amounts", _AMOUNTS)):
        if names & set().union(*choices) not in map(set, choices):
            either = ", or ".join(" and ".join(choice) for choice in choices)
            raise BadRow(row.named_at, f"the {what} must be given as either {either}")


# -- one row ------------------------------------------------------------------------------------


class _Told(NamedTuple):
    line: int
    level: MapLevel
    position: Position | None  # the only one that its line speaks of


def _read(row: Row, price: float | None) -> _Told:
    low, high = (
        _price(row, name) for name in (("price",) * 2 if "price" in row.values else ("low", "high"))
    )
    if not low <= high < WIDEST * low:
        how = "below" if high < low else "too far from"
        raise BadRow(row.line, f"high ({high:.10g}) is {how} low ({low:.10g})")
    position = _position(row) if "position" in row.values else None
    usd = _usd(row, "notional") if position else 0.0
    long_usd = _usd(row, "long_usd") if position is None else usd * (position is Position.LONG)
    short_usd = _usd(row, "short_usd") if position is None else usd - long_usd
    if price is not None and ((long_usd and low > price) or (short_usd and high < price)):
        what = "longs above" if low > price else "shorts below"
        raise BadRow(row.line, f"{what} the price ({price:.10g}); are the sides swapped?")
    return _Told(row.line, MapLevel(low, high, long_usd, short_usd), position)


def _position(row: Row) -> Position:
    said = str(row.values["position"]).strip()
    if said not in tuple(Position):
        raise BadRow(row.line, f'position is "{said[:20]}", not long or short')
    return Position(said)


def _price(row: Row, name: str) -> float:
    price = _usd(row, name)
    if price == 0:
        raise BadRow(row.line, f"{name} is 0, and no price")
    return price


def _usd(row: Row, name: str) -> float:
    value = row.values[name]
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        shown = "empty" if value in ("", None) else f'"{str(value)[:20]}"'
        raise BadRow(row.line, f"{name} is {shown}, not a plain number such as 41200000")
    if not 0 <= value < _LARGEST:
        raise BadRow(row.line, f"{name} is {'negative' if value < 0 else 'absurdly large'}")
    return float(value)


# -- all rows -----------------------------------------------------------------------------------


def _joined(lines: Iterable[_Told]) -> list[_Told]:
    """Check that prices rise; the longs and the shorts of the same prices become one level."""
    joined: list[_Told] = []
    for told in lines:
        before = joined[-1] if joined else None
        if before is None:
            joined.append(told)
        elif told.level[:2] == before.level[:2]:
            joined[-1] = _both_sides(before, told)
        else:
            _check_order(before, told)
            joined.append(told)
    return joined


def _both_sides(one: _Told, other: _Told) -> _Told:
    if None in (one.position, other.position) or one.position is other.position:
        raise BadRow(other.line, f"the prices of line {one.line} again")
    low, high, long_usd, short_usd = one.level
    level = MapLevel(low, high, long_usd + other.level.long_usd, short_usd + other.level.short_usd)
    return _Told(other.line, level, None)


def _check_order(before: _Told, told: _Told) -> None:
    if told.level.low < before.level.low:
        raise BadRow(told.line, "rows must be sorted by price, the lowest first")
    if told.level.low < before.level.high * (1 - _ROUNDING):
        raise BadRow(told.line, f"the prices overlap those of line {before.line}")


def _check_sides(lines: Iterable[_Told]) -> None:
    """Wherever the price is, longs are liquidated below it and shorts above."""
    shorts_end = inf
    for line, level, _ in lines:
        if level.long_usd and level.low >= shorts_end:
            raise BadRow(line, "longs above shorts: no price is between; are the sides swapped?")
        if level.short_usd:
            shorts_end = min(shorts_end, level.high)


def _as_of_ms(rows: Iterable[Row], table: Table, changed_ms: int) -> int:
    said = [(row.line, row.values["as_of"]) for row in rows if "as_of" in row.values]
    line, value = said[0] if said else (1, table.as_of)
    if value is None:
        return changed_ms
    for other, moment in said:
        if moment != value:
            raise BadRow(other, f"as_of is not that of line {line}: a map is of one moment")
    as_of_ms = _moment_ms(value)
    if not _FIRST_MS < as_of_ms < _LAST_MS:
        raise BadRow(line, f'as_of is "{str(value)[:40]}", not ms since 1970 or ISO 8601')
    if as_of_ms > changed_ms + _DAY_MS:
        raise BadRow(line, "as_of is later than the file")
    return as_of_ms


def _moment_ms(value: object) -> int:
    """Return 0 for what is no moment."""
    text = str(value).strip()
    if text.isdecimal():
        return int(text) if len(text) <= _DIGITS_OF_MS else 0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0
    return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
