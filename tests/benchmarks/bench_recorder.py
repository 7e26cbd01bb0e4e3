"""What recording costs of the CPU that a running daemon spends on a frame.

A server in a process of its own sends trade frames of one venue over a loopback websocket, with TLS
as every venue has it; the daemon's own feed and pipeline take them, with a recorder and without, in
turns. Only the share compares from machine to machine. Needs openssl.

Run by hand: python tests/benchmarks/bench_recorder.py
"""

import asyncio
import itertools
import multiprocessing
import os
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import structlog
from websockets.asyncio.server import ServerConnection, serve

from liqwatch.clock import WallClock
from liqwatch.engine import Engine
from liqwatch.engine.settings import EngineSettings
from liqwatch.exchanges import EXCHANGES
from liqwatch.exchanges.base import Control, Endpoint
from liqwatch.exchanges.bybit import BybitLinear
from liqwatch.pipeline import Pipeline, promises
from liqwatch.records import Record
from liqwatch.sources.connection import Shared
from liqwatch.sources.feed import Feed
from liqwatch.sources.recorder import Recorder
from liqwatch.sources.supervise import Budget

FRAMES = 60_000
TURNS = 5
START_NS = 1_795_000_000_000_000_000
RATE = 20_000  # a second
# As bybit-exchange.github.io/docs/v5/websocket/public/trade documents it.
FRAME = (
    '{{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":{ms},"data":[{{"T":{ms},"s":"BTCUSDT",'
    '"S":"{side}","v":"{size:.3f}","p":"{price:.2f}","L":"PlusTick","i":"{serial:032x}",'
    '"BT":false,"RPI":false,"seq":{n}}}]}}'
)


def frames() -> Iterator[str]:
    random = Random(1)
    price = 90_000.0
    for n in range(FRAMES):
        price += random.gauss(0, 1)
        yield FRAME.format(
            ms=START_NS // 10**6 + n * 1000 // RATE,
            side=random.choice(("Buy", "Sell")),
            size=random.expovariate(2) + 0.001,
            price=price,
            serial=random.getrandbits(128),
            n=n,
        )


def make_certificate(folder: Path) -> Path:
    """A certificate for this machine that nobody else trusts, with its key."""
    path = folder / "localhost.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    out = ["-keyout", str(path), "-out", str(folder / "certificate")]
    subprocess.run([*command.split(), *names, *out], check=True, capture_output=True)  # noqa: S603 - our own words
    path.write_text(path.read_text() + (folder / "certificate").read_text())
    return path


def server(ready: Connection, certificate: Path) -> None:
    """Send all frames to whoever connects, as fast as they are taken."""
    made = list(frames())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def send(socket: ServerConnection) -> None:
        for frame in made:
            await socket.send(frame)
        await socket.wait_closed()

    async def main() -> None:
        async with serve(send, "127.0.0.1", 0, compression=None, ssl=context) as listening:
            ready.send(listening.sockets[0].getsockname()[1])
            await listening.wait_closed()

    asyncio.run(main())


async def receive(port: int, recorder: Recorder | None) -> float:
    """CPU seconds for all frames, on the way that the daemon takes them."""
    engine = Engine(EngineSettings(), watch=None, promises=promises(EXCHANGES))
    pipeline = Pipeline(engine, {"bybit-linear": BybitLinear()}, on_alerts=lambda _: None)
    heard = 0
    over = asyncio.Event()

    def ingest(record: Record) -> Sequence[Control]:
        nonlocal heard
        heard += 1
        if heard == FRAMES:
            over.set()
        if recorder is not None:
            recorder.write(record)
        return pipeline.ingest(record)

    shared = Shared(
        venue="bybit-linear",
        ingest=ingest,
        names=map(str, itertools.count()),
        clock=WallClock(),
        budget=Budget(1e6),
        backoff=lambda _: 0.0,
        log=structlog.get_logger(),
    )
    endpoint = Endpoint(url=f"wss://localhost:{port}", requests=(), topics=())
    feed = Feed(shared, endpoint, on_gap=lambda *_: None)
    begun = time.process_time()
    listening = asyncio.create_task(feed.run(lambda: None))
    await over.wait()
    if recorder is not None:
        recorder.flush()
    spent = time.process_time() - begun
    listening.cancel()
    await asyncio.wait([listening])
    return spent


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        certificate = make_certificate(folder)
        os.environ["SSL_CERT_FILE"] = str(certificate)
        ready, child = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=server, args=(child, certificate)
        )
        process.start()
        try:
            compare(ready.recv(), folder)
        finally:
            process.terminate()
            process.join()


def compare(port: int, folder: Path) -> None:
    plain, recorded = [], []
    for turn in range(TURNS):
        plain.append(asyncio.run(receive(port, None)))
        tapes = folder / str(turn)
        with closing(Recorder(tapes, note="benchmark", log=structlog.get_logger())) as recorder:
            recorded.append(asyncio.run(receive(port, recorder)))
        size = sum(tape.stat().st_size for tape in tapes.glob("*.zst"))
    without, together = min(plain), min(recorded)
    share = 1 - without / together
    print(f"a frame: {without / FRAMES * 1e6:.1f} us, recorded {together / FRAMES * 1e6:.1f} us")  # noqa: T201 - a script
    print(f"recording: {share:.1%} of the CPU")  # noqa: T201 - a script
    print(f"at {RATE:,} frames/s: {together / FRAMES * RATE:.0%} of a core")  # noqa: T201 - a script
    print(f"{size / FRAMES:.0f} bytes a frame on disk")  # noqa: T201 - a script


if __name__ == "__main__":
    main()
