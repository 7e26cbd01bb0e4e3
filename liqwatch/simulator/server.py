"""The simulated exchange: three venues on one loopback port, told apart by path.

It runs on the clock it is given: frames go out when that clock reaches the time at which they
leave.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

from aiohttp import WSCloseCode, WSMsgType, web

from liqwatch.clock import Clock
from liqwatch.simulator.broadcast import Broadcast
from liqwatch.simulator.faults import UNROUTED, Faults
from liqwatch.simulator.frames import VenueFrames
from liqwatch.simulator.outside import STEP_MS
from liqwatch.simulator.truth import Truth

_REST_PREFIXES = {
    "binance-usdm": ("/fapi/", "/futures/data/"),
    "bybit-linear": ("/v5/",),
    "okx-swap": ("/api/v5/",),
}
_MS = 1_000_000  # in ns
_WAKE_S = 0.1  # market time between two deliveries
_LAST_FRAMES_MS = 1_000
_GOODBYE_S = 1.0

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class SimulatedExchange:
    """Serves a scenario to whoever connects, from `start()` on; use it as an async context manager.

    `url` is its address for REST, `websocket_url` for websockets: what a venue's `rest` and
    `websocket` overrides take. A client that connects late has missed what was sent before.
    `faults` says what is wrong with which venue; changed, it holds for whoever comes next.
    """

    def __init__(
        self,
        scenario: str,
        seed: int,
        clock: Clock,
        *,
        faults: Mapping[str, Faults] | None = None,
    ) -> None:
        self.faults = dict(faults or {})
        self._scenario, self._seed, self._clock = scenario, seed, clock
        self._clients: set[_Client] = set()

    async def start(self) -> None:
        """Open the port; the market begins at the clock's next whole second."""
        start_ms = (self._clock.now_ns() // _MS // 1000 + 1) * 1000
        self._broadcast = Broadcast(self._scenario, seed=self._seed, start_ms=start_ms)
        self._broadcast.until(start_ms + STEP_MS)  # whoever connects at once finds a market
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=_GOODBYE_S)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url, self.websocket_url = f"http://{host}:{port}", f"ws://{host}:{port}"
        self._playing = asyncio.create_task(self._play())

    async def close(self) -> None:
        """Say goodbye to every client and free the port."""
        self._playing.cancel()
        goodbyes = (client.socket.close(code=WSCloseCode.GOING_AWAY) for client in self._clients)
        await asyncio.gather(*goodbyes)
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def finished(self) -> None:
        """Wait until the scenario's last frame is out."""
        await asyncio.shield(self._playing)

    def truth(self) -> Truth:
        """Tell what really happened so far; complete once `finished()`."""
        return self._broadcast.truth()

    def _app(self) -> web.Application:
        app = web.Application()
        for venue in self._broadcast.venues:
            app.router.add_get(urlsplit(venue.websocket).path, self._socket_of(venue))
            if venue.venue == "binance-usdm":
                for path in UNROUTED:
                    app.router.add_get(path, self._socket_of(venue))
            for prefix in _REST_PREFIXES[venue.venue]:
                app.router.add_get(prefix + "{path:.*}", self._rest_of(venue))
        return app

    async def _play(self) -> None:
        now_ms = 0
        while now_ms < self._broadcast.end_ms + _LAST_FRAMES_MS:
            await self._clock.sleep(_WAKE_S)
            now_ms = self._clock.now_ns() // _MS
            for frame in self._broadcast.until(now_ms):
                for client in self._clients:
                    client.hear(frame.venue, frame.topic, frame.text)
            for client in self._clients:
                client.wake()
            self._break_off(now_ms)

    def _break_off(self, now_ms: int) -> None:
        outage = self._broadcast.outage
        if outage is not None and outage.lasts(now_ms):
            for client in self._clients:
                if outage.silences(client.venue.venue, client.topics):
                    client.hang_up()

    def _faults_of(self, venue: VenueFrames) -> Faults:
        return self.faults.get(venue.venue, Faults())

    def _socket_of(self, venue: VenueFrames) -> _Handler:
        async def serve(request: web.Request) -> web.StreamResponse:
            faults = self._faults_of(venue)
            if faults.websocket_status is not None:
                return web.Response(status=faults.websocket_status, headers=faults.retry_after)
            outage, now_ms = self._broadcast.outage, self._clock.now_ns() // _MS
            if outage is not None and venue.venue == outage.venue and outage.lasts(now_ms):
                raise web.HTTPServiceUnavailable
            socket = web.WebSocketResponse(compress=False, timeout=_GOODBYE_S)
            await socket.prepare(request)
            if faults.drops:
                await socket.close(code=WSCloseCode.GOING_AWAY)
                return socket
            client = _Client(socket, venue, faults, delivers=request.path not in faults.silent)
            self._clients.add(client)
            sending = asyncio.create_task(client.send())
            try:
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        client.answer(message.data)
            finally:
                self._clients.discard(client)
                sending.cancel()
            return socket

        return serve

    def _rest_of(self, venue: VenueFrames) -> _Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            faults = self._faults_of(venue)
            if faults.rest_down and request.transport is not None:
                request.transport.abort()
            if faults.rest_status is not None:
                return web.Response(status=faults.rest_status, headers=faults.retry_after)
            status, text = venue.rest(request.path, dict(request.query))
            return web.Response(status=status, text=text, content_type="application/json")

        return answer


class _Client:
    # One connection: what it subscribed to, and what is not yet on its way.

    def __init__(
        self,
        socket: web.WebSocketResponse,
        venue: VenueFrames,
        faults: Faults,
        *,
        delivers: bool,
    ) -> None:
        self.socket, self.venue = socket, venue
        self.topics: set[str] = set()
        self._faults = faults
        self._delivers = delivers
        self._outbox: list[str] = []
        self._filled = asyncio.Event()
        self._hung_up = False

    def answer(self, text: str) -> None:
        answer = self.venue.answer(self._faults.misheard(text), self.topics)
        self._outbox += map(self._faults.repeated, answer.replies)
        for topic in answer.topics if self._delivers else ():
            greeting = self.venue.greeting(topic)
            if greeting is not None:
                self._outbox.append(greeting)
        self.topics.update(answer.topics)
        self.wake()

    def hear(self, venue: str, topic: str, text: str) -> None:
        if self._delivers and topic in self.topics and venue == self.venue.venue:
            self._outbox.append(self._faults.spoilt(text))

    def wake(self) -> None:
        if self._outbox:
            self._filled.set()

    def hang_up(self) -> None:
        self._hung_up = True
        self._filled.set()

    async def send(self) -> None:
        with suppress(ConnectionError):  # the client is gone; its handler sees that, too
            while not self._hung_up:
                await self._filled.wait()
                self._filled.clear()
                texts, self._outbox = self._outbox, []
                for text in texts:
                    await self.socket.send_str(text)
            await self.socket.close(code=WSCloseCode.SERVICE_RESTART)
