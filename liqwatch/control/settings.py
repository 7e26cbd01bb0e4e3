"""The settings in force: what the file says, and what was changed since for a while."""

from collections.abc import Callable

from liqwatch.config import Config, describe_changes
from liqwatch.control.maps import coin
from liqwatch.control.vocabulary import Changed, ControlError, ThresholdAnswer, WatchedAnswer
from liqwatch.overrides import (
    OverrideError,
    apply,
    full_key,
    level_key,
    read_price,
    value_of,
    with_override,
)
from liqwatch.store.overrides import Override, Overrides

HOUR_MS = 3_600_000


class Settings:
    """The configuration with its overrides; `in_force` is what everything goes by.

    `on_change` is called with the new one after each change made here.
    """

    def __init__(
        self, of_file: Config, overrides: Overrides, *, on_change: Callable[[Config], None]
    ) -> None:
        self.of_file = of_file
        self.in_force = of_file
        self._overrides = overrides
        self._on_change = on_change
        self.take(of_file)

    def take(self, of_file: Config) -> Config:
        """Take what the file says now, and return what is in force."""
        self.of_file = of_file
        self.in_force = apply(of_file, self._overrides).config
        return self.in_force

    def expire(self, now_ms: int) -> list[str]:
        """End what has lasted long enough; return what changes by that, in words."""
        over = self._overrides.drop_expired(now_ms)
        return self._changed() if over else []

    def watch(
        self, symbol: str, prices: tuple[str, ...], *, on: bool, until_ms: int, who: str
    ) -> WatchedAnswer:
        """Watch prices of a coin or no longer watch them (none: any). Raises ControlError."""
        name = coin(symbol, self.of_file.symbols or ())
        try:
            told = [read_price(price) for price in prices]
            wanted = told or list(self._watched(name))
            overrides = [
                Override(
                    symbol=name,
                    key=level_key(price),
                    value=str(on).lower(),
                    until_ms=until_ms,
                    who=who,
                )
                for price in wanted
            ]
            config = self.in_force
            for one in overrides:
                config = with_override(config, one)
        except OverrideError as error:
            raise ControlError(str(error)) from None
        by_file = self.of_file.symbols[name].watch_levels if self.of_file.symbols else ()
        for price, one in zip(wanted, overrides, strict=True):
            if on == (price in by_file):
                self._overrides.drop(one.name)  # as the file says
            else:
                self._overrides.put(one)
        self._changed()
        return WatchedAnswer(name, self._watched(name), until_ms)

    def threshold(self, symbol: str | None, word: str) -> ThresholdAnswer:
        """Say what a setting is and where that comes from. Raises ControlError."""
        name, key = self._named(symbol, word)
        return self._told(name, key)

    def change(
        self, symbol: str | None, word: str, value: str | None, *, until_ms: int, who: str
    ) -> ThresholdAnswer:
        """Change a setting, or take back what was changed. Raises ControlError."""
        name, key = self._named(symbol, word)
        one = Override(symbol=name, key=key, value=value or "", until_ms=until_ms, who=who)
        if value is None:
            if not self._overrides.drop(one.name):
                raise ControlError(f"{one.name} is as the file says")
        else:
            try:
                with_override(self.in_force, one)
            except OverrideError as error:
                raise ControlError(str(error)) from None
            self._overrides.put(one)
        self._changed()
        return self._told(name, key)

    def diff(self) -> tuple[Changed, ...]:
        """Return what is overridden, each with what it changes of the file."""
        refused = {one.name: why for one, why in apply(self.of_file, self._overrides).refused}
        return tuple(
            Changed(self._change_of(one), one.until_ms, one.who, refused.get(one.name))
            for one in self._overrides
        )

    def _change_of(self, one: Override) -> str:
        changes = describe_changes(self.of_file, apply(self.of_file, [one]).config)
        return changes[0] if changes else f"{one.name} {one.value}"

    def _changed(self) -> list[str]:
        before = self.in_force
        changes = describe_changes(before, self.take(self.of_file))
        if changes:
            self._on_change(self.in_force)
        return changes

    def _watched(self, name: str) -> tuple[float, ...]:
        symbols = self.in_force.symbols or {}
        return symbols[name].watch_levels if name in symbols else ()

    def _named(self, symbol: str | None, word: str) -> tuple[str | None, str]:
        name = None if symbol is None else coin(symbol, self.of_file.symbols or ())
        try:
            key = full_key(word, of_symbol=name is not None)
            value_of(self.of_file, name, key)
        except OverrideError as error:
            raise ControlError(str(error)) from None
        return name, key

    def _told(self, symbol: str | None, key: str) -> ThresholdAnswer:
        value = value_of(self.in_force, symbol, key)
        shown = key if symbol is None else f"symbols.{symbol}.{key}"
        by_name = {one.name: one for one in self._overrides}
        override = by_name.get(shown) or by_name.get(key)
        if override is not None and value != value_of(self.of_file, symbol, key):
            return ThresholdAnswer(shown, value, "override", override.until_ms, override.who)
        default = value_of(Config(), None, key)
        return ThresholdAnswer(shown, value, "default" if value == default else "file")
