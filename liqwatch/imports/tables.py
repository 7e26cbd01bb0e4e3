"""The rows of an imported file with their line numbers; what they mean is for `files` to say.

CSV with a header; or JSON, as an array of rows or as the object that `liqwatch map --json` prints.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from liqwatch.imports.errors import BadRow
from liqwatch.imports.settings import Scale
from liqwatch.map_import import MOST_LEVELS

MAX_BYTES = 4 << 20

_BOM = b"\xef\xbb\xbf"
_PLACE = re.compile(r" \(byte (\d+)\)$")


class Row(NamedTuple):
    """One row: what stands under each column, text in CSV, any JSON value in JSON.

    `named_at` is the line where its columns are named.
    """

    line: int
    named_at: int
    values: Mapping[str, Any]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """All rows, and what the file says of them together."""

    rows: list[Row]
    symbol: str | None = None
    as_of: int | str | None = None
    price: float | None = None
    scale: Scale | None = None


def read_table(content: bytes) -> Table:
    """Read CSV or JSON. Raises BadRow."""
    if len(content) > MAX_BYTES:
        raise BadRow(1, f"the file is larger than {MAX_BYTES >> 20} MiB")
    content = content.removeprefix(_BOM)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise BadRow(_line(content, error.start), "not UTF-8 text") from None
    table = _json(content) if text.lstrip()[:1] in ("[", "{") else Table(rows=list(_csv(text)))
    if len(table.rows) > MOST_LEVELS:
        raise BadRow(table.rows[MOST_LEVELS].line, f"more than {MOST_LEVELS:,} rows")
    return table


def _csv(text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = [name.strip() for name in next(reader, [])]
        if len(set(columns)) < len(columns):
            raise BadRow(1, "two columns have the same name")
        for cells in filter(None, reader):
            line = reader.line_num
            if len(cells) != len(columns):
                raise BadRow(line, f"{len(cells)} values under {len(columns)} columns")
            yield Row(line, 1, dict(zip(columns, cells, strict=True)))
    except csv.Error as error:
        raise BadRow(max(1, reader.line_num), f"not CSV: {error}") from None


class _Document(msgspec.Struct):
    buckets: list[msgspec.Raw]
    symbol: str | None = None
    time: int | None = None
    as_of: int | str | None = None
    price: float | None = None
    scale: Scale | None = None


def _json(content: bytes) -> Table:
    try:
        whole = msgspec.json.decode(content, type=list[msgspec.Raw] | _Document)
    except msgspec.ValidationError as error:
        raise BadRow(1, f"not a map: {error}") from None
    except (ValueError, RecursionError) as error:
        place = _PLACE.search(str(error))
        line = _line(content, int(place[1]) if place else len(content))
        raise BadRow(line, f"not JSON: {_PLACE.sub('', str(error))}") from None
    if isinstance(whole, list):
        return Table(rows=list(_objects(content, whole)))
    return Table(
        rows=list(_objects(content, whole.buckets)),
        symbol=whole.symbol,
        as_of=whole.time if whole.as_of is None else whole.as_of,
        price=whole.price,
        scale=whole.scale,
    )


def _objects(content: bytes, raws: list[msgspec.Raw]) -> Iterator[Row]:
    end = 0
    for raw in raws:
        text = bytes(raw)
        start = content.find(text, end)  # they stand one after the other
        end = start + len(text)
        line = _line(content, start)
        try:
            yield Row(line, line, msgspec.json.decode(text, type=dict[str, Any]))
        except msgspec.ValidationError:
            raise BadRow(line, "a row must be an object") from None


def _line(content: bytes, offset: int) -> int:
    return content.count(b"\n", 0, offset) + 1
