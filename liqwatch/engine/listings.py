"""What the venues tell of their contracts: the type, and the margin tiers.

Told at start-up and now and then, mostly before the first trade, so it is kept by instrument and
not with a coin.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from liqwatch.engine.margin import Terms, usd_tiers
from liqwatch.engine.margin_tables import built_in
from liqwatch.events import ContractType, Instrument, MarginTier, MarginTiers

TIERS_KEPT = 16  # the lowest: typical positions reach no higher


class Listing(msgspec.Struct):
    """One instrument of one venue."""

    venue: str
    symbol: str
    contract_type: ContractType | None = None  # None: not told
    unit: Literal["usd", "coin"] = "usd"
    tiers: tuple[MarginTier, ...] = ()

    def terms(self, price: float) -> Terms:
        """Return the margin terms at this price; what the venue did not tell is as built in."""
        known = built_in(self.venue, self.symbol)
        told = usd_tiers(self.tiers, price if self.unit == "coin" else 1.0)
        return Terms(
            tiers=told or known.tiers,
            fee_rate=known.fee_rate,
            contract_type=self.contract_type or known.contract_type,
        )


def terms_of(listings: Mapping[str, Listing], key: str, symbol: str, price: float) -> Terms:
    """Return the margin terms of an instrument, known by its key, at this price."""
    venue = key.partition("|")[0]
    return listings.get(key, Listing(venue, symbol)).terms(price)


def note(listings: dict[str, Listing], event: Instrument | MarginTiers) -> None:
    """Remember what a venue tells of a contract."""
    key = f"{event.venue}|{event.instrument}"
    listing = listings.get(key)
    if listing is None:
        listing = listings[key] = Listing(event.venue, event.symbol)
    if isinstance(event, Instrument):
        listing.contract_type = event.contract_type
    else:
        listing.unit, listing.tiers = event.unit, event.tiers[:TIERS_KEPT]
