"""Settings that were changed while the daemon ran: kept beside the configuration, never in it."""

from collections.abc import Iterator

import msgspec

from liqwatch.store.database import Database


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """Until `until_ms` (since the Unix epoch) a setting has the value that `who` gave it.

    `key` and `value` are what would stand in the configuration: `detection.drift_z30` and `5`; of
    a coin `symbol` alone where one is named. A price that is watched or no longer watched is the
    key `watch_levels.90000` with the value `true` or `false`.
    """

    symbol: str | None
    key: str
    value: str
    until_ms: int
    who: str

    @property
    def name(self) -> str:
        """The setting's full name, such as `symbols.BTC.detection.drift_z30`."""
        return self.key if self.symbol is None else f"symbols.{self.symbol}.{self.key}"


class Overrides:
    """What is overridden now, one value a setting, kept over restarts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        rows = database.read("SELECT json FROM overrides ORDER BY name")
        read = (msgspec.json.decode(json, type=Override) for (json,) in rows)
        self._by_name = {one.name: one for one in read}

    def __iter__(self) -> Iterator[Override]:
        return iter(sorted(self._by_name.values(), key=lambda one: one.name))

    def put(self, override: Override) -> None:
        """Keep one, in the place of what was said of the same setting."""
        self._by_name[override.name] = override
        row = (override.name, msgspec.json.encode(override))
        self._database.write(lambda db: db.execute("REPLACE INTO overrides VALUES (?, ?)", row))

    def drop(self, name: str) -> bool:
        """Forget one; return whether there was one."""
        if self._by_name.pop(name, None) is None:
            return False
        self._database.write(lambda db: db.execute("DELETE FROM overrides WHERE name = ?", (name,)))
        return True

    def drop_expired(self, now_ms: int) -> list[Override]:
        """Forget those whose time is over, and return them."""
        over = [one for one in self if one.until_ms <= now_ms]
        for one in over:
            self.drop(one.name)
        return over
