from contextlib import closing
from pathlib import Path

from liqwatch.store import Database
from liqwatch.store.overrides import Override, Overrides


def override(name: str, value: str, until_ms: int = 1000) -> Override:
    return Override(symbol=None, key=name, value=value, until_ms=until_ms, who="@x")


def test_overrides_survive_and_the_last_word_on_a_setting_counts(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "db")) as database:
        overrides = Overrides(database)
        overrides.put(override("a", "1"))
        overrides.put(override("a", "2"))
        overrides.put(override("b", "3"))
        assert overrides.drop("b")
        assert not overrides.drop("b")
        assert list(overrides) == [override("a", "2")]
    with closing(Database(tmp_path / "db")) as database:
        assert list(Overrides(database)) == [override("a", "2")]


def test_what_has_lasted_long_enough_is_forgotten(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "db")) as database:
        overrides = Overrides(database)
        overrides.put(override("a", "1", until_ms=1000))
        overrides.put(override("b", "1", until_ms=1001))

        assert overrides.drop_expired(999) == []
        assert overrides.drop_expired(1000) == [override("a", "1", until_ms=1000)]
        assert list(Overrides(database)) == [override("b", "1", until_ms=1001)]
