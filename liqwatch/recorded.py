"""What a configuration can be tried on: tapes that are named, or the daemon's own."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path

from liqwatch.app import DATABASE_FILE
from liqwatch.config import Config, state_folder
from liqwatch.keeping import TAPES
from liqwatch.records import Record
from liqwatch.replay import SNAPSHOT, config_of
from liqwatch.sources.recorder import tapes_in
from liqwatch.sources.tape import TapeError, TapeReader, merge_tapes
from liqwatch.store import Database, StoreError


class Recorded:
    """Tapes and what decides over them.

    `config` is that given; else that of a named tape, None where it names none (every coin is
    watched then), and the defaults for the daemon's own tapes. Raises TapeError where there are
    none, ConfigError and OSError.
    """

    def __init__(self, tapes: Sequence[Path], config: Config | None) -> None:
        self._own = not tapes
        if self._own:
            config = config or Config()
            tapes = _own_tapes(config)
        self.readers = [TapeReader(tape) for tape in tapes]
        self.config = config or config_of(self.readers)

    def __iter__(self) -> Iterator[Record]:
        # The daemon's own follow each other: they need not all be open at once.
        return chain.from_iterable(self.readers) if self._own else merge_tapes(self.readers)


def _own_tapes(config: Config) -> list[Path]:
    folder = state_folder(config) / TAPES
    own = tapes_in(folder)
    if not own:
        raise TapeError(
            f"{folder}: no tapes there yet. liqwatch run records them as it goes;"
            " liqwatch rehearse --live 10m needs none."
        )
    return own


def snapshot_in(state: Path | None) -> bytes | None:
    """Return what replay has left in a folder, which is only read; None without a folder.

    Raises StoreError where nothing was left.
    """
    if state is None:
        return None
    with closing(Database.copy_of(state / DATABASE_FILE)) as database:
        saved = database.load_snapshot(SNAPSHOT)
    if saved is None:
        raise StoreError(f"{state}: no state there that liqwatch replay --state has left")
    return saved.blob
