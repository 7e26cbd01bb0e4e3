"""How often cascades would have been said to start over tapes, were one threshold another."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median

from msgspec.structs import replace

from liqwatch.alerting.numbers import duration, significant
from liqwatch.alerts import Alert, Kind, Severity
from liqwatch.config import Config
from liqwatch.engine import Engine
from liqwatch.engine.settings import EngineSettings, SymbolSettings
from liqwatch.engine.start import DetectionSettings
from liqwatch.events import Event
from liqwatch.grounds import Grounds, cautions
from liqwatch.map_import import ImportedMap
from liqwatch.recorded import Recorded, snapshot_in
from liqwatch.replay import assemble, engine_of, tell_what_was_skipped
from liqwatch.sources.tape import TapeError
from liqwatch.store import StoreError

TRIED: dict[str, tuple[str | float, ...]] = {
    "preset": ("normal", "early"),
    "return_hours": (24.0, 72.0, 168.0, 336.0, 720.0),
    "forced_impact_z": (2.0, 3.0, 4.0, 6.0),
    "forced_impact_z_learning": (0.2, 0.5, 1.0, 2.0),
    "run_on_z": (3.0, 5.5, 8.0),
    "drift_z30": (3.0, 4.0, 6.0),
}
HEADER = f"{'starts':>8}{'a day':>8}{'critical':>10}   {'busiest':14}{'start to stall':>14}"
NONE = "·"


def tune(
    tapes: Sequence[Path], *, config: Config | None, symbol: str | None, state: Path | None
) -> int:
    """Write a table of what each threshold would have given, varied alone; Ctrl-C ends it early.

    Without tapes it goes over those of the daemon. Raises TapeError, ConfigError, StoreError and
    OSError.
    """
    symbol = symbol and symbol.upper()
    recorded = Recorded(tapes, config)
    config = _of_symbol(recorded.config or Config(symbols=None), symbol)
    grounds, snapshot = Grounds(), snapshot_in(state)
    try:
        trials = Trials(config, snapshot)
        pipeline = assemble(
            config,
            snapshot,
            on_alerts=lambda _: None,
            on_event=grounds.write,
            engine=_SideBySide(trials),
        )
    except ValueError as error:
        raise StoreError(f"{state}: its state cannot be taken up: {error}") from error
    with suppress(KeyboardInterrupt):
        for record in recorded:
            pipeline.ingest(record)
    if symbol is not None and symbol not in trials.in_force.engine.state.symbols:
        raise TapeError(f"no trade of {symbol} on these tapes")
    sys.stdout.write("\n".join(_report(trials, config.detection, grounds)) + "\n")
    tell_what_was_skipped(pipeline, recorded.readers)
    return 0


class Trial:
    """One engine, and what it said of starts."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.starts: Counter[str] = Counter()  # by coin
        self.critical = 0
        self.to_stall_s: list[float] = []
        self._begun_ms: dict[str, int] = {}  # by episode

    def update(self, event: Event | ImportedMap) -> None:
        """Take one event."""
        for alert in self.engine.update(event):
            self._count(alert)

    def _count(self, alert: Alert) -> None:
        episode = alert.episode or ""
        if alert.kind is Kind.CASCADE_STARTED:
            self.starts[alert.symbol] += 1
            self.critical += alert.severity is Severity.CRITICAL
            self._begun_ms[episode] = alert.time
        elif alert.kind in (Kind.CASCADE_STALLED, Kind.CASCADE_ENDED):
            begun_ms = self._begun_ms.pop(episode, None)
            if begun_ms is not None and alert.kind is Kind.CASCADE_STALLED:
                self.to_stall_s.append((alert.time - begun_ms) / 1000)


class Trials:
    """A trial for each value of each threshold; values that mean the same share one.

    Each goes on from a copy of the snapshot. Raises ValueError for one that is none.
    """

    def __init__(self, config: Config, snapshot: bytes | None) -> None:
        self._snapshot = snapshot
        self._made: list[tuple[Config, Trial]] = []
        self.in_force = self._trial(config)
        self.by_threshold = {
            name: {value: self._trial(_varied(config, name, value)) for value in values}
            for name, values in _tried(config.detection)
        }

    def __iter__(self) -> Iterator[Trial]:
        return (trial for _, trial in self._made)

    def _trial(self, config: Config) -> Trial:
        plain = _changed(config, _in_plain)
        for same, trial in self._made:
            if same == plain:
                return trial
        trial = Trial(engine_of(config, self._snapshot))
        self._made.append((plain, trial))
        return trial


class _SideBySide(Engine):
    """Hands what one engine would hear to many, and decides nothing itself."""

    def __init__(self, trials: Trials) -> None:
        super().__init__(EngineSettings(), watch={}, promises={})
        self._trials = list(trials)

    def update(self, event: Event | ImportedMap) -> Sequence[Alert]:
        for trial in self._trials:
            trial.update(event)
        return ()


def in_force(detection: DetectionSettings) -> dict[str, str | float]:
    """Return the values of the thresholds that are tried."""
    return {
        "preset": detection.preset,
        "return_hours": detection.complete_return_hours,
        "forced_impact_z": detection.impact_z,
        "forced_impact_z_learning": detection.forced_impact_z_learning,
        "run_on_z": detection.run_on_z,
        "drift_z30": detection.drift_z30,
    }


def _tried(detection: DetectionSettings) -> Iterator[tuple[str, list[str | float]]]:
    for name, now in in_force(detection).items():
        values = dict.fromkeys((*TRIED[name], now))
        yield name, list(values) if isinstance(now, str) else sorted(values)


def _varied(config: Config, name: str, value: str | float) -> Config:
    """Change a threshold, but for the coins that have their own."""
    general = getattr(config.detection, name)

    def vary(detection: DetectionSettings) -> DetectionSettings:
        own = getattr(detection, name) != general
        return detection if own else replace(detection, **{name: value})

    return _changed(config, vary)


def _changed(config: Config, change: Callable[[DetectionSettings], DetectionSettings]) -> Config:
    symbols = config.symbols and {
        coin: own if own.detection is None else replace(own, detection=change(own.detection))
        for coin, own in config.symbols.items()
    }
    return replace(config, detection=change(config.detection), symbols=symbols)


def _in_plain(detection: DetectionSettings) -> DetectionSettings:
    """Write out what the preset means."""
    hours, z = detection.complete_return_hours, detection.impact_z
    return replace(detection, preset="normal", return_hours=hours, forced_impact_z=z)


def _of_symbol(config: Config, symbol: str | None) -> Config:
    if symbol is None:
        return config
    return replace(config, symbols={symbol: (config.symbols or {}).get(symbol, SymbolSettings())})


def _report(trials: Trials, detection: DetectionSettings, grounds: Grounds) -> Iterator[str]:
    yield f"{grounds}. Each threshold is varied alone; > is in force."
    now = in_force(detection)
    for name, tried in trials.by_threshold.items():
        yield f"\n{name:26}{HEADER}"
        for value, trial in tried.items():
            mark = ">" if value == now[name] else " "
            shown = value if isinstance(value, str) else f"{value:g}"
            yield f"  {mark}{shown:>21}  {_cells(trial, grounds)}"
    hours = max(map(float, trials.by_threshold["return_hours"]))
    for caution in cautions(grounds, trials.in_force.engine, hours):
        yield f"\n{caution}"


def _cells(trial: Trial, grounds: Grounds) -> str:
    starts = trial.starts.total()
    a_day = significant(grounds.a_day(starts))
    busiest = "{} {}".format(*trial.starts.most_common(1)[0]) if starts else NONE
    stall = duration(median(trial.to_stall_s)) if trial.to_stall_s else NONE
    return f"{starts:>8}{a_day:>8}{trial.critical:>10}   {busiest:14}{stall:>14}"
