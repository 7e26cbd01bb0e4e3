"""A whole scenario as the frames that its venues send, in the order in which they leave."""

import heapq
from collections.abc import Iterable

import msgspec

from liqwatch.simulator.binance_frames import BinanceFrames
from liqwatch.simulator.bybit_frames import BybitFrames
from liqwatch.simulator.dust import Dust
from liqwatch.simulator.frames import Frame, VenueFrames
from liqwatch.simulator.okx_frames import OkxFrames
from liqwatch.simulator.past import Past, pasts
from liqwatch.simulator.scenarios import SCENARIOS
from liqwatch.simulator.seeds import generator
from liqwatch.simulator.truth import Truth, Witness
from liqwatch.simulator.world import Step, worlds

_OUTAGE_AFTER_ONSET_MS, _OUTAGE_MS = 4_000, 20_000


_PLAYED = (BinanceFrames, BybitFrames, OkxFrames)
VENUES = tuple(kind.venue for kind in _PLAYED)


class Outage(msgspec.Struct, frozen=True):
    """Nobody can hear these topics of the venue in this time."""

    venue: str
    channel: str  # how the topics begin
    begin_ms: int
    end_ms: int

    def lasts(self, time_ms: int) -> bool:
        """Say whether it is going on."""
        return self.begin_ms <= time_ms < self.end_ms

    def silences(self, venue: str, topics: Iterable[str]) -> bool:
        """Say whether a connection with these topics breaks off."""
        return venue == self.venue and any(topic.startswith(self.channel) for topic in topics)


class Course:
    """The markets of a scenario, step by step, and the truth about them."""

    def __init__(self, scenario: str, *, seed: int, start_ms: int) -> None:
        plan = SCENARIOS[scenario]
        self._name, self._seed, self._start_ms = scenario, seed, start_ms
        self._worlds = worlds(plan, seed=seed, start_ms=start_ms)
        self._dust = Dust(plan.dust, seed=seed, start_ms=start_ms)
        self._witnesses = [Witness(world) for world in self._worlds]
        self.end_ms = start_ms + plan.seconds * 1000

    @property
    def time_ms(self) -> int:
        """How far the markets have come."""
        return self._worlds[0].time_ms

    def step(self) -> list[Step]:
        """Live a quarter of a second in every coin."""
        steps = [world.step() for world in self._worlds]
        for witness, step in zip(self._witnesses, steps, strict=True):
            witness.see(step)
        return [*steps, *self._dust.step(self.time_ms)]

    def pasts(self) -> dict[str, list[Past]]:
        """Make up what the markets did before, by coin and venue; only before the first step."""
        lived = {world.plan.coin.symbol: pasts(world, seed=self._seed) for world in self._worlds}
        return lived | self._dust.pasts()

    def truth(self) -> Truth:
        """Tell what happened so far."""
        return Truth(
            scenario=self._name,
            seed=self._seed,
            symbols=[world.plan.coin.symbol for world in self._worlds],
            begin_ms=self._start_ms,
            end_ms=self.time_ms,
            legs=[leg for witness in self._witnesses for leg in witness.legs()],
            levels=[w.level for w in self._witnesses if w.level is not None],
        )


class Broadcast:
    """The venues of a scenario. The same name, seed and start give the same frames."""

    def __init__(self, scenario: str, *, seed: int, start_ms: int) -> None:
        self._course = Course(scenario, seed=seed, start_ms=start_ms)
        told = SCENARIOS[scenario]
        coins = [*(plan.coin for plan in told.plans), *told.dust]
        self.venues: tuple[VenueFrames, ...] = tuple(
            kind(coins, generator(seed, kind.venue), start_ms) for kind in _PLAYED
        )
        for coin, pasts_of_coin in self._course.pasts().items():
            for venue in self.venues:
                venue.pasts[coin] = pasts_of_coin[venue.number]
        self.outage = _outage(scenario, seed=seed, start_ms=start_ms)
        self.start_ms, self.end_ms = start_ms, self._course.end_ms
        self._leaving: list[tuple[int, int, Frame]] = []
        self._serial = 0

    def until(self, time_ms: int) -> list[Frame]:
        """Return the frames that leave up to this time and were not returned before."""
        while self._course.time_ms < min(time_ms, self.end_ms):
            for step in self._course.step():
                for venue in self.venues:
                    for frame in venue.step(step):
                        self._serial += 1
                        heapq.heappush(self._leaving, (frame.leave_ms, self._serial, frame))
        frames = []
        while self._leaving and self._leaving[0][0] <= time_ms:
            frames.append(heapq.heappop(self._leaving)[2])
        return frames

    def truth(self) -> Truth:
        """Tell what happened so far."""
        return self._course.truth()


def rehearse(scenario: str, *, seed: int, start_ms: int) -> Truth:
    """Live a scenario to its end without sending anything, for the truth about it."""
    course = Course(scenario, seed=seed, start_ms=start_ms)
    while course.time_ms < course.end_ms:
        course.step()
    return course.truth()


def _outage(scenario: str, *, seed: int, start_ms: int) -> Outage | None:
    if not SCENARIOS[scenario].outage:
        return None
    legs = [leg for leg in rehearse(scenario, seed=seed, start_ms=start_ms).legs if not leg.minor]
    if not legs:
        return None
    begin_ms = legs[0].onset_ms + _OUTAGE_AFTER_ONSET_MS
    return Outage(BybitFrames.venue, BybitFrames.liquidations, begin_ms, begin_ms + _OUTAGE_MS)
