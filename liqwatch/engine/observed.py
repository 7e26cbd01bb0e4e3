"""Positions that a venue publishes account by account: no estimate, but not all of them either."""

from heapq import nlargest
from math import floor, log

import msgspec

from liqwatch.engine.margin import Terms
from liqwatch.events import AccountPosition, Position

MOST_ACCOUNTS = 1000  # of one instrument; the largest are kept
LEAST_USD = 1_000.0  # a smaller position tells nothing
# An account that is asked about is asked every five minutes: it was missed three times …
ASKED_MS = 900_000
# … while one that is known by its trades has what it had until it trades, if we were there.
TRADED_MS = 86_400_000


class Holding(msgspec.Struct, frozen=True):
    """What one account holds of one instrument."""

    position: Position
    size: float  # base coins
    liquidation_price: float | None  # None: never liquidated
    derived: bool  # by our own formula, the venue gave none
    told_ms: int = 0


class Observed(msgspec.Struct):
    """The accounts of one instrument whose position is known."""

    accounts: dict[str, Holding] = msgspec.field(default_factory=dict)
    published: bool = (
        False  # the venue gives liquidation prices: where it gives none, there is none
    )

    def take(self, event: AccountPosition, price: float, terms: Terms) -> None:
        """Take the latest of one account; `price` says what its coins are worth."""
        self.accounts.pop(event.account, None)
        if event.size * price < LEAST_USD:
            return
        if event.liquidation_price is not None and not self.published:
            self.published = True
            for account, held in self.accounts.items():
                if held.derived:
                    self.accounts[account] = msgspec.structs.replace(held, liquidation_price=None)
        self.accounts[event.account] = Holding(
            event.position,
            event.size,
            event.liquidation_price or self._derived_price(event, terms),
            derived=event.liquidation_price is None,
            told_ms=event.time,
        )
        if len(self.accounts) > 1.2 * MOST_ACCOUNTS:
            largest = nlargest(MOST_ACCOUNTS, self.accounts.items(), key=lambda item: item[1].size)
            self.accounts = dict(largest)

    def _derived_price(self, event: AccountPosition, terms: Terms) -> float | None:
        if self.published or not event.entry_price or not event.leverage:
            return None
        ratio = terms.liquidation_ratio(
            event.position,
            leverage=event.leverage,
            notional_usd=event.size * event.entry_price,
        )
        return ratio and ratio * event.entry_price

    def forget(self, now_ms: int) -> None:
        """Let go of accounts not heard of for too long; our estimate speaks for them again."""
        oldest_ms = now_ms - (ASKED_MS if self.published else TRADED_MS)
        gone = [account for account, held in self.accounts.items() if held.told_ms < oldest_ms]
        for account in gone:
            del self.accounts[account]

    def sweep(self, price: float) -> None:
        """Let go of what is liquidated with the mark at this price."""
        gone = [account for account, held in self.accounts.items() if _passed(held, price)]
        for account in gone:
            del self.accounts[account]

    def size(self, position: Position) -> float:
        """Return the base coins held on one side, by those too whom no price liquidates."""
        return sum(held.size for held in self.accounts.values() if held.position is position)

    def mass(self, position: Position, bucket: float) -> dict[int, float]:
        """Return the USD liquidated by bucket, at the price at which that happens."""
        mass: dict[int, float] = {}
        for held in self.accounts.values():
            price = held.liquidation_price
            if held.position is position and price is not None:
                key = floor(log(price) / bucket)
                mass[key] = mass.get(key, 0.0) + held.size * price
        return mass


def _passed(held: Holding, price: float) -> bool:
    if held.liquidation_price is None:
        return False
    if held.position is Position.LONG:
        return price <= held.liquidation_price
    return price >= held.liquidation_price
