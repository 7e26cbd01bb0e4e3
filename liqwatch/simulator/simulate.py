"""Write a simulated market as a tape: what a client of all three venues would have received."""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from liqwatch.records import Close, Record
from liqwatch.simulator.broadcast import Broadcast, Outage
from liqwatch.simulator.frames import Frame, VenueFrames
from liqwatch.simulator.outside import STEP_MS
from liqwatch.simulator.seeds import Random, generator
from liqwatch.simulator.truth import Truth
from liqwatch.sources.tape import TapeWriter

START_MS = 1_791_565_200_000  # a Friday in October 2026, 17:00 UTC
_CONNECT_MS = 1_000  # the client arrives when the market has been running so long
_POLL_MS = 10_000
_MS = 1_000_000  # in ns


def simulate(*, seed: int, scenario: str, out: Path, truth: Path) -> None:
    """Write the scenario as a tape to `out`, and what really happened as JSON to `truth`.

    Raises KeyError for an unknown scenario and OSError where a file cannot be written.
    """
    facts = write_tape(out, scenario=scenario, seed=seed)
    truth.write_bytes(msgspec.json.encode(facts) + b"\n")


def write_tape(path: Path, *, scenario: str, seed: int, start_ms: int = START_MS) -> Truth:
    """Write the tape while the market is being simulated, and return the truth about it."""
    broadcast = Broadcast(scenario, seed=seed, start_ms=start_ms)
    note = f"simulated: {scenario}, seed {seed}"
    with TapeWriter(path, note=note, created_ns=start_ms * _MS) as tape:
        for record in records(broadcast, generator(seed, "client")):
            tape.write(record)
    return broadcast.truth()


def records(broadcast: Broadcast, rng: Random) -> Iterator[Record]:
    """Receive a whole broadcast as a client does, in order of receipt; little is held at a time."""
    client = _Client(broadcast, rng)
    now_ms = broadcast.start_ms + _CONNECT_MS
    broadcast.until(now_ms)  # nobody listens yet
    client.connect(now_ms)
    while now_ms < broadcast.end_ms + _CONNECT_MS:
        now_ms += STEP_MS
        for frame in broadcast.until(now_ms):
            client.hear(frame)
        client.act(now_ms)
        yield from client.received(now_ms)
    client.disconnect(now_ms)
    yield from client.received(now_ms + _CONNECT_MS)


class _Line(msgspec.Struct, frozen=True):
    # One connection, and how long frames take on it.
    venue: VenueFrames
    stream: str
    topics: tuple[str, ...]
    way_ns: int


class _Client:
    def __init__(self, broadcast: Broadcast, rng: Random) -> None:
        self._venues, self._outage, self._rng = broadcast.venues, broadcast.outage, rng
        self._start_ms = broadcast.start_ms
        self._lines: list[_Line] = []
        self._opened: Counter[str] = Counter()
        self._last_ns: dict[str, int] = {}
        self._inbox: list[tuple[int, int, Record]] = []
        self._serial = count()
        self._lost: list[_Line] = []

    def connect(self, now_ms: int) -> None:
        for venue in self._venues:
            for question in venue.bootstrap():
                self._ask(venue, question, now_ms - STEP_MS)
            for topics in venue.connections():
                self._open(venue, topics, now_ms)

    def hear(self, frame: Frame) -> None:
        for line in self._lines:
            if frame.topic in line.topics and frame.venue == line.venue.venue:
                self._note(line, frame.leave_ms, text=frame.text)

    def act(self, now_ms: int) -> None:
        if (now_ms - self._start_ms) % _POLL_MS == 0:
            for venue in self._venues:
                for question in venue.polls():
                    self._ask(venue, question, now_ms)
        if self._outage is not None and now_ms == self._outage.begin_ms:
            self._lose(self._outage, now_ms)
        if self._outage is not None and now_ms == self._outage.end_ms:
            for line in self._lost:
                self._open(line.venue, line.topics, now_ms)

    def disconnect(self, now_ms: int) -> None:
        for line in self._lines:
            self._note(line, now_ms, close=Close(1000))

    def received(self, now_ms: int) -> Iterator[Record]:
        while self._inbox and self._inbox[0][0] <= now_ms * _MS:
            yield heapq.heappop(self._inbox)[2]

    def _lose(self, outage: Outage, now_ms: int) -> None:
        self._lost = [x for x in self._lines if outage.silences(x.venue.venue, x.topics)]
        for line in self._lost:
            self._lines.remove(line)
            self._note(line, now_ms, close=Close(1006))

    def _open(self, venue: VenueFrames, topics: Sequence[str], now_ms: int) -> None:
        self._opened[venue.venue] += 1
        stream = f"{venue.venue}/{self._opened[venue.venue]}"
        line = _Line(venue, stream, tuple(topics), self._rng.randint(15, 60) * _MS)
        self._lines.append(line)
        request = venue.request(topics)
        self._note(line, now_ms, open=venue.websocket)
        self._note(line, now_ms, sent=request)
        greetings = [text for topic in topics if (text := venue.greeting(topic)) is not None]
        for text in (*venue.answer(request, ()).replies, *greetings):
            self._note(line, now_ms, text=text)

    def _ask(self, venue: VenueFrames, question: str, now_ms: int) -> None:
        url = urlsplit(question)
        status, text = venue.rest(url.path, dict(parse_qsl(url.query)))
        at, asked = (now_ms + self._rng.randint(20, 90)) * _MS, venue.rest_host + question
        self._keep(Record(at=at, venue=venue.venue, get=asked, status=status, text=text))

    def _note(self, line: _Line, leave_ms: int, **what: Any) -> None:
        # Nothing overtakes on one connection.
        at = leave_ms * _MS + line.way_ns + int(self._rng.expovariate(1 / 3) * _MS)
        at = self._last_ns[line.stream] = max(at, self._last_ns.get(line.stream, 0))
        self._keep(Record(at=at, venue=line.venue.venue, stream=line.stream, **what))

    def _keep(self, record: Record) -> None:
        heapq.heappush(self._inbox, (record.at, next(self._serial), record))
