"""How a receiver wants to be told: its own settings."""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from liqwatch.alerting.quiet_hours import QuietHours
from liqwatch.alerts import Kind, Severity

_GRAVITY = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


def graver(one: Severity, other: Severity) -> bool:
    """Return whether one severity is above the other."""
    return _GRAVITY[one] > _GRAVITY[other]


class Route(StrEnum):
    """What becomes of an alert."""

    LOUD = "loud"
    SILENT = "silent"
    DIGEST = "digest"
    """Summed up with others, every so often."""

    OFF = "off"


class SymbolRoutes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a coin's alerts go; what is left out goes where those of all coins go."""

    critical: Route | None = None
    warning: Route | None = None
    info: Route | None = None


LARGEST_BUDGET = 100


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many messages an hour are enough; what is above that is summed up.

    Critical alerts, a cascade of the whole market and answers to a changed configuration always
    come.
    """

    per_symbol_hour: Annotated[int, Meta(ge=1, le=LARGEST_BUDGET)] | None = 6
    """Of one coin. Info alerts outside a story may take half of it: a cascade is to find room."""

    info_hour: Annotated[int, Meta(ge=1, le=LARGEST_BUDGET)] | None = 6
    """Info alerts outside a story, of all coins together."""


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one receiver is told."""

    critical: Route = Route.LOUD
    """Cascades that feed themselves strongly."""

    warning: Route = Route.LOUD
    """Other cascades, stalls, feeds that fail."""

    info: Route = Route.SILENT
    """Levels, ends of cascades, the map, feeds that are back."""

    kinds: dict[Kind, Route] = {}
    """Kinds of alerts that go elsewhere, however grave: `level_approached: digest`."""

    symbols: dict[str, SymbolRoutes] = {}
    """Coins whose alerts go elsewhere: `BTC: {info: off}`; MARKET is the story of all together, and
    the feeds. Stands above `kinds`.
    """

    quiet_hours: QuietHours | None = None
    budget: Budget = Budget()

    digest_every_s: Annotated[int, Meta(ge=60, le=86_400)] = 3600
    """What was folded, or goes to the digest, is summed up after this time."""

    group_after: Annotated[int, Meta(ge=1, le=100)] | None = 2
    """While so many coins cascade the same way, those that join are told in one message. When
    the engine calls it a story of the market, that is told there, too.

    A cascade counts until it has ended. How long ago the others began does not matter: in a market
    that falls as a whole, coins follow each other for an hour. null: each coin has its own, and so
    has the market.
    """

    escalate_usd: Annotated[float, Meta(ge=0)] = 1_000_000.0
    """A running cascade is told again when its forced orders have doubled, from this amount on."""

    inhibit: bool = True
    """What is said of a level while its coin cascades, or its venues are deaf, is no message of its
    own: it goes into the message of the cascade, or into the digest.
    """

    language: Literal["en", "ru"] = "en"

    def route(self, symbol: str, kind: Kind, severity: Severity) -> tuple[Route, str]:
        """Return where such an alert goes, and what the rule that says so is about."""
        own: Route | None = getattr(self.symbols.get(symbol), severity.value, None)
        if own is not None:
            return own, f"{severity} alerts of {symbol}"
        if kind in self.kinds:
            return self.kinds[kind], f"{kind.replace('_', ' ')} alerts"
        of_severity: Route = getattr(self, severity.value)
        return of_severity, f"{severity} alerts"


EVERY_ALERT = Rules(budget=Budget(per_symbol_hour=None, info_hour=None), inhibit=False)
"""For machines, and whoever wants each alert as a message."""
