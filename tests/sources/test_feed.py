"""Feeds against a real websocket server on loopback. The frames are invented.

{"ack": [...]}, {"refuse": ..., "topics": [...]}, {"notice": ...}, {"ping": ...} and "pong" are the
venue's words about the connection, anything else is data.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from itertools import count, pairwise
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs
from websockets.asyncio.server import ServerConnection

from liqwatch.clock import ScaledClock, WallClock
from liqwatch.exchanges.base import (
    Acknowledged,
    Alive,
    Control,
    Endpoint,
    Heartbeat,
    Notice,
    Refused,
    Reply,
)
from liqwatch.records import Close, Record
from liqwatch.sources import transport
from liqwatch.sources.connection import MOST_REPLIES, Shared
from liqwatch.sources.feed import Feed
from liqwatch.sources.subscriptions import Subscriptions
from liqwatch.sources.supervise import Budget
from liqwatch.sources.transport import MAX_FRAME_BYTES, ConnectionLost, rewrite_url

Venue = Callable[..., Awaitable[str]]
ACK = '{"ack":["trades","liquidations"]}'


def controls(frame: str | None) -> Sequence[Control]:
    try:
        said = json.loads(frame or "")
    except ValueError:
        return ()
    control: Control | None = None
    match said:
        case {"ack": topics}:
            control = Acknowledged(tuple(topics))
        case {"refuse": reason, "topics": topics}:
            control = Refused(reason, tuple(topics))
        case {"notice": reason}:
            control = Notice(reason)
        case {"ping": number}:
            control = Reply(f'{{"pong":{number}}}')
        case "pong":
            control = Alive()
    return () if control is None else (control,)


class Listener:
    """A feed of two topics, and everything that reached it."""

    def __init__(self, url: str, *, feed: dict[str, Any] | None = None, **endpoint: Any) -> None:
        self.records: list[Record] = []
        self.healthy = 0
        usual: dict[str, Any] = {
            "requests": ('{"subscribe":"trades"}', '{"subscribe":"liquidations"}'),
            "topics": ("trades", "liquidations"),
            "request_gap_s": 0.001,
            "idle_timeout_s": 0.2,
        }
        settings: dict[str, Any] = {
            "ingest": self.ingest,
            "budget": Budget(1e6),
            "clock": WallClock(),
            "backoff": lambda _: 0.05,
            "overlap_s": 0.02,
        }
        self.gaps: list[tuple[int, int]] = []
        self.feed = Feed(
            Shared(
                venue="v",
                names=(f"v/{n}" for n in count(1)),
                log=structlog.get_logger().bind(venue="v"),
                **settings | (feed or {}),
            ),
            Endpoint(url=url, **(usual | endpoint)),
            on_gap=lambda *gap: self.gaps.append(gap),
        )

    def ingest(self, record: Record) -> Sequence[Control]:
        self.records.append(record)
        return controls(record.text)

    def on_healthy(self) -> None:
        self.healthy += 1

    async def until_lost(self) -> ConnectionLost:
        with pytest.raises(ConnectionLost) as raised:
            await self.feed.run(self.on_healthy)
        return raised.value

    async def run_for(self, seconds: float) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(self.feed.run(self.on_healthy), seconds)

    async def run_until(self, done: Callable[[], bool]) -> None:
        running = asyncio.create_task(self.feed.run(self.on_healthy))
        async with asyncio.timeout(5):
            while not done():  # noqa: ASYNC110 - the test must not disturb what it watches
                await asyncio.sleep(0.005)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    def of(self, stream: str) -> list[tuple[str, object]]:
        """What happened on one stream, in order: (kind, content)."""
        kinds = ("open", "sent", "text", "b64", "close")
        return [
            (kind, what)
            for record in self.records
            for kind in kinds
            if record.stream == stream and (what := getattr(record, kind)) is not None
        ]


def closed(listener: Listener, stream: str) -> bool:
    return any(kind == "close" for kind, _ in listener.of(stream))


async def hear_out(socket: ServerConnection) -> None:
    """Take both subscriptions and acknowledge them."""
    await socket.recv()
    await socket.recv()
    await socket.send(ACK)


async def tick(socket: ServerConnection) -> None:
    """Send data until the client goes."""
    for n in count():
        await socket.send(f'{{"n":{n}}}')
        await asyncio.sleep(0.01)


async def serve_well(socket: ServerConnection) -> None:
    await hear_out(socket)
    await tick(socket)


async def test_a_connection_is_told_from_open_to_close_in_order(venue: Venue) -> None:
    async def speak(socket: ServerConnection) -> None:
        await hear_out(socket)
        await socket.send('{"n":1}')
        await socket.close(4000, "enough")

    listener = Listener(await venue(speak))
    before_ns = WallClock().now_ns()

    lost = await listener.until_lost()

    assert listener.of("v/1") == [
        ("open", listener.feed.endpoint.url),
        ("sent", '{"subscribe":"trades"}'),
        ("sent", '{"subscribe":"liquidations"}'),
        ("text", ACK),
        ("text", '{"n":1}'),
        ("close", Close(4000, lost.reason)),
    ]
    times = [record.at for record in listener.records]
    assert times == sorted(times)
    assert before_ns < times[0] < times[-1] <= WallClock().now_ns()
    assert {record.venue for record in listener.records} == {"v"}


@pytest.mark.parametrize("code", [1001, 1012, 1013, 4000])
async def test_the_close_code_is_told(venue: Venue, code: int) -> None:
    listener = Listener(await venue(lambda socket: socket.close(code)))

    lost = await listener.until_lost()

    assert lost.code == code
    assert listener.records[-1].close == Close(code, lost.reason)


async def test_every_reconnect_is_a_stream_of_its_own(venue: Venue) -> None:
    listener = Listener(await venue(lambda socket: socket.close(1012)))

    for _ in range(3):
        await listener.until_lost()

    closed = [record.stream for record in listener.records if record.close]
    assert closed == ["v/1", "v/2", "v/3"]


async def test_garbage_and_binary_frames_are_passed_on_and_the_stream_lives(venue: Venue) -> None:
    async def mumble(socket: ServerConnection) -> None:
        await hear_out(socket)
        for frame in ("", "not json", "[", b"\x00\xff\x1f\x8b", b"", '{"n":NaN}', '{"n":1}'):
            await socket.send(frame)
        await socket.close()

    listener = Listener(await venue(mumble))

    await listener.until_lost()

    assert listener.of("v/1")[4:-1] == [
        ("text", ""),
        ("text", "not json"),
        ("text", "["),
        ("b64", b"\x00\xff\x1f\x8b"),
        ("b64", b""),
        ("text", '{"n":NaN}'),
        ("text", '{"n":1}'),
    ]


async def test_a_venue_that_says_goodbye_and_never_hangs_up_is_left(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "CLOSE_TIMEOUT_S", 0.05)
    hang_up = asyncio.Event()

    async def linger(socket: ServerConnection) -> None:
        await hear_out(socket)
        raw = socket.transport
        raw.pause_reading()  # so that the answer to the close frame is never seen
        raw.write(b"\x81\x01a" * 3 + b"\x88\x02\x03\xf4")
        await hang_up.wait()
        raw.abort()

    listener = Listener(await venue(linger), idle_timeout_s=0.4)

    lost = await listener.until_lost()
    hang_up.set()

    assert lost.code == 1012
    assert listener.of("v/1")[-4:-1] == [("text", "a")] * 3


async def test_a_huge_frame_is_refused_and_a_new_connection_works(venue: Venue) -> None:
    connections = count(1)

    async def flood_once(socket: ServerConnection) -> None:
        await hear_out(socket)
        await socket.send("x" * (MAX_FRAME_BYTES + 1) if next(connections) == 1 else '{"n":1}')
        await socket.close()

    listener = Listener(await venue(flood_once))

    assert (await listener.until_lost()).code == 1009
    assert (await listener.until_lost()).code == 1000
    assert ("text", '{"n":1}') in listener.of("v/2")


async def test_silence_is_a_lost_connection(venue: Venue) -> None:
    async def fall_silent(socket: ServerConnection) -> None:
        await hear_out(socket)
        await socket.wait_closed()

    listener = Listener(await venue(fall_silent))

    lost = await listener.until_lost()

    assert lost.reason == "nothing received for 0.2 s"
    assert listener.records[-1].close == Close(1006, lost.reason)


async def test_a_slow_stream_is_not_silence(venue: Venue) -> None:
    async def speak_slowly(socket: ServerConnection) -> None:
        await hear_out(socket)
        while True:
            await asyncio.sleep(0.15)
            await socket.send('{"n":1}')

    await Listener(await venue(speak_slowly), idle_timeout_s=0.4).run_for(0.7)


async def test_requests_keep_the_pace_of_the_venue(venue: Venue) -> None:
    listener = Listener(await venue(serve_well), request_gap_s=0.1)

    await listener.run_until(lambda: ("text", ACK) in listener.of("v/1"))

    first, second = (record.at for record in listener.records if record.sent)
    assert second - first >= 99_000_000


async def test_the_heartbeat_is_what_the_venue_wants_to_hear(venue: Venue) -> None:
    heard = []

    async def listen(socket: ServerConnection) -> None:
        async for frame in socket:
            heard.append(frame)
            await socket.send("pong")

    listener = Listener(await venue(listen), heartbeat=Heartbeat("ping", 0.05))

    await listener.run_until(lambda: len(heard) == 5)

    assert heard == [*listener.feed.endpoint.requests, *["ping"] * 3]
    pings = [record.at for record in listener.records if record.sent == "ping"]
    assert all(later - ping >= 49_000_000 for ping, later in pairwise(pings))


async def test_heartbeats_go_by_the_clock_of_the_market(venue: Venue) -> None:
    clock = ScaledClock(start_ns=0, speed=1_000)
    heartbeat = Heartbeat("ping", 20)
    listener = Listener(await venue(serve_well), heartbeat=heartbeat, feed={"clock": clock})

    await listener.run_until(lambda: listener.of("v/1").count(("sent", "ping")) == 5)

    assert clock.now_ns() < 1_000 * 10**9


async def test_a_partial_refusal_is_told_once_and_the_rest_goes_on(venue: Venue) -> None:
    async def refuse_one(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send('{"ack":["trades"]}')
        await socket.recv()
        await socket.send('{"refuse":"60018: no such channel","topics":["liquidations"]}')
        for n in range(10):
            await socket.send(f'{{"n":{n}}}')
        await socket.close(1012)

    listener = Listener(await venue(refuse_one), feed={"ack_timeout_s": 0.0})
    with capture_logs() as logs:
        for _ in range(3):
            await listener.until_lost()

    assert logs == [
        {
            "event": "subscription refused",
            "log_level": "warning",
            "venue": "v",
            "reason": "60018: no such channel",
            "topics": ("liquidations",),
        }
    ]
    assert ("text", '{"n":9}') in listener.of("v/3")


async def test_a_subscription_nobody_answers_is_told_once(venue: Venue) -> None:
    async def answer_half(socket: ServerConnection) -> None:
        await socket.send('{"ack":["trades"]}')
        for n in range(12):
            await socket.send(f'{{"n":{n}}}')
            await asyncio.sleep(0.02)

    listener = Listener(await venue(answer_half), feed={"ack_timeout_s": 0.1})
    with capture_logs() as logs:
        await listener.until_lost()
        await listener.until_lost()

    assert [(log["event"], log["topics"]) for log in logs] == [
        ("subscription not acknowledged", ["liquidations"])
    ]


async def test_answers_that_name_no_topic_count_by_request(venue: Venue) -> None:
    async def answer_shortly(socket: ServerConnection) -> None:
        await socket.send('{"ack":[]}')
        await socket.send('{"ack":[]}')
        await tick(socket)

    with capture_logs() as logs:
        await Listener(await venue(answer_shortly), feed={"ack_timeout_s": 0.05}).run_for(0.2)

    assert logs == []


async def test_topics_in_the_address_need_no_answer(venue: Venue) -> None:
    listener = Listener(await venue(tick), requests=(), feed={"ack_timeout_s": 0.05})

    with capture_logs() as logs:
        await listener.run_for(0.2)

    assert logs == []


async def test_health_is_data_that_flowed_for_a_while(venue: Venue) -> None:
    listener = Listener(await venue(serve_well), feed={"healthy_after_s": 0.2})

    await listener.run_until(lambda: listener.healthy > 0)

    data = [record.at for record in listener.records if record.text not in (None, ACK)]
    assert data[-1] - data[0] >= 190_000_000


async def test_acknowledgements_alone_are_no_health(venue: Venue) -> None:
    async def acknowledge(socket: ServerConnection) -> None:
        while True:
            await socket.send(ACK)
            await asyncio.sleep(0.01)

    listener = Listener(await venue(acknowledge), feed={"healthy_after_s": 0.05})

    await listener.run_for(0.3)

    assert listener.healthy == 0


async def test_after_a_notice_the_new_connection_delivers_before_the_old_one_closes(
    venue: Venue,
) -> None:
    connections = count(1)

    async def serve(socket: ServerConnection) -> None:
        first = next(connections) == 1
        await hear_out(socket)
        for n in count():
            if first and n == 10:
                await socket.send('{"notice":"64008: upgrade"}')
            await socket.send(f'{{"n":{n}}}')
            await asyncio.sleep(0.01)

    listener = Listener(await venue(serve), feed={"healthy_after_s": 0.05})
    with capture_logs() as logs:
        await listener.run_until(lambda: closed(listener, "v/1"))

    old, new = listener.of("v/1"), listener.of("v/2")
    assert old[-1] == ("close", Close(1000, "replaced by v/2"))
    assert new[-1] == ("close", Close(1000, "stopped"))
    kinds = [(r.stream, r.text) for r in listener.records if r.text]
    assert kinds.index(("v/2", '{"n":0}')) < max(
        at for at, (stream, _) in enumerate(kinds) if stream == "v/1"
    )
    assert [(log["event"], log["reason"]) for log in logs] == [
        ("opening another connection", "64008: upgrade")
    ]


async def test_rotation_is_a_handover_too(venue: Venue) -> None:
    listener = Listener(
        await venue(serve_well), rotate_after_s=0.15, feed={"healthy_after_s": 0.05}
    )

    with capture_logs():
        await listener.run_until(lambda: closed(listener, "v/2"))

    assert listener.of("v/1")[-1] == ("close", Close(1000, "replaced by v/2"))
    assert listener.of("v/2")[-1] == ("close", Close(1000, "replaced by v/3"))


async def test_the_old_connection_stays_when_no_new_one_is_to_be_had(venue: Venue) -> None:
    connections = count(1)

    async def serve(socket: ServerConnection) -> None:
        if next(connections) > 1:
            await socket.close(1013)
            return
        await hear_out(socket)
        for n in range(30):
            await socket.send('{"notice":"upgrade"}' if n == 10 else f'{{"n":{n}}}')
            await asyncio.sleep(0.01)
        await socket.close(1012)

    attempts = []

    def backoff(attempt: int) -> float:
        attempts.append(attempt)
        return 0.02

    listener = Listener(await venue(serve), feed={"healthy_after_s": 0.05, "backoff": backoff})
    with capture_logs():
        lost = await listener.until_lost()

    assert lost.code == 1012
    assert ("text", '{"n":29}') in listener.of("v/1")
    assert len(attempts) > 1
    assert attempts == list(range(len(attempts)))


async def test_successors_share_the_budget_of_the_venue(venue: Venue) -> None:
    listener = Listener(
        await venue(serve_well),
        rotate_after_s=0.01,
        feed={"healthy_after_s": 0.0, "budget": Budget(10)},
    )

    with capture_logs():
        await listener.run_until(lambda: closed(listener, "v/2"))

    opened = [record.at for record in listener.records if record.open]
    assert all(later - one > 90_000_000 for one, later in pairwise(opened))


async def test_a_venue_that_sends_every_newcomer_away_is_not_stormed(venue: Venue) -> None:
    connections = 0

    async def serve(socket: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        await socket.send('{"notice":"go away"}')
        await serve_well(socket)

    await Listener(await venue(serve)).run_for(0.3)

    assert connections == 1


@pytest.mark.parametrize("status", [403, 418, 429, 451])
async def test_a_ban_holds_everything_that_asks_the_venue(venue: Venue, status: int) -> None:
    budget = Budget(1e6)
    listener = Listener(await venue(serve_well, status=status), feed={"budget": budget})

    lost = await listener.until_lost()

    assert f"HTTP {status}" in lost.reason
    (told,) = listener.records
    assert told.close is not None
    assert told.close.reason == lost.reason
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(budget.take(), 0.05)


async def test_an_attempt_that_fails_is_recorded_with_its_reason(refusing_port: int) -> None:
    listener = Listener(f"ws://127.0.0.1:{refusing_port}/ws")

    lost = await listener.until_lost()

    assert "cannot connect" in lost.reason
    assert [record.close for record in listener.records] == [Close(1006, lost.reason)]


async def test_cancelling_closes_the_socket_quickly_and_records_the_close(venue: Venue) -> None:
    gone = asyncio.Event()

    async def serve(socket: ServerConnection) -> None:
        await hear_out(socket)
        await socket.wait_closed()
        gone.set()

    listener = Listener(await venue(serve))
    begun = asyncio.get_running_loop().time()

    await listener.run_for(0.1)

    assert asyncio.get_running_loop().time() - begun < 0.6
    assert listener.records[-1].close == Close(1000, "stopped")
    await asyncio.wait_for(gone.wait(), 0.1)


async def test_an_exception_of_the_engine_ends_the_connection_and_is_raised(venue: Venue) -> None:
    def stumble(record: Record) -> Sequence[Control]:
        records.append(record)
        if record.text == '{"n":3}':
            raise KeyError("engine")
        return ()

    records: list[Record] = []
    listener = Listener(await venue(serve_well), feed={"ingest": stumble})

    with pytest.raises(KeyError, match="engine"):
        await listener.feed.run(listener.on_healthy)

    assert records[-1].close is not None


async def test_the_address_can_be_rewritten(venue: Venue) -> None:
    base = await venue(serve_well)
    listener = Listener(
        "wss://fstream.example.com/market/ws?v=1",
        feed={"rewrite": lambda url: rewrite_url(url, base)},
    )

    await listener.run_until(lambda: bool(listener.records))

    assert listener.records[0].open == base


async def serve_dead(socket: ServerConnection) -> None:
    """Take everything, answer heartbeats, never bring any data."""
    await hear_out(socket)
    async for _ in socket:
        await socket.send('"pong"')


SILENCE: dict[str, Any] = {"silent_after_s": 0.15, "heartbeat": Heartbeat("ping", 0.03)}


async def test_a_heartbeat_that_is_answered_is_no_data(venue: Venue) -> None:
    listener = Listener(await venue(serve_dead), **SILENCE, feed={"healthy_after_s": 0.0})

    lost = await listener.until_lost()

    assert ("text", '"pong"') in listener.of("v/1")
    assert lost.reason == "takes the subscriptions and stays silent"
    assert listener.healthy == 0


async def test_a_dead_route_is_left_for_another_and_that_one_is_preferred(venue: Venue) -> None:
    async def deliver_a_little(socket: ServerConnection) -> None:
        await hear_out(socket)
        await socket.send('{"n":1}')
        await socket.close(1012)

    dead, alive = await venue(serve_dead), await venue(deliver_a_little)
    listener = Listener(dead, routes=(alive,), **SILENCE)

    with capture_logs() as logs:
        reasons = [(await listener.until_lost()).reason for _ in range(4)]

    assert [record.open for record in listener.records if record.open] == [dead] + [alive] * 3
    assert reasons[0] == "takes the subscriptions and stays silent"
    assert [(log["event"], log["url"]) for log in logs] == [
        ("trying another route", alive),
        ("this route delivers", alive),
    ]


async def test_a_route_that_never_says_anything_is_dead_before_it_is_idle(venue: Venue) -> None:
    async def say_nothing(socket: ServerConnection) -> None:
        await socket.wait_closed()

    dead, alive = await venue(say_nothing), await venue(serve_well)
    listener = Listener(dead, routes=(alive,), idle_timeout_s=0.1, silent_after_s=0.1)

    with capture_logs():
        assert (await listener.until_lost()).reason == "takes nothing and stays silent"
        await listener.run_until(lambda: alive in [record.open for record in listener.records])


async def test_dead_routes_are_tried_in_turn(venue: Venue) -> None:
    routes = [await venue(serve_dead) for _ in range(3)]
    listener = Listener(routes[0], routes=tuple(routes[1:]), **SILENCE | {"silent_after_s": 0.05})

    with capture_logs():
        for _ in range(5):
            await listener.until_lost()

    assert [record.open for record in listener.records if record.open] == [*routes, *routes[:2]]


async def test_a_route_that_delivered_and_then_fell_silent_is_tried_again(venue: Venue) -> None:
    async def fall_silent(socket: ServerConnection) -> None:
        await hear_out(socket)
        await socket.send('{"n":1}')
        async for _ in socket:
            await socket.send('"pong"')

    quiet, other = await venue(fall_silent), await venue(serve_dead)
    listener = Listener(quiet, routes=(other,), **SILENCE)

    with capture_logs():
        lost = await listener.until_lost()
        await listener.until_lost()

    assert lost.reason == "no data for 0.15 s, only signs of life"
    assert [record.open for record in listener.records if record.open] == [quiet, quiet]


async def test_a_successor_on_a_dead_route_finds_the_one_that_lives(venue: Venue) -> None:
    connections = count(1)

    async def die_slowly(socket: ServerConnection) -> None:
        await (serve_well if next(connections) == 1 else serve_dead)(socket)

    dying, alive = await venue(die_slowly), await venue(serve_well)
    listener = Listener(
        dying,
        routes=(alive,),
        **SILENCE | {"silent_after_s": 0.1},
        rotate_after_s=0.2,
        feed={"healthy_after_s": 0.0},
    )

    with capture_logs():
        await listener.run_until(lambda: closed(listener, "v/1"))

    assert [record.open for record in listener.records if record.open][:3] == [dying, dying, alive]
    assert listener.of("v/1")[-1] == ("close", Close(1000, "replaced by v/3"))
    assert listener.gaps == []


async def test_a_venue_that_refuses_everything_is_not_said_to_take_it(venue: Venue) -> None:
    async def refuse(socket: ServerConnection) -> None:
        for _ in range(2):
            await socket.recv()
            await socket.send('{"refuse":"too many topics","topics":[]}')
        async for _ in socket:
            await socket.send('"pong"')

    with capture_logs() as logs:
        lost = await Listener(await venue(refuse), **SILENCE).until_lost()

    assert lost.reason == "takes nothing and stays silent"
    assert [log["reason"] for log in logs] == ["too many topics"]


async def test_what_the_venue_asks_is_answered_at_once(venue: Venue) -> None:
    heard = []

    async def ask(socket: ServerConnection) -> None:
        heard.append(await socket.recv())
        for number in (1, 2):
            await socket.send(f'{{"ping":{number}}}')
            heard.append(await socket.recv())
        await socket.wait_closed()

    listener = Listener(await venue(ask), request_gap_s=60)

    await listener.run_until(lambda: len(heard) == 3)

    assert heard == ['{"subscribe":"trades"}', '{"pong":1}', '{"pong":2}']
    assert listener.of("v/1")[2:6] == [
        ("text", '{"ping":1}'),
        ("sent", '{"pong":1}'),
        ("text", '{"ping":2}'),
        ("sent", '{"pong":2}'),
    ]


async def test_a_venue_that_asks_without_end_and_never_reads_is_left(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "CLOSE_TIMEOUT_S", 0.05)

    async def ask(socket: ServerConnection) -> None:
        socket.transport.pause_reading()
        number = "1" * 100_000  # so that our answers fill the buffers
        for _ in range(10 * MOST_REPLIES):
            await socket.send(f'{{"ping":"{number}"}}')

    listener = Listener(await venue(ask), idle_timeout_s=5)

    assert (await listener.until_lost()).reason == "wants answers and does not read them"


async def test_the_opening_request_carries_the_headers_of_the_endpoint(venue: Venue) -> None:
    asked = []

    async def note(socket: ServerConnection) -> None:
        assert socket.request is not None
        asked.append(socket.request.headers.get("X-Wanted"))

    await Listener(await venue(note), headers=(("X-Wanted", "yes"),)).until_lost()

    assert asked == ["yes"]


async def test_it_can_be_asked_what_became_of_every_subscription(venue: Venue) -> None:
    async def answer_two(socket: ServerConnection) -> None:
        await socket.send('{"ack":["trades"]}')
        await socket.send('{"refuse":"no such channel","topics":["liquidations"]}')
        await tick(socket)

    url = await venue(answer_two)
    listener = Listener(url, topics=("trades", "liquidations", "marks"))
    before = listener.feed.subscriptions

    with capture_logs():
        await listener.run_until(lambda: len(listener.of("v/1")) > 5)

    assert before.unanswered == before.wanted == ("trades", "liquidations", "marks")
    assert listener.feed.subscriptions == Subscriptions(
        url=url,
        wanted=("trades", "liquidations", "marks"),
        acknowledged=("trades",),
        refused=("liquidations",),
        unanswered=("marks",),
    )


def other_endpoint(listener: Listener) -> Endpoint:
    endpoint = listener.feed.endpoint
    return Endpoint(
        url=endpoint.url,
        requests=('{"subscribe":"trades"}', '{"subscribe":"marks"}'),
        topics=("trades", "liquidations"),
        request_gap_s=0.001,
        idle_timeout_s=endpoint.idle_timeout_s,
    )


async def test_another_endpoint_takes_over_once_it_delivers(venue: Venue) -> None:
    listener = Listener(await venue(serve_well))
    running = asyncio.create_task(listener.run_until(lambda: closed(listener, "v/1")))
    while listener.feed.stream != "v/1":  # noqa: ASYNC110
        await asyncio.sleep(0.001)

    with capture_logs() as logs:
        listener.feed.change(listener.feed.endpoint)
        listener.feed.change(other_endpoint(listener))
        assert listener.feed.stream is None
        await running

    assert ("sent", '{"subscribe":"marks"}') in listener.of("v/2")
    assert listener.of("v/1")[-1] == ("close", Close(1000, "replaced by v/2"))
    assert [log["reason"] for log in logs] == ["the subscriptions change"]
    assert listener.gaps == []


async def test_an_endpoint_that_changes_again_is_not_waited_for(venue: Venue) -> None:
    connections = count(1)

    async def serve(socket: ServerConnection) -> None:
        await (serve_dead if next(connections) == 2 else serve_well)(socket)

    listener = Listener(await venue(serve), heartbeat=Heartbeat("ping", 0.03))
    first = listener.feed.endpoint
    running = asyncio.create_task(listener.run_until(lambda: closed(listener, "v/1")))
    with capture_logs():
        for stream, endpoint in (("v/1", other_endpoint(listener)), ("v/2", first)):
            while ("text", ACK) not in listener.of(stream):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            listener.feed.change(endpoint)
        await running

    assert listener.of("v/2")[-1] == ("close", Close(1000, "not wanted any more"))
    assert listener.of("v/1")[-1] == ("close", Close(1000, "replaced by v/3"))
    assert listener.feed.endpoint == first


async def test_between_two_connections_a_change_just_counts_for_the_next(venue: Venue) -> None:
    listener = Listener(await venue(lambda socket: socket.wait_closed()))

    await listener.until_lost()
    listener.feed.change(other_endpoint(listener))
    await listener.until_lost()

    assert [record.sent for record in listener.records if record.sent][-1] == (
        '{"subscribe":"marks"}'
    )


async def test_who_is_replaced_by_another_feed_says_so_when_cancelled(venue: Venue) -> None:
    listener = Listener(await venue(serve_well))
    running = asyncio.create_task(listener.feed.run(listener.on_healthy))
    while listener.feed.stream is None:  # noqa: ASYNC110
        await asyncio.sleep(0.001)

    listener.feed.replaced_by("v/9")
    running.cancel()
    await asyncio.wait([running])

    assert listener.of("v/1")[-1] == ("close", Close(1000, "replaced by v/9"))


async def test_a_gap_is_told_from_the_last_data_to_the_next(venue: Venue) -> None:
    async def deliver_a_little(socket: ServerConnection) -> None:
        await hear_out(socket)
        await socket.send('{"n":1}')
        await asyncio.sleep(0.02)
        await socket.send('"pong"')
        await socket.close(1012)

    listener = Listener(await venue(deliver_a_little))

    for _ in range(3):
        await listener.until_lost()

    times = [record.at // 1_000_000 for record in listener.records if record.text == '{"n":1}']
    assert listener.gaps == list(pairwise(times))


async def test_after_text_that_is_no_utf8_a_new_connection_works(venue: Venue) -> None:
    connections = count(1)

    async def mumble_once(socket: ServerConnection) -> None:
        await hear_out(socket)
        if next(connections) == 1:
            await socket.send(b"\xff\xfe", text=True)
            await socket.wait_closed()
        await socket.send('{"n":1}')
        await socket.close()

    listener = Listener(await venue(mumble_once))

    assert (await listener.until_lost()).code == 1007
    assert (await listener.until_lost()).code == 1000
    assert ("text", '{"n":1}') in listener.of("v/2")
