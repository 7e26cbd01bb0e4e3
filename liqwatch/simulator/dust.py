"""A tiny account with a little of everything on one venue, liquidated everywhere in one second.

Its coins hardly trade: their prices stand still, and venues tell their values now and then.
"""

from collections.abc import Iterator, Sequence

from liqwatch.events import Position
from liqwatch.simulator.outside import STEP_MS
from liqwatch.simulator.past import Past, Path
from liqwatch.simulator.positions import Book, Terms
from liqwatch.simulator.scenarios import Coin
from liqwatch.simulator.seeds import generator
from liqwatch.simulator.traders import VENUE_SHARES, draw_venue
from liqwatch.simulator.world import Fill, ForcedOrder, Step, VenueStep

AT_S = 300  # when it is liquidated
_TOLD_EVERY_MS = 10_000
_POSITION_MEDIAN_USD, _POSITION_SIGMA = 60.0, 1.0
_BANKRUPT_BEYOND = 0.005  # of the price
_HEDGER = Terms(1)


class Dust:
    """The coins of the account; `start_ms` is on a whole second."""

    def __init__(self, coins: Sequence[Coin], *, seed: int, start_ms: int) -> None:
        self._coins, self._seed, self._start_ms = coins, seed, start_ms
        rng = generator(seed, "dust")
        self._venue, self._position = draw_venue(rng), rng.choice(list(Position))
        begin_ms = start_ms + AT_S * 1000
        self._orders = {coin.symbol: self._order(coin, begin_ms) for coin in coins}

    def step(self, time_ms: int) -> Iterator[Step]:
        """Tell of the step that ends now."""
        told = (time_ms - self._start_ms) % _TOLD_EVERY_MS == 0
        liquidated = (time_ms - STEP_MS - self._start_ms) // 1000 == AT_S
        if told or liquidated:
            for coin in self._coins:
                yield self._of_coin(coin, time_ms)

    def pasts(self) -> dict[str, list[Past]]:
        """Make up what the coins did before, by coin and venue."""
        return {coin.symbol: list(self._pasts(coin)) for coin in self._coins}

    def _order(self, coin: Coin, begin_ms: int) -> ForcedOrder:
        rng = generator(self._seed, coin.symbol, "dust")
        sign = 1 if self._position is Position.LONG else -1
        coins = _POSITION_MEDIAN_USD * rng.lognormvariate(0, _POSITION_SIGMA) / coin.price
        bankruptcy_price = coin.price * (1 - sign * _BANKRUPT_BEYOND)
        time_ms = begin_ms + rng.randrange(1000)
        return ForcedOrder(time_ms, self._position, coins, coin.price, bankruptcy_price)

    def _of_coin(self, coin: Coin, time_ms: int) -> Step:
        order = self._orders[coin.symbol]
        buys = order.position is Position.SHORT
        fill = Fill(order.time_ms, order.price, order.coins, buys)
        now = time_ms - STEP_MS <= order.time_ms < time_ms
        venues = tuple(
            VenueStep(
                coin.price,
                coin.price,
                coin.open_interest_usd * share / coin.price,
                [fill] if now and venue == self._venue else [],
                [order] if now and venue == self._venue else [],
            )
            for venue, share in enumerate(VENUE_SHARES)
        )
        return Step(coin.symbol, time_ms, coin.price, 0.0, 0.0, venues)

    def _pasts(self, coin: Coin) -> Iterator[Past]:
        rng = generator(self._seed, coin.symbol, "past")
        path = Path(coin, coin.price, self._start_ms, rng)
        for share in VENUE_SHARES:
            book = Book()
            coins = coin.open_interest_usd * share / coin.price
            book.open(coins, coin.price, _HEDGER, _HEDGER)
            yield Past(coin, share, book, path, rng)
