"""The whole daemon on this machine alone, against a simulated exchange on loopback."""

import asyncio
import os
import signal
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random

import click
from msgspec.structs import replace

from liqwatch.alerts import Alert
from liqwatch.app import DATABASE_FILE
from liqwatch.clock import ScaledClock
from liqwatch.config import Config, NotifySettings, VenueSettings, load, loads
from liqwatch.control import find_map
from liqwatch.daemon import Daemon, Order
from liqwatch.map_view import Theme
from liqwatch.show_map import show
from liqwatch.simulator import SCENARIOS, VENUES, SimulatedExchange, Truth, summary
from liqwatch.simulator.bot_api import TOKEN, BotApi, Bubble
from liqwatch.simulator.bot_api.transcript import transcript
from liqwatch.simulator.simulate import START_MS
from liqwatch.sinks import TelegramSettings
from liqwatch.sinks.timing import Timing
from liqwatch.sources.tape import TapeWriter
from liqwatch.store import Database

SCENARIO = "demo"
LONGEST_STEP_S = 0.2  # of market time, less than the engine waits for late trades
TIMER_S = 0.002  # real time; what a timer may be late on an idle machine
LAST_WORD_S = 1.0  # real time for what is on its way when the market ends

COIN = "BTC"  # whose map is shown at the end
# Default thresholds, save for what takes longer than the market lasts: the map is summed up before
# it ends, and its tilt is told while it is young, near the price, where it has changed.
SETTINGS = f"""\
symbols:
  BTC: {{watch_levels: [90k]}}
  ETH:
venues: [{", ".join(VENUES)}]
map:
  asymmetry: {{below_pct: 5%, above_pct: 5%, after_hours: 15m}}
  digest: {{at: "17:30"}}
"""
INTRODUCTION = """\
A simulated exchange, on this machine alone, plays Binance, Bybit and OKX, and liqwatch watches it.
{coins} for {minutes:.0f} minutes, {speed:g} times as fast as real time: about {seconds:.0f} s.
You watch BTC at 90,000.
"""
LAST_CHAT = "What a Telegram chat looks like after it, by the clock of the market:"
CHAT = 1
LAST_MAP = "What liqwatch map {coin}{of_tape} shows at the end:"
CONCLUSION = """\
The market is over. What truly happened in it, in minutes of its time, and what was said of that:
"""


def demo(*, seed: int, speed: float, record: Path | None, chat: Path | None) -> int:
    """Run the daemon against the simulated exchange until its market ends; say how it did.

    Alerts go to the console, or to whatever the configuration named by $LIQWATCH_CONFIG notifies.
    Without a Telegram chat there they go to a simulated one, too, which is shown at the end; as a
    picture in `chat`. Raises ConfigError, SinkError and OSError.
    """
    notify = _notify()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="liqwatch-demo-")))
        database = stack.enter_context(closing(Database(folder / DATABASE_FILE)))
        clock = _PatientClock(start_ns=START_MS * 1_000_000, speed=speed)
        tape = None
        if record is not None:
            note = f"demo, seed {seed}"
            writer = TapeWriter(record, note=note, created_ns=clock.now_ns(), config=SETTINGS)
            tape = stack.enter_context(writer)
        alerts = _Alerts()

        async def play() -> tuple[Daemon, Truth, list[Bubble]]:
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, signal.raise_signal, signal.SIGINT)
            async with (
                SimulatedExchange(SCENARIO, seed, clock) as exchange,
                BotApi(CHAT, now_s=lambda: clock.now_ns() / 1e9) as api,
            ):
                daemon = Daemon(
                    _config(exchange, _with_chat(notify, api, folder)),
                    database,
                    clock=clock,
                    timing=_pace(notify, clock),
                    random=Random(seed),  # noqa: S311 - spreads retries, guards nothing
                    alert_file=alerts,
                    tape=tape,
                )
                click.echo(_introduction(speed))
                await _until_over(daemon, exchange)
                return daemon, exchange.truth(), api.bubbles(CHAT)

        daemon, truth, said = asyncio.run(play())
    of_tape = "" if record is None else f" --from {record}"
    click.echo(f"{LAST_MAP.format(coin=COIN, of_tape=of_tape)}\n")
    show(find_map(daemon.pipeline.engine, COIN))
    click.echo(f"\n{CONCLUSION}\n{summary(alerts, truth)}\n{_timing(daemon)}")
    if said:
        click.echo(f"\n{LAST_CHAT}\n\n{transcript(said)}")
    if chat is not None:
        from liqwatch.simulator.bot_api.picture import picture  # noqa: PLC0415 - heavy

        chat.write_bytes(picture(said, "liqwatch", Theme.DARK))
    return 0


class _PatientClock(ScaledClock):
    """Market time that waits for a market made in this very process.

    The exchange looks at it every tenth of a second of market time. A much longer step means that
    the machine was too busy: ticks would then overtake the trades that are still to be made.
    """

    def __init__(self, *, start_ns: int, speed: float) -> None:
        super().__init__(start_ns=start_ns, speed=speed)
        self._most_ns = int(max(LONGEST_STEP_S, TIMER_S * speed) * 1e9)
        self._waited_ns = 0
        self._last_ns = start_ns

    def now_ns(self) -> int:
        """Return the market time."""
        now_ns = super().now_ns() - self._waited_ns
        too_far_ns = max(0, now_ns - self._last_ns - self._most_ns)
        self._waited_ns += too_far_ns
        self._last_ns = now_ns - too_far_ns
        return self._last_ns


class _Alerts(list[Alert]):
    write = list.append


async def _until_over(daemon: Daemon, exchange: SimulatedExchange) -> None:
    orders: asyncio.Queue[Order] = asyncio.Queue()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(daemon.run(orders))
        await exchange.finished()
        await asyncio.sleep(LAST_WORD_S)
        orders.put_nowait(Order.STOP)


def _notify() -> NotifySettings:
    own = os.environ.get("LIQWATCH_CONFIG")
    return load(Path(own)).notify if own else NotifySettings()


def _with_chat(notify: NotifySettings, api: BotApi, folder: Path) -> NotifySettings:
    """Tell a simulated chat as well, if there is no real one."""
    if notify.telegram is not None:
        return notify
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(TOKEN)
    chat = TelegramSettings(chat=CHAT, token_file=str(token), base_url=api.base_url)
    return replace(notify, telegram=chat)


def _pace(notify: NotifySettings, clock: ScaledClock) -> Timing:
    """What is simulated is waited for in market time, what is real in real time."""
    if notify.telegram or notify.webhook or notify.fallback:
        return Timing()
    return Timing(monotonic=lambda: clock.now_ns() / 1e9, sleep=clock.sleep)


def _config(exchange: SimulatedExchange, notify: NotifySettings) -> Config:
    """The simulated venues, as SETTINGS say; who is told is the user's choice."""
    there = VenueSettings(websocket=exchange.websocket_url, rest=exchange.url)
    return replace(loads(SETTINGS, "demo"), venues=dict.fromkeys(VENUES, there), notify=notify)


def _introduction(speed: float) -> str:
    scenario = SCENARIOS[SCENARIO]
    return INTRODUCTION.format(
        coins=" and ".join(plan.coin.symbol for plan in scenario.plans),
        minutes=scenario.seconds / 60,
        speed=speed,
        seconds=scenario.seconds / speed,
    )


def _timing(daemon: Daemon) -> str:
    times = sorted(daemon.commit_ms)
    if not times:
        return "no alert was raised"
    p99 = times[min(len(times) - 1, int(0.99 * len(times)))]
    return f"from frame to alert on disk: at most {times[-1]:.1f} ms, p99 {p99:.1f} ms"
