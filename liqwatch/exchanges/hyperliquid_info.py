"""What Hyperliquid's info endpoint is asked, and its answers as events."""

import math
import re
from collections import Counter
from functools import lru_cache

import msgspec

from liqwatch.events import (
    AccountPosition,
    ContractType,
    Instrument,
    MarginTier,
    MarginTiers,
    Position,
)
from liqwatch.exchanges import hyperliquid_wire as wire
from liqwatch.exchanges.base import MalformedFrame
from liqwatch.exchanges.hyperliquid_wire import (
    AccountState,
    ListingRow,
    MarginTable,
    TierRow,
    Universe,
)
from liqwatch.exchanges.wire import each_good, read

VENUE = "hyperliquid"
LISTED, DELISTED = "listed", "delisted"

_ADDRESS = "https://api.hyperliquid.xyz/info"
_FIRST_TABLE = 50  # ids below are no tables: they are the max leverage itself, in a single tier
_THOUSANDS = re.compile(r"k([A-Z0-9]+)")  # kPEPE, but not KAITO


def info_url(kind: str, **about: str) -> str:
    """Return the address of a question; its fragment is the body of the POST."""
    return f"{_ADDRESS}#{msgspec.json.encode({'type': kind, **about}).decode()}"


@lru_cache(maxsize=4096)
def coin_of(name: str) -> tuple[str, int] | None:
    """Coin and multiplier of a name: `kPEPE` is 1,000 PEPE.

    None for what is not a perpetual of the main dex: `xyz:SP500`, spot `@107` and `PURR/USDC`.
    """
    if not name or any(sign in name for sign in ":@/#"):
        return None
    thousands = _THOUSANDS.fullmatch(name)
    return (thousands[1], 1000) if thousands else (name, 1)


def places_of(meta: Universe, counts: Counter[str]) -> list[tuple[int, ListingRow]]:
    """Return the perpetuals with their places in the list; bad ones keep theirs, and are counted.

    Raises MalformedFrame.
    """
    return each_good(
        enumerate(meta.universe),
        lambda place: [(place[0], read(wire.listing, place[1]))],
        counts,
    )


def instrument_of(row: ListingRow, received: int) -> Instrument | None:
    """Return one perpetual, None for a name of another market."""
    coin = coin_of(row.name)
    if coin is None:
        return None
    symbol, multiplier = coin
    return Instrument(
        venue=VENUE,
        symbol=symbol,
        instrument=row.name,
        time=received // 1_000_000,  # a list has no time of its own
        received=received,
        contract_type=ContractType.LINEAR,
        contract_size=float(multiplier),
        tick_size=1 / (10**row.price_decimals * multiplier),
        status=DELISTED if row.is_delisted else LISTED,
    )


def tables_of(meta: Universe, counts: Counter[str]) -> dict[int, tuple[MarginTier, ...]]:
    """Return the margin tables by id; bad ones are counted."""
    try:
        tables = each_good(meta.margin_tables, lambda row: [read(wire.margin_table, row)], counts)
    except MalformedFrame:
        counts["malformed_row"] += len(meta.margin_tables)
        return {}
    return {number: table.tiers() for number, table in tables}


def margin_tiers_of(
    row: ListingRow, instrument: Instrument, tables: dict[int, tuple[MarginTier, ...]]
) -> MarginTiers | None:
    """Return the margin tiers of a perpetual, None if its table is missing."""
    number = row.max_leverage if row.margin_table_id is None else row.margin_table_id
    tiers = tables.get(number)
    if tiers is None:
        if number >= _FIRST_TABLE:
            return None
        tiers = MarginTable([TierRow(0.0, number)]).tiers()
    return MarginTiers(
        venue=VENUE,
        symbol=instrument.symbol,
        instrument=instrument.instrument,
        time=instrument.time,
        received=instrument.received,
        unit="usd",
        tiers=tiers,
    )


def positions_of(
    account: str, state: AccountState, gone_usd: dict[str, float], received: int
) -> list[AccountPosition]:
    """Return what an account holds, and with size 0 what it held before and holds no more."""
    held = {row.coin: row for row in state.positions}
    sides = {name: row.worth_usd for name, row in held.items()} | gone_usd
    events: list[AccountPosition] = []
    for name, usd in sides.items():
        coin = coin_of(name)
        if coin is None:
            continue
        symbol, multiplier = coin
        row = held.get(name)
        events.append(
            AccountPosition(
                venue=VENUE,
                symbol=symbol,
                instrument=name,
                time=state.time,
                received=received,
                account=account,
                position=Position.LONG if math.copysign(1, usd) > 0 else Position.SHORT,
                size=abs(row.szi) * multiplier if row else 0.0,
                entry_price=_per_coin(row.entry_px if row else None, multiplier),
                liquidation_price=_per_coin(row.liquidation_px if row else None, multiplier),
                leverage=row.leverage.value if row else None,
            )
        )
    return events


def _per_coin(price: float | None, multiplier: int) -> float | None:
    return price / multiplier if price else None
