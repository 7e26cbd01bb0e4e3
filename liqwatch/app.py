"""The composition root: opens what the daemon needs, runs it until a signal, closes everything."""

import asyncio
import signal
import tempfile
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, ExitStack, closing, nullcontext
from pathlib import Path

import structlog
from msgspec.structs import replace

from liqwatch.config import Config, NotifySettings, state_folder
from liqwatch.control_socket import SOCKET_FILE, answering
from liqwatch.daemon import Daemon, Order
from liqwatch.keeping import Keeping
from liqwatch.live_file import LiveFile
from liqwatch.memory import alone_in
from liqwatch.sinks import ConsoleSettings
from liqwatch.sources.recorder import Recorder
from liqwatch.store import Database

DATABASE_FILE = "liqwatch.sqlite3"
SIGNALS = {
    signal.SIGTERM: Order.STOP,
    signal.SIGINT: Order.STOP,
    signal.SIGHUP: Order.RELOAD,
}

log = structlog.get_logger("liqwatch")


def run(
    config: Config, *, config_path: Path | None, alerts: Path | None, events: Path | None
) -> int:
    """Run the daemon until SIGTERM or SIGINT. Raises SinkError, StoreError and OSError."""
    folder = state_folder(config)
    with ExitStack() as stack:
        stack.enter_context(alone_in(folder))
        keeping = stack.enter_context(closing(Keeping(folder, config.recording, log=log)))
        daemon = Daemon(
            config,
            stack.enter_context(closing(Database(folder / DATABASE_FILE))),
            config_path=config_path,
            alert_file=stack.enter_context(LiveFile(alerts)) if alerts else None,
            event_file=stack.enter_context(LiveFile(events)) if events else None,
            tape=keeping,
            archive=keeping.archive,
        )
        begun = log.bind(
            venues=list(config.venues),
            symbols="all" if config.symbols is None else list(config.symbols),
            state=str(folder),
        )
        control = answering(folder / SOCKET_FILE, daemon.control.answer)
        asyncio.run(_until_stopped(daemon, lambda: begun.info("watching"), control))
    return 0


def record(config: Config, *, out: Path) -> int:
    """Keep what the venues send until SIGTERM or SIGINT, and tell nobody. Raises OSError."""
    with ExitStack() as stack:
        recorder = Recorder(out, note="recorded", log=log)
        stack.callback(recorder.close)
        tempfile.TemporaryFile(dir=out).close()  # a folder that takes nothing is a mistake, now
        daemon = Daemon(
            replace(config, notify=NotifySettings(console=ConsoleSettings(enabled=False))),
            stack.enter_context(closing(Database(None))),
            tape=recorder,
        )
        begun = log.bind(folder=str(out), venues=list(config.venues))
        asyncio.run(_until_stopped(daemon, lambda: begun.info("recording"), nullcontext()))
    return 0


async def _until_stopped(
    daemon: Daemon,
    say_begun: Callable[[], object],
    control: AbstractAsyncContextManager[None],
) -> None:
    """Run until a signal says stop. Only once signals are heeded is it said that it has begun."""
    orders: asyncio.Queue[Order] = asyncio.Queue()
    for number, order in SIGNALS.items():
        asyncio.get_running_loop().add_signal_handler(number, orders.put_nowait, order)
    say_begun()
    async with control:
        await daemon.run(orders)
    log.info("stopped")
