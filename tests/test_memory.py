from pathlib import Path

import pytest

from liqwatch.memory import alone_in
from liqwatch.store import StoreError


def test_a_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    with alone_in(tmp_path / "new" / "state"):
        assert (tmp_path / "new" / "state").stat().st_mode & 0o777 == 0o700


def test_a_folder_takes_one_at_a_time(tmp_path: Path) -> None:
    with alone_in(tmp_path):
        with pytest.raises(StoreError, match=str(tmp_path)), alone_in(tmp_path):
            pass
        with alone_in(tmp_path / "another"):
            pass
    with alone_in(tmp_path):
        pass


def test_errors_inside_are_not_taken_for_its_own(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError), alone_in(tmp_path):
        raise BlockingIOError
