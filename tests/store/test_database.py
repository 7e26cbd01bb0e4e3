import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from liqwatch.store import Database, StoreError
from liqwatch.store.schema import MIGRATIONS


def save_and_load(database: Database, blob: bytes) -> bytes:
    database.save_snapshot("engine", 3, blob)
    snapshot = database.load_snapshot("engine")
    assert snapshot is not None
    return snapshot.blob


def test_a_snapshot_survives_the_process(tmp_path: Path) -> None:
    before = Database(tmp_path / "state" / "liqwatch.db")
    before.save_snapshot("engine", 1, b"old")
    before.save_snapshot("engine", 2, b"new")
    before.close()

    after = Database(tmp_path / "state" / "liqwatch.db")
    snapshot = after.load_snapshot("engine")
    after.close()

    assert snapshot is not None
    assert (snapshot.version, snapshot.blob) == (2, b"new")
    assert snapshot.saved_at_ms > 1_700_000_000_000


def test_without_a_path_it_lives_in_memory() -> None:
    database = Database(None)

    assert save_and_load(database, b"x") == b"x"
    assert database.load_snapshot("another") is None
    assert not database.on_disk
    database.close()


def test_the_file_is_for_its_owner_only_and_survives_power_cuts(tmp_path: Path) -> None:
    path = tmp_path / "liqwatch.db"
    path.touch(mode=0o644)
    database = Database(path)
    save_and_load(database, b"x")
    full = 2

    assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert database.read("PRAGMA journal_mode") == [("wal",)]
    assert [(full,)] == database.read("PRAGMA synchronous")
    database.close()


@pytest.mark.parametrize("start", [0, 2000])
def test_a_corrupt_file_is_moved_aside_and_started_fresh(tmp_path: Path, start: int) -> None:
    path = tmp_path / "liqwatch.db"
    database = Database(path)
    database.save_snapshot("engine", 1, bytes(100_000))
    database.close()
    content = bytearray(path.read_bytes())
    content[start : start + 60_000] = b"\x5a" * 60_000
    path.write_bytes(content)

    fresh = Database(path)

    assert fresh.moved_aside is not None
    assert bytes(content) == fresh.moved_aside.read_bytes()
    assert save_and_load(fresh, b"x") == b"x"
    fresh.close()


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "liqwatch.db"
    Database(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(StoreError, match="newer"):
        Database(path)
    assert [path] == list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="file"):
        Database(tmp_path / "file" / "liqwatch.db")


def test_the_schema_is_the_newest_and_opening_again_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        database = Database(tmp_path / "liqwatch.db")
        assert [(len(MIGRATIONS),)] == database.read("PRAGMA user_version")
        database.close()


def test_a_full_disk_does_not_stop_it_and_nothing_is_lost_when_there_is_room_again(
    tmp_path: Path,
) -> None:
    now_s = 0.0
    path = tmp_path / "liqwatch.db"
    database = Database(path, monotonic=lambda: now_s)
    save_and_load(database, b"before")
    ((pages,),) = database.read("PRAGMA page_count")
    database.read(f"PRAGMA max_page_count = {pages}")  # SQLITE_FULL, as on a full disk

    assert bytes(100_000) == save_and_load(database, bytes(100_000))
    assert not database.on_disk

    now_s = 31.0
    save_and_load(database, b"still no room")
    assert not database.on_disk

    disk = database._failed_disk
    assert disk is not None
    disk.execute("PRAGMA max_page_count = 100000")
    now_s = 62.0
    save_and_load(database, b"after")
    assert database.on_disk
    database.close()

    reopened = Database(path)
    assert reopened.moved_aside is None
    snapshot = reopened.load_snapshot("engine")
    assert snapshot is not None
    assert snapshot.blob == b"after"
    reopened.close()


def test_a_mistake_of_ours_is_not_taken_for_a_broken_disk(tmp_path: Path) -> None:
    database = Database(tmp_path / "liqwatch.db")

    with pytest.raises(sqlite3.IntegrityError):
        database.write(
            lambda db: db.execute(
                "INSERT INTO deliveries (alert, receiver, role, rank, silent, reason)"
                " VALUES ('unknown', 'r', 'root', 0, 0, '')"
            )
        )
    assert database.on_disk
    database.close()


def test_a_copy_has_all_there_is_and_leaves_the_file_alone_whoever_writes(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    with closing(Database(path)) as database:
        database.save_snapshot("engine", 1, b"one")
        before = {one.name: one.read_bytes() for one in tmp_path.iterdir() if "shm" not in one.name}
        with closing(Database.copy_of(path)) as copy:
            copied = copy.load_snapshot("engine")
            copy.save_snapshot("engine", 1, b"two")
        assert copied is not None
        assert copied.blob == b"one"
        after = {one.name: one.read_bytes() for one in tmp_path.iterdir() if "shm" not in one.name}
        assert after == before
    with closing(Database.copy_of(path)) as copy:
        assert not copy.on_disk
        assert [one.name for one in tmp_path.iterdir()] == ["store.sqlite3"]
    with pytest.raises(StoreError, match="unable to open"):
        Database.copy_of(tmp_path / "nothing")
