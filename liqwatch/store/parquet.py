"""Journals into Parquet, and what is asked for out of both: the only module that knows DuckDB.

https://duckdb.org/docs/stable/data/parquet/overview, .../data/json/loading_json
"""

import sys
from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path

import duckdb

from liqwatch.checksums import add_checksums, digest


class Table(StrEnum):
    """What the archive holds."""

    LIQUIDATIONS = "liquidations"
    GAPS = "gaps"


_KIND = {Table.LIQUIDATIONS: "liquidation", Table.GAPS: "gap"}
_COLUMNS = {
    Table.LIQUIDATIONS: {
        "venue": "VARCHAR",
        "symbol": "VARCHAR",
        "instrument": "VARCHAR",
        "time": "BIGINT",
        "received": "BIGINT",
        "position": "VARCHAR",
        "size": "DOUBLE",
        "price": "DOUBLE",
        "price_kind": "VARCHAR",
        "notional_usd": "DOUBLE",
        "completeness": "VARCHAR",
        "mechanism": "VARCHAR",
        "history": "BOOLEAN",
    },
    Table.GAPS: {
        "venue": "VARCHAR",
        "stream": "VARCHAR",
        "began": "BIGINT",
        "ended": "BIGINT",
        "reason": "VARCHAR",
    },
}
_JOURNALS = """SELECT {columns}
    FROM read_json(
        $journals, format = 'newline_delimited', columns = $columns, ignore_errors = true
    )
    WHERE kind = $kind"""  # half a line, left by a killed process, is ignored
_PARQUET = "SELECT {columns} FROM read_parquet($days)"
# A gap is written when it begins and again when it ends; its second row is the whole of it.
_WHOLE = {
    Table.LIQUIDATIONS: """SELECT * REPLACE (coalesce(history, false) AS history)
        FROM ({rows})""",
    Table.GAPS: """SELECT venue, stream, began, max(ended) AS ended, any_value(reason) AS reason
        FROM ({rows}) GROUP BY venue, stream, began""",
}
_ASKED = "SELECT * FROM ({whole}) WHERE {where} ORDER BY {order}"
_ORDER = {
    Table.LIQUIDATIONS: "time, received, venue, instrument",
    Table.GAPS: "began, venue, stream",
}
_SINCE = {
    Table.LIQUIDATIONS: "time >= $since_ms",
    Table.GAPS: "coalesce(ended, began) >= $since_ms",
}
_UNTIL = {Table.LIQUIDATIONS: "time < $until_ms", Table.GAPS: "began < $until_ms"}


class ArchiveError(ValueError):
    """What is asked for cannot be had from the archive; one line for people."""


def pack(journal: Path) -> None:
    """Make Parquet of the journal of a day that is over, with checksums, and remove it.

    Takes a second or so for a busy day: call it beside the loop. Raises ArchiveError and OSError.
    """
    folder = journal.parent.parent
    # Named after its content, so that packing again what a killed process left half done changes
    # nothing, and a second journal of a day (a clock set back) overwrites nothing.
    name = f"{digest(journal)[:12]}.parquet"
    try:
        files = [_pack_table(folder, journal, table, name) for table in Table]
    except duckdb.Error as error:
        raise ArchiveError(f"{journal}: cannot be packed: {error}") from error
    add_checksums(folder, files)
    journal.unlink()


def export(
    folder: Path,
    out: Path,
    table: Table,
    *,
    symbols: Collection[str] = (),
    venues: Collection[str] = (),
    since_ms: int | None = None,
    until_ms: int | None = None,
) -> int:
    """Write the rows asked for to a `.csv` or `.parquet` file, in order of time; return how many.

    A daemon may go on writing meanwhile. Raises ArchiveError and OSError.
    """
    wanted: dict[str, object] = {"since_ms": since_ms, "until_ms": until_ms}
    wanted |= {"symbols": sorted(symbols), "venues": sorted(venues)}
    asked = {name: value for name, value in wanted.items() if value not in (None, [])}
    conditions = {
        "since_ms": _SINCE[table],
        "until_ms": _UNTIL[table],
        "symbols": "symbol IN (SELECT unnest($symbols))",
        "venues": "venue IN (SELECT unnest($venues))",
    }
    rows, values = _rows(folder, table)
    where = " AND ".join(conditions[name] for name in asked) or "true"
    try:
        return _write(_query(table, rows, where), values | asked, out)
    except duckdb.Error as error:
        raise ArchiveError(f"{folder}: cannot be exported: {error}") from error


def _query(table: Table, rows: str, where: str) -> str:
    whole = _WHOLE[table].format(rows=rows)
    return _ASKED.format(whole=whole, where=where, order=_ORDER[table])


def _rows(folder: Path, table: Table) -> tuple[str, dict[str, object]]:
    """Query, with its values, of everything kept: packed days and the journals of the others."""
    columns = ", ".join(_COLUMNS[table])
    parts, values = [], dict[str, object]()
    if days := sorted(folder.glob(f"{table}/day=*/*.parquet")):
        parts.append(_PARQUET.format(columns=columns))
        values["days"] = [str(day) for day in days]
    if journals := sorted(folder.glob("journal/*.jsonl")):
        parts.append(_JOURNALS.format(columns=columns))
        values |= _from_journals(journals, table)
    if not parts:
        raise ArchiveError(f"{folder}: nothing is kept there")
    return " UNION ALL ".join(parts), values


def _from_journals(journals: Sequence[Path], table: Table) -> dict[str, object]:
    return {
        "journals": [str(journal) for journal in journals],
        "columns": {"kind": "VARCHAR", **_COLUMNS[table]},
        "kind": _KIND[table],
    }


def _pack_table(folder: Path, journal: Path, table: Table, name: str) -> Path:
    day = folder / table / f"day={journal.stem}"
    day.mkdir(parents=True, exist_ok=True)
    rows = _JOURNALS.format(columns=", ".join(_COLUMNS[table]))
    fresh = day / f"{name}.new"
    _write(_query(table, rows, "true"), _from_journals([journal], table), fresh)
    return fresh.replace(day / name)


def _write(query: str, values: dict[str, object], out: Path) -> int:
    # Little memory and one thread: a daemon has other things to do.
    with duckdb.connect(config={"memory_limit": "256MB", "threads": 1}) as database:
        rows = database.sql(query, params=values)
        if out.suffix == ".csv":
            rows.write_csv(str(out))
        else:
            rows.write_parquet(str(out), compression="zstd")
        return len(rows)


if __name__ == "__main__":
    try:
        pack(Path(sys.argv[1]))
    except (ArchiveError, OSError) as refused:
        sys.exit(str(refused))
