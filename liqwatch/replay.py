"""Decide again over recorded tapes: as fast as possible, or at their own pace."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import structlog

from liqwatch.alerts import Alert
from liqwatch.app import DATABASE_FILE
from liqwatch.config import Config, loads
from liqwatch.engine import Engine
from liqwatch.engine.settings import EngineSettings
from liqwatch.exchanges import EXCHANGES
from liqwatch.jsonl import JsonLines
from liqwatch.pipeline import (
    STATE_VERSION,
    AlertsCallback,
    EventCallback,
    Pipeline,
    promises,
    read_snapshot,
)
from liqwatch.records import Record
from liqwatch.sinks.console import ConsoleSink
from liqwatch.sources.tape import TapeReader, merge_tapes
from liqwatch.store import Database, StoreError

SNAPSHOT = "replay"
log = structlog.get_logger("liqwatch.replay")


def replay(
    tapes: Sequence[Path],
    *,
    config: Config | None,
    alerts: Path | None,
    events: Path | None,
    state: Path | None,
    speed: float | None,
) -> int:
    """Replay tapes merged by time, as fast as possible or `speed` times as fast as they were.

    Without `config` it is that of the tape, and where that names none, every coin is watched.
    Alerts go to the alert file, else to the screen as a person reads them. With a state folder it
    goes on from the snapshot kept there, if any, and leaves one. Raises TapeError for a broken
    line, ConfigError for what a tape names, StoreError for a snapshot that cannot be taken up or
    kept, and OSError.
    """
    readers = [TapeReader(tape) for tape in tapes]
    live = speed is not None
    config = config or config_of(readers)
    with ExitStack() as stack:
        database = _database(stack, state) if state else None
        event_file = stack.enter_context(JsonLines(events, live=live)) if events else None
        alert_file = stack.enter_context(JsonLines(alerts, live=live)) if alerts else None
        try:
            pipeline = assemble(
                config,
                _snapshot(database) if database else None,
                on_alerts=_to_file(alert_file) if alert_file else _to_people(events),
                on_event=event_file.write if event_file else None,
            )
        except ValueError as error:
            raise StoreError(f"{state}: its state cannot be taken up: {error}") from error
        for record in _paced(merge_tapes(readers), speed):
            pipeline.ingest(record)
        if database:
            database.save_snapshot(SNAPSHOT, STATE_VERSION, pipeline.snapshot())
            if not database.on_disk:
                raise StoreError(f"{state}: the state could not be kept")
    tell_what_was_skipped(pipeline, readers)
    return 0


def config_of(tapes: Iterable[TapeReader]) -> Config | None:
    """Return the configuration that the first tape to name one was decided by.

    Raises ConfigError if it is none, and OSError.
    """
    told = ((tape.path, tape.config()) for tape in tapes)
    return next((loads(text, f"{path}, config") for path, text in told if text), None)


def replay_until(
    tapes: Sequence[TapeReader],
    config: Config | None,
    until_ns: int | None = None,
    *,
    on_alerts: AlertsCallback = lambda _: None,
) -> Pipeline:
    """Replay tapes up to a time of receipt (None: their end); return what has decided on them.

    Without `config` it is that of the tapes, as in `replay`. Raises TapeError, ConfigError for what
    a tape names, and OSError.
    """
    pipeline = assemble(config or config_of(tapes), None, on_alerts=on_alerts, on_event=None)
    for record in merge_tapes(tapes):
        if until_ns is not None and record.at > until_ns:
            break
        pipeline.ingest(record)
    for reader in tapes:
        for warning in reader.warnings:
            log.warning(warning)
    return pipeline


def engine_of(config: Config | None, snapshot: bytes | None) -> Engine:
    """Return an engine that decides by a configuration, going on from a snapshot if given.

    Raises ValueError for a snapshot that is none, or another version's.
    """
    return Engine(
        EngineSettings() if config is None else config.engine,
        watch=None if config is None else config.symbols,
        promises=promises(EXCHANGES),
        state=None if snapshot is None else read_snapshot(snapshot)[1],
    )


def assemble(
    config: Config | None,
    snapshot: bytes | None,
    *,
    on_alerts: AlertsCallback,
    on_event: EventCallback | None,
    engine: Engine | None = None,
) -> Pipeline:
    """Return a pipeline over all venues (or those configured), going on from a snapshot if given.

    With `engine` that one decides. Raises ValueError for a snapshot that is none, or another
    version's.
    """
    venues = EXCHANGES if config is None else {name: EXCHANGES[name] for name in config.venues}
    pipeline = Pipeline(
        engine or engine_of(config, snapshot),
        {name: kind() for name, kind in venues.items()},
        on_alerts=on_alerts,
        on_event=on_event,
        language="en" if config is None else config.notify.language,
    )
    if snapshot is not None:
        pipeline.resume(read_snapshot(snapshot)[0], connected=True)
    return pipeline


def _database(stack: ExitStack, state: Path) -> Database:
    return stack.enter_context(closing(Database(state / DATABASE_FILE)))


def _snapshot(database: Database) -> bytes | None:
    saved = database.load_snapshot(SNAPSHOT)
    return saved.blob if saved else None


def _to_file(file: JsonLines) -> AlertsCallback:
    def write(alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            file.write(alert)

    return write


def _to_people(events: Path | None) -> AlertsCallback:
    # Standard output belongs to the events when they go there.
    screen = ConsoleSink(sys.stderr if str(events) == "-" else sys.stdout)

    def show(alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            screen.show(alert, alert.text)

    return show


def _paced(records: Iterable[Record], speed: float | None) -> Iterator[Record]:
    if speed is None:
        yield from records
        return
    begun_ns, first_ns = time.monotonic_ns(), None
    for record in records:
        first_ns = record.at if first_ns is None else first_ns
        ahead_ns = (record.at - first_ns) / speed - (time.monotonic_ns() - begun_ns)
        if ahead_ns > 0:
            time.sleep(ahead_ns / 1e9)
        yield record


def tell_what_was_skipped(pipeline: Pipeline, readers: Iterable[TapeReader]) -> None:
    """Log what of the tapes could not be used."""
    for reader in readers:
        for warning in reader.warnings:
            log.warning(warning)
        if reader.skipped:
            log.warning("records of unknown kind", tape=str(reader.path), count=reader.skipped)
    for (venue, kind), count in pipeline.skipped().items():
        log.warning("frames skipped", venue=venue, kind=kind, count=count)
