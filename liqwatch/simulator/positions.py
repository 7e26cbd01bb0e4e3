"""The open positions of one venue, and at which mark price each of them is closed by force."""

import heapq
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from liqwatch.events import Position

MAINTENANCE_RATE = 0.004
_CLOSING_COUNTERPARTS = 0.6  # of forced fills meet somebody who closes, the rest somebody who opens


class Terms(NamedTuple):
    """How somebody holds a position: leverage 1 is a hedger whom no price liquidates."""

    leverage: float
    spare: float = 0.0  # margin beyond the initial one, as a share of it
    stop: float | None = None  # closes by himself after this share of the way to liquidation
    steps: int = 0  # so large that the venue closes half of it, so many times, before all of it


class Holding(msgspec.Struct, eq=False):
    """One levered position (or several alike)."""

    sign: int  # +1 long, -1 short
    entry: float
    terms: Terms
    coins: float
    liquidating: bool = False

    @property
    def position(self) -> Position:
        """The side, in the words of events."""
        return Position.LONG if self.sign > 0 else Position.SHORT

    @property
    def bankruptcy_price(self) -> float:
        """Where the margin is used up."""
        return self.entry * (1 - self.sign * (1 + self.terms.spare) / self.terms.leverage)

    @property
    def liquidation_price(self) -> float:
        """Where the margin falls to the maintenance rate (linear contract, first tier)."""
        return self.bankruptcy_price / (1 - self.sign * MAINTENANCE_RATE)

    @property
    def exit_price(self) -> float:
        """The mark price at which the position closes: its stop, else its liquidation."""
        if self.terms.stop is None:
            return self.liquidation_price
        return self.entry + self.terms.stop * (self.liquidation_price - self.entry)


class Fund:
    """A venue's insurance fund: it gets what is left of the margin of those who are liquidated, and
    pays what they lose beyond it.
    """

    def __init__(self, usd: float) -> None:
        self.usd = usd

    def settles(self, holding: Holding, coins: float, price: float) -> bool:
        """Book so many coins of a position closed at a price; False, and nothing, if that is more
        than there is.
        """
        left_usd = holding.sign * (price - holding.bankruptcy_price) * coins
        if self.usd + left_usd < 0:
            return False
        self.usd += left_usd
        return True


class Drained(NamedTuple):
    """What a venue did with positions under liquidation, as (position, coins)."""

    sold: list[tuple[Holding, float]]  # on the book (of shorts: bought)
    deleveraged: list[tuple[Holding, float]]  # closed against winners, beside the book


class Book:
    """All positions of a venue. Longs always equal shorts: a contract has one of each."""

    def __init__(self) -> None:
        self._coins = {1: 0.0, -1: 0.0}
        self._hedged = {1: 0.0, -1: 0.0}
        self._levered: dict[int, list[Holding]] = {1: [], -1: []}
        self._exits: dict[int, list[tuple[float, int, Holding]]] = {1: [], -1: []}
        self._serial = 0
        self._queue: deque[Holding] = deque()
        self.queued = 0.0  # coins whose liquidation is triggered and not yet executed

    @property
    def open_interest(self) -> float:
        """Open contracts in coins, counted on one side."""
        return self._coins[1]

    def holdings(self) -> Iterator[Holding]:
        """Every levered position that is still open."""
        levered = {id(h): h for h in (*self._levered[1], *self._levered[-1], *self._queue)}
        return (holding for holding in levered.values() if holding.coins > 0)

    def open(self, coins: float, price: float, long: Terms, short: Terms) -> None:
        """Open contracts between a new long and a new short."""
        for sign, terms in ((1, long), (-1, short)):
            self._coins[sign] += coins
            if terms.leverage <= 1:
                self._hedged[sign] += coins
            else:
                self._hold(Holding(sign, price, terms, coins))

    def close(self, coins: float, long_pick: float, short_pick: float) -> float:
        """Let a long and a short, picked by numbers in [0, 1), close up to so many coins.

        Returns how many they closed.
        """
        holders = {1: self._pick(1, long_pick), -1: self._pick(-1, short_pick)}
        for sign, holder in holders.items():
            coins = min(coins, self._hedged[sign] if holder is None else holder.coins)
        for sign, holder in holders.items():
            self._coins[sign] -= coins
            if holder is None:
                self._hedged[sign] -= coins
            else:
                holder.coins -= coins
        return coins

    def trigger(self, mark_price: float) -> float:
        """Queue every position whose liquidation price the mark has reached, and execute the stops.

        Returns the coins that the stops bought (sold: negative).
        """
        bought = 0.0
        for sign, exits in self._exits.items():
            while exits and exits[0][0] <= -sign * mark_price:
                holding = heapq.heappop(exits)[2]
                if holding.coins <= 0:
                    continue
                if holding.terms.stop is not None:
                    bought -= sign * holding.coins
                    self._execute(holding, holding.coins)
                    continue
                if holding.terms.steps:
                    self._halve(holding, mark_price)
                holding.liquidating = True
                self.queued += holding.coins
                self._queue.append(holding)
        return bought

    def drain(self, coins: float, price: float, fund: Fund) -> Drained:
        """Work off up to so many queued coins, oldest first. Who loses more at this price than the
        fund can pay is not sold any more but deleveraged, all of what he has left.
        """
        drained = Drained([], [])
        while coins > 0 and self._queue:
            holding = self._queue[0]
            part = min(coins, holding.coins)
            if fund.settles(holding, part, price):
                self._execute(holding, part)
                coins -= part
                drained.sold.append((holding, part))
            else:
                part = self._deleverage(holding)
                drained.deleveraged.append((holding, part))
            self.queued -= part
            if holding.coins <= 0:
                self._queue.popleft()
        return drained

    def check(self) -> None:
        """Assert that longs equal shorts and nothing is negative."""
        for sign in (1, -1):
            levered = sum(holding.coins for holding in self.holdings() if holding.sign == sign)
            assert self._hedged[sign] >= 0  # noqa: S101 - an invariant, not input
            assert abs(levered + self._hedged[sign] - self._coins[sign]) < 1e-3  # noqa: S101 - as above
        assert abs(self._coins[1] - self._coins[-1]) < 1e-3  # noqa: S101 - as above

    def _hold(self, holding: Holding) -> None:
        sign = holding.sign
        self._levered[sign].append(holding)
        self._serial += 1
        heapq.heappush(self._exits[sign], (-sign * holding.exit_price, self._serial, holding))

    def _halve(self, holding: Holding, mark_price: float) -> None:
        # The margin, down to the maintenance rate of all of it, then secures half: as if that had
        # been opened here with so much leverage.
        holding.coins /= 2
        terms = Terms(1 / (2 * MAINTENANCE_RATE), steps=holding.terms.steps - 1)
        self._hold(Holding(holding.sign, mark_price, terms, holding.coins))

    def _deleverage(self, holding: Holding) -> float:
        # Those who gain most by their leverage go first, hedgers last; all at the bankruptcy price.
        sign, price, coins = holding.sign, holding.bankruptcy_price, holding.coins
        winners = sorted(
            (one for one in self._levered[-sign] if one.coins > 0 and not one.liquidating),
            key=lambda one: one.sign * (price / one.entry - 1) * one.terms.leverage,
            reverse=True,
        )
        left = coins
        for winner in winners:
            part = min(left, winner.coins)
            winner.coins -= part
            left -= part
            if not left:
                break
        self._hedged[-sign] -= left
        for side in self._coins:
            self._coins[side] -= coins
        holding.coins = 0.0
        return coins

    def _execute(self, holding: Holding, coins: float) -> None:
        # The other side of the trade: partly hedgers who close, partly new ones who open.
        sign = holding.sign
        closing = min(_CLOSING_COUNTERPARTS * coins, self._hedged[-sign])
        holding.coins -= coins
        self._hedged[-sign] -= closing
        self._hedged[sign] += coins - closing
        self._coins[sign] -= closing
        self._coins[-sign] -= closing

    def _pick(self, sign: int, number: float) -> Holding | None:
        # None: a hedger. Positions that are gone or being liquidated leave the list on sight.
        levered = self._levered[sign]
        share = self._hedged[sign] / self._coins[sign]
        if number < share:
            return None
        number = (number - share) / (1 - share)
        while levered:
            index = int(number * len(levered))
            if levered[index].coins > 0 and not levered[index].liquidating:
                return levered[index]
            levered[index] = levered[-1]
            levered.pop()
        return None
