"""What all simulated venues share: steps of the market in, frames in the venue's words out."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import msgspec

from liqwatch.simulator.past import Past
from liqwatch.simulator.scenarios import Coin
from liqwatch.simulator.seeds import Random
from liqwatch.simulator.world import ForcedOrder, Step, VenueStep

HOUR_MS = 3_600_000
FUNDING_RATE = 0.0001
LISTED_MS = 1_569_398_400_000  # when the simulated contracts were listed
_LEAVES_AFTER_MS = (20, 120)


class Frame(NamedTuple):
    """A frame for all who subscribed to `topic`; it leaves at market time `leave_ms`."""

    leave_ms: int
    venue: str
    topic: str
    text: str


class Answer(NamedTuple):
    """What a venue says to a client's frame, and what the client hears from now on."""

    replies: tuple[str, ...]
    topics: tuple[str, ...] = ()


class VenueFrames(ABC):
    """One venue's wire format. Keeps what later frames depend on: ids, throttles, values."""

    venue: ClassVar[str]
    number: ClassVar[int]  # of its part in a Step
    websocket: ClassVar[str]
    rest_host: ClassVar[str]

    def __init__(self, coins: Sequence[Coin], rng: Random, start_ms: int) -> None:
        self.coins = {coin.symbol: coin for coin in coins}
        self._rng = rng
        self._start_ms = start_ms
        self._left_ms: dict[str, int] = {}
        self.pasts: dict[str, Past] = {}  # by coin, before the first frame

    @abstractmethod
    def topics(self) -> Sequence[str]:
        """Everything one can subscribe to."""

    def connections(self) -> Sequence[Sequence[str]]:
        """All topics, by the connections that clients spread them over."""
        return [self.topics()]

    @abstractmethod
    def request(self, topics: Sequence[str]) -> str:
        """Return the frame with which a client subscribes to these topics."""

    @abstractmethod
    def answer(self, request: str, subscribed: Collection[str]) -> Answer:
        """Answer a client's frame; `subscribed` is what it hears already."""

    @abstractmethod
    def greeting(self, topic: str) -> str | None:
        """Return the frame that a new subscriber gets at once, if the topic has one."""

    @abstractmethod
    def step(self, step: Step) -> Iterator[Frame]:
        """Tell what the venue sends about a step of one coin."""

    @abstractmethod
    def bootstrap(self) -> Sequence[str]:
        """Path and query of what clients ask by REST before anything else."""

    def polls(self) -> Sequence[str]:
        """Path and query of what clients ask by REST again and again."""
        return []

    @abstractmethod
    def rest(self, path: str, query: Mapping[str, str]) -> tuple[int, str]:
        """Answer a REST request with status and body."""

    def part(self, step: Step) -> VenueStep:
        """Return this venue's part of a step."""
        return step.venues[self.number]

    def frame(self, topic: str, event_ms: int, payload: object) -> Frame:
        """Send `payload` off, some ms after its event and never before what went out earlier."""
        leave_ms = event_ms + self._rng.randint(*_LEAVES_AFTER_MS)
        leave_ms = self._left_ms[topic] = max(leave_ms, self._left_ms.get(topic, 0))
        return Frame(leave_ms, self.venue, topic, encode(payload))

    def next_funding_ms(self, time_ms: int) -> int:
        """Funding is paid every eight hours."""
        return (time_ms // (8 * HOUR_MS) + 1) * 8 * HOUR_MS


class Throttle:
    """Lets one forced order a second through, as some venues do: the largest or the last one."""

    def __init__(self, *, largest: bool) -> None:
        self._largest = largest
        self._held: dict[str, ForcedOrder] = {}

    def step(self, step: Step, forced: Sequence[ForcedOrder]) -> ForcedOrder | None:
        """Take the orders of a step; at the end of a second get the one that is published."""
        for order in forced:
            held = self._held.get(step.symbol)
            if held is None or not self._largest or order.coins > held.coins:
                self._held[step.symbol] = order
        return self._held.pop(step.symbol, None) if is_whole_second(step) else None


def is_whole_second(step: Step, seconds: int = 1) -> bool:
    """Say whether a step ends a second (or so many of them)."""
    return step.time_ms % (1000 * seconds) == 0


def encode(payload: object) -> str:
    """Write JSON as venues do, without blanks."""
    return msgspec.json.encode(payload).decode()


def decode_object(text: str) -> dict[str, Any] | None:
    """Read a client's JSON object; None for anything else."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (ValueError, RecursionError):
        return None


def decimals(unit: float) -> int:
    """Count the decimals of a tick or lot."""
    return max(0, len(f"{unit:.8f}".rstrip("0").partition(".")[2]))


def price_text(price: float, coin: Coin) -> str:
    """Write a price on the tick."""
    return f"{price:.{decimals(coin.tick)}f}"


def size_text(size: float, lot: float) -> str:
    """Write a size in whole lots, one at least."""
    return f"{max(size, lot):.{decimals(lot)}f}"
