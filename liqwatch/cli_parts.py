"""What the commands of every file share."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from liqwatch.config import Config
    from liqwatch.log import Level

DONE = 0
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)

config_option = click.option(
    "--config",
    "config_path",
    type=FILE,
    metavar="FILE",
    envvar="LIQWATCH_CONFIG",
    show_envvar=True,
    help="The configuration, in YAML.",
)


def load(path: Path | None) -> "Config":
    """Read a configuration; without one it is the built-in defaults. Raises ConfigError."""
    from liqwatch.config import Config  # noqa: PLC0415 - --help answers at once
    from liqwatch.config import load as read  # noqa: PLC0415 - as above

    return read(path) if path is not None else Config()


def quietly(level: "Level" = "ERROR") -> None:
    """Log only errors, or so much more: the command speaks for itself."""
    from liqwatch import log  # noqa: PLC0415 - as above

    log.configure(level)
