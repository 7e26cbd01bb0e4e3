"""What the spot venues share: their pairs with dollars, and trades that are heard once.

They bring trades and nothing else. A pair is kept in the form of an instrument, worth one coin (or
the thousand that a cheap one is quoted by), and told to nobody: it is no contract.
"""

from abc import abstractmethod
from collections.abc import Collection, Sequence
from typing import ClassVar, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw, Struct

from liqwatch.events import Completeness, ContractType, Instrument, Side, Trade
from liqwatch.exchanges.base import Channel, Exchange, MalformedFrame, Poll
from liqwatch.exchanges.seen import SeenIds
from liqwatch.exchanges.symbols import choose, split_multiplier
from liqwatch.exchanges.wire import each_good, ignore

_SILENT_AFTER_S = 60.0  # Bitcoin is traded every second; of another coin silence says nothing


class _State(Struct):
    instruments: dict[str, Instrument]
    seen: SeenIds


_state = msgspec.msgpack.Decoder(_State)


class Pair(NamedTuple):
    """A pair as a venue lists it."""

    name: str
    base: str
    tick_size: float
    status: str


class SpotExchange(Exchange):
    """The spot market of one venue. Of a coin it hears the pair that ends with `suffix`.

    Without coins named it would hear every pair, which the configuration refuses to ask for.
    """

    suffix: ClassVar[str]
    trading: ClassVar[str]  # the status that means a pair is open
    pairs: ClassVar[str]  # the address of their list

    spot = True
    completeness = Completeness.UNKNOWN  # nothing is liquidated here
    channels = frozenset({Channel.TRADES})

    def __init__(self) -> None:
        super().__init__()
        self._seen = SeenIds()

    @abstractmethod
    def _rows(self, text: str) -> Sequence[Raw]:
        """Return the rows of the list of pairs. Raises MalformedFrame."""

    @abstractmethod
    def _pair(self, row: Raw) -> Pair | None:
        """Read one row; None of a pair with something else than dollars. Raises MalformedFrame."""

    def bootstrap(self) -> Sequence[Poll]:
        """Ask for the pairs."""
        return [Poll(url=self.pairs, interval_s=3600)]

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:  # noqa: ARG002 - one list for all
        """Reload the pairs; the stream brings everything else."""
        return self.bootstrap()

    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[Trade]:
        """Remember the pairs, which are no events."""
        path = urlsplit(url).path
        if status != 200:
            raise MalformedFrame(f"http_{status}", text[:200])
        if path != urlsplit(self.pairs).path:
            ignore(self.counts, path)
            return ()
        rows = self._rows(text)
        listed = each_good(rows, lambda row: self._instrument(row, received), self.counts)
        if not listed:
            raise MalformedFrame("empty_list", "no pair with dollars in the list")
        self.instruments = {instrument.instrument: instrument for instrument in listed}
        return ()

    def snapshot(self) -> bytes:
        """Pairs, and trades already seen."""
        return msgspec.msgpack.encode(_State(self.instruments, self._seen))

    def restore(self, state: bytes) -> None:
        """Take back what `snapshot` gave. Raises msgspec.MsgspecError."""
        saved = _state.decode(state)
        self.instruments, self._seen = saved.instruments, saved.seen

    def _names(self, symbols: Collection[str] | None) -> list[str]:
        return choose(symbols, self.instruments, suffix=self.suffix, trading=self.trading)

    def _silent_after_s(self, names: Collection[str]) -> float | None:
        return _SILENT_AFTER_S if f"BTC{self.suffix}" in names else None

    def _instrument(self, row: Raw, received: int) -> Sequence[Instrument]:
        pair = self._pair(row)
        if pair is None:
            return ()
        coin, multiplier = split_multiplier(pair.base)
        return (
            Instrument(
                venue=self.venue,
                symbol=coin,
                instrument=pair.name,
                time=received // 1_000_000,  # a list has no time of its own
                received=received,
                contract_type=ContractType.LINEAR,
                contract_size=float(multiplier),
                tick_size=pair.tick_size / multiplier,
                status=pair.status,
            ),
        )

    def _trade(
        self,
        name: str,
        number: int,
        price: float,
        size: float,
        taker: Side,
        *,
        time: int,
        received: int,
        count: int = 1,
    ) -> Sequence[Trade]:
        """Return the trade if it is new; `count` ids that end with `number` were merged in it."""
        pair = self.instruments.get(name)
        if pair is None:
            ours = name.endswith(self.suffix)
            self.counts["unknown_instrument" if ours else "not_this_market"] += 1
            return ()
        missed = self._seen.gap(name, number, count)
        if not self._seen.add(name, number, count):
            self.counts["duplicate"] += 1
            return ()
        if missed:
            self.counts["gap"] += missed
        coins = pair.contract_size
        return (
            Trade(
                self.venue,
                pair.symbol,
                name,
                time,
                received,
                price / coins,
                size * coins,
                taker,
                str(number),
            ),
        )
