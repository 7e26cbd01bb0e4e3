"""What outlives the process: the daemon's snapshots, in a folder it has for itself."""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
import zstandard

from liqwatch.engine.snapshot import EngineState
from liqwatch.pipeline import PipelineState, read_snapshot
from liqwatch.store import Database, StoreError

SNAPSHOT = "daemon"
SNAPSHOT_VERSION = 1

log = structlog.get_logger("liqwatch")


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold `folder`, made if need be: two daemons in one would send everything twice.

    Raises StoreError when another has it, and OSError. The lock is the kernel's, so a process that
    was killed leaves none behind.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(f"{folder}: another liqwatch works in this state folder") from None
        yield
    finally:
        os.close(handle)


def is_somebody_in(folder: Path) -> bool:
    """Return whether a daemon works in `folder`. Raises OSError where there is none to look at."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)  # and with it the lock
    return False


def save(database: Database, snapshot: bytes) -> None:
    """Keep what `Pipeline.snapshot` gave."""
    _keep(database, _packed(snapshot))


async def save_in_passing(database: Database, snapshot: bytes) -> None:
    """Like `save`, while the loop goes on: packing hundreds of coins takes a while."""
    _keep(database, await asyncio.to_thread(_packed, snapshot))


def load(database: Database) -> tuple[PipelineState, EngineState] | None:
    """Return what was kept last. What cannot be read is said, and forgotten."""
    saved = database.load_snapshot(SNAPSHOT)
    if saved is None:
        return None
    try:
        return read_snapshot(zstandard.ZstdDecompressor().decompress(saved.blob))
    except (ValueError, zstandard.ZstdError) as error:
        log.warning("the saved state cannot be read, starting anew", reason=str(error))
        return None


def _packed(snapshot: bytes) -> bytes:
    # Of 70 kB a coin a quarter remains, and a disk is written to that much less every minute.
    return zstandard.ZstdCompressor(level=1).compress(snapshot)


def _keep(database: Database, packed: bytes) -> None:
    database.save_snapshot(SNAPSHOT, SNAPSHOT_VERSION, packed)
