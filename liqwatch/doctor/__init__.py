"""`liqwatch doctor`: reach every venue, hear its channels, look at clocks, receivers and disk.

Each venue is watched by the very part that watches it in the daemon, for a short time and on
connections of its own, and what comes is counted instead of decided on. The keys of `--json` are
the fields of `liqwatch.doctor.report.Report`.
"""

import asyncio
import sys

import click
import msgspec

from liqwatch.config import Config
from liqwatch.doctor.diagnosis import diagnose
from liqwatch.doctor.report import Verdict
from liqwatch.doctor.text import show
from liqwatch.log import redact

__all__ = ["diagnose", "doctor"]


def doctor(config: Config, *, name: str, as_json: bool, seconds: float) -> int:
    """Look at everything for at most so many seconds; write what was found to standard output.

    `name` stands for the configuration. Returns 1 when something failed, else 0.
    """
    click.echo(
        f"asking {len(config.venues)} venues, {seconds:g} s at most, on connections of its own,"
        " which count towards their limits; nothing is recorded or alerted",
        err=True,
    )
    report = asyncio.run(diagnose(config, name=name, seconds=seconds))
    if as_json:
        click.echo(redact(msgspec.json.format(msgspec.json.encode(report)).decode()))
    else:
        show(report, sys.stdout)
    return int(report.verdict is Verdict.FAILED)
