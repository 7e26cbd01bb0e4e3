"""Which of Hyperliquid's users to follow, learned from the public trades, which name both parties.

Two kinds are followed: makers, whose fills reveal the liquidations they take part in, and accounts
whose positions are worth asking for.
"""

import heapq
from collections.abc import Iterable

from msgspec import Struct, field

from liqwatch.exchanges.seen import remember

HLP = "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303"  # the parent of these, without fills of its own
_MAKERS = (
    "0x010461c14e146ac35fe42271bdc1134ee31c703a",  # HLP Strategy A
    "0x31ca8395cf837de08b24da3f660e77761dfb974b",  # HLP Strategy B
)
_STRATEGIES = (*_MAKERS, "0x469f690213c467c39a23efacfd2816896009d7d8")  # Strategy X
_LIQUIDATORS = (
    "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14",
    "0xb0a55f13d22f66e6d495ac98113841b2326e9540",
    "0x5e177e5e39c0f4e421f5865a6d8beed8d921cb70",
    "0x2ed5c4484ea3ff8b57d5f2fb152a40d9f2b68308",
)

# 10 users may be followed from one network address. While one connection replaces another, both
# count, so one place stays free: for the maker who is new.
_FOLLOWED = 9
_FIRST_CHOICE_MS = 10 * 60_000
_NEXT_CHOICE_MS = 6 * 3_600_000

_ACCOUNTS = 1000
_ACCOUNTS_CHOICE_MS = 3_600_000
_RANKED = 4096


class Ranking(Struct):
    """Dollars traded by user. Whenever 4,096 are known, the lower half is forgotten and everybody
    else's count is halved, so that the past fades.
    """

    usd: dict[str, float] = {}

    def add(self, user: str, usd: float) -> None:
        """Count a trade."""
        self.usd[user] = self.usd.get(user, 0.0) + usd
        if len(self.usd) >= _RANKED:
            self.usd = {user: self.usd[user] / 2 for user in self.top(_RANKED // 2)}

    def top(self, count: int, *, without: Iterable[str] = ()) -> list[str]:
        """Return the users who traded most, most first."""
        left = self.usd.keys() - set(without)
        return heapq.nsmallest(count, left, key=lambda user: (-self.usd[user], user))


class Makers(Struct):
    """The users whose fills are listened to: HLP's liquidators, its makers, and the largest others.

    The others are chosen after ten minutes of trades and looked at again every six hours, when one
    may be replaced. `watched_usd` of `total_usd` traded was with one of all these as the maker.
    """

    liquidators: list[str] = field(default_factory=lambda: list(_LIQUIDATORS))
    learned: list[str] = []
    followed: list[str] = field(default_factory=lambda: sorted((*_LIQUIDATORS, *_MAKERS)))
    ranking: Ranking = field(default_factory=Ranking)
    watched_usd: float = 0.0
    total_usd: float = 0.0
    choose_ms: int = 0

    @property
    def coverage(self) -> float | None:
        """The share of what is traded that a followed maker takes part in, from 0 to 1."""
        return self.watched_usd / self.total_usd if self.total_usd else None

    def is_vault(self, user: str) -> bool:
        """Whether this is one of HLP's own accounts, and no user's."""
        return user in self.liquidators or user in _STRATEGIES or user in _LIQUIDATORS

    def resolve(self, children: Iterable[str]) -> None:
        """Take HLP's children as the venue lists them; those who do not make markets liquidate."""
        others = [child.lower() for child in children if child.lower() not in _STRATEGIES]
        self.liquidators = others[: _FOLLOWED - len(_MAKERS)] or self.liquidators
        self.learned = self.learned[: self._places]
        self._follow()

    def traded(self, maker: str, usd: float, now_ms: int) -> None:
        """Count a trade at the venue's time `now_ms`."""
        self.ranking.add(maker, usd)
        self.total_usd += usd
        if maker in self.followed:
            self.watched_usd += usd
        if not self.choose_ms:
            self.choose_ms = now_ms + _FIRST_CHOICE_MS
        elif now_ms >= self.choose_ms:
            self.choose_ms = now_ms + _NEXT_CHOICE_MS
            self._choose()
            self._follow()

    @property
    def _places(self) -> int:
        return _FOLLOWED - len(self.liquidators) - len(_MAKERS)

    def _choose(self) -> None:
        best = self.ranking.top(self._places, without=(*self.liquidators, *_MAKERS))
        new = [maker for maker in best if maker not in self.learned]
        free = self._places - len(self.learned)
        if new and not free:
            self.learned.remove(min(self.learned, key=lambda maker: self.ranking.usd.get(maker, 0)))
            free = 1
        self.learned += new[:free]
        self.watched_usd /= 2
        self.total_usd /= 2

    def _follow(self) -> None:
        self.followed = sorted({*self.liquidators, *_MAKERS, *self.learned})


class Accounts(Struct):
    """The accounts whose positions are asked for, and what they held when last asked.

    At first those who trade first; every hour, half of the places go to those who hold most, the
    other half to those who take most from the book.
    """

    asked: dict[str, None] = {}
    held: dict[str, dict[str, float]] = {}  # by account and instrument, in dollars; shorts negative
    ranking: Ranking = field(default_factory=Ranking)
    choose_ms: int = 0

    def traded(self, taker: str, usd: float, now_ms: int) -> None:
        """Count a trade at the venue's time `now_ms`."""
        self.ranking.add(taker, usd)
        if len(self.asked) < _ACCOUNTS:
            self.asked[taker] = None
        if now_ms >= self.choose_ms:
            if self.choose_ms:
                self._choose()
            self.choose_ms = now_ms + _ACCOUNTS_CHOICE_MS

    def holds(self, account: str, held_usd: dict[str, float]) -> dict[str, float]:
        """Remember what an account holds; return what it held of what is gone."""
        before = self.held.pop(
            account, {}
        )  # so that the ones not asked any more are forgotten first
        remember(self.held, account, held_usd)
        return {name: usd for name, usd in before.items() if name not in held_usd}

    def _choose(self) -> None:
        worth = {
            account: sum(map(abs, held.values())) for account, held in self.held.items() if held
        }
        holders = heapq.nsmallest(_ACCOUNTS // 2, worth, key=lambda who: (-worth[who], who))
        takers = self.ranking.top(_ACCOUNTS - len(holders), without=holders)
        self.asked = dict.fromkeys([*holders, *takers])
