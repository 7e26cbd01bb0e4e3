"""The SQLite file. WAL and synchronous=FULL: what is committed survives a power cut.

A file that is corrupt is moved aside and started fresh. A disk that fails while we run (full,
read-only) does not stop the alerts: they go on in memory, and back to disk when it takes writes.
"""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec
import structlog

from liqwatch.store.schema import MIGRATIONS

BUSY_TIMEOUT_MS = 1000
DISK_RETRY_S = 30.0

T = TypeVar("T")
log = structlog.get_logger("liqwatch.store")


class StoreError(Exception):
    """The file cannot be used: not writable, or written by a newer liqwatch."""


class Snapshot(msgspec.Struct, frozen=True):
    """A state as it was saved; `saved_at_ms` since the Unix epoch."""

    version: int
    blob: bytes
    saved_at_ms: int


class Database:
    """One connection to the file at `path`, or to memory when there is none.

    Raises StoreError. `moved_aside` names the corrupt file that was found in its place, if any.
    """

    def __init__(
        self, path: Path | None, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.moved_aside: Path | None = None
        self._monotonic = monotonic
        self._path = path
        self._failed_disk: sqlite3.Connection | None = None
        self._disk_retry_at_s = 0.0
        self._connection = _in_memory() if path is None else self._open(path)

    @classmethod
    def copy_of(cls, path: Path) -> Self:
        """Return what stands in a file, in memory; the file is only read, whoever works with it.

        Raises StoreError, also where there is no file.
        """
        # Reading a file that nobody has open, SQLite would leave another one beside it.
        alone = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
        copy = cls(None)
        try:
            disk = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{alone}", uri=True)
            with closing(disk):
                disk.backup(copy._connection)
            _migrate(copy._connection)
        except (StoreError, sqlite3.DatabaseError) as error:
            copy.close()
            raise StoreError(f"{path}: {error}") from error
        return copy

    @property
    def on_disk(self) -> bool:
        """Whether what is written now would survive the process."""
        return self._path is not None and self._failed_disk is None

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in one transaction, committed (where there is a disk: on it) on return."""
        if self._failed_disk is not None:
            self._return_to_disk(self._failed_disk)
        try:
            return _in_transaction(self._connection, work)
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # a mistake of ours, not of the disk
        except sqlite3.DatabaseError as error:
            if not self.on_disk:
                raise
            self._leave_disk(error)
            return _in_transaction(self._connection, work)

    def read(self, query: str, *values: Any) -> list[Any]:
        """Return the rows of a query."""
        return self._connection.execute(query, values).fetchall()

    def save_snapshot(self, name: str, version: int, blob: bytes) -> None:
        """Keep `blob` under `name`, instead of what was there. `version` tells its layout."""
        row = (name, version, blob, time.time_ns() // 1_000_000)
        self.write(lambda db: db.execute("REPLACE INTO snapshots VALUES (?, ?, ?, ?)", row))

    def load_snapshot(self, name: str) -> Snapshot | None:
        """Return what was kept under `name`."""
        rows = self.read("SELECT version, blob, saved_at_ms FROM snapshots WHERE name = ?", name)
        return Snapshot(*rows[0]) if rows else None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
        if self._failed_disk is not None:
            self._failed_disk.close()

    def _open(self, path: Path) -> sqlite3.Connection:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            path.chmod(0o600)
            try:
                return _open_sound(path)
            except _CorruptError as error:
                self.moved_aside = _move_aside(path)
                log.error(
                    "database corrupt, started fresh", kept=str(self.moved_aside), error=str(error)
                )
                path.touch(mode=0o600)
                return _open_sound(path)
        except (OSError, sqlite3.DatabaseError) as error:
            raise StoreError(f"{path}: {error}") from error

    def _leave_disk(self, error: sqlite3.DatabaseError) -> None:
        log.error("database failed, alerts go on in memory only", error=str(error))
        disk = self._connection
        self._connection = _copied_to_memory(disk)
        self._failed_disk = disk
        self._disk_retry_at_s = self._monotonic() + DISK_RETRY_S

    def _return_to_disk(self, disk: sqlite3.Connection) -> None:
        if self._monotonic() < self._disk_retry_at_s:
            return
        self._disk_retry_at_s = self._monotonic() + DISK_RETRY_S
        try:
            self._connection.backup(disk)
        except sqlite3.DatabaseError:
            return
        self._connection.close()
        self._connection, self._failed_disk = disk, None
        log.info("database works again, alerts are on disk")


class _CorruptError(Exception):
    pass


def _in_transaction(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        return work(connection)


def _connect(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _in_memory() -> sqlite3.Connection:
    connection = _connect(":memory:")
    _migrate(connection)
    return connection


def _copied_to_memory(disk: sqlite3.Connection) -> sqlite3.Connection:
    copy = _connect(":memory:")
    try:
        disk.backup(copy)
    except sqlite3.DatabaseError:  # not even readable any more
        copy.close()
        return _in_memory()
    return copy


def _open_sound(path: Path) -> sqlite3.Connection:
    connection = _connect(str(path))
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        ((verdict,),) = connection.execute("PRAGMA quick_check(1)").fetchall()
        if verdict != "ok":
            raise _CorruptError(verdict)
        _migrate(connection)
    except sqlite3.OperationalError:  # locked, no room, no rights: the file itself may be sound
        connection.close()
        raise
    except sqlite3.DatabaseError as error:
        connection.close()
        raise _CorruptError(str(error)) from error
    except (_CorruptError, StoreError):
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    ((version,),) = connection.execute("PRAGMA user_version").fetchall()
    if version > len(MIGRATIONS):
        raise StoreError(
            f"schema {version} is of a newer liqwatch, this one knows {len(MIGRATIONS)}"
        )
    for number, steps in enumerate(MIGRATIONS[version:], start=version + 1):

        def migrate(
            db: sqlite3.Connection, steps: tuple[str, ...] = steps, to: int = number
        ) -> None:
            for step in steps:
                db.execute(step)
            db.execute(f"PRAGMA user_version = {to}")

        _in_transaction(connection, migrate)


def _move_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.corrupt-{time.time_ns()}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside
