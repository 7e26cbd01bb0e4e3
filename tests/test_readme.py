"""What the README shows is what the code says."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from liqwatch import cli
from liqwatch.alerting.message import render
from liqwatch.alerts import Alert, Direction, Kind, Level, Severity
from liqwatch.config import loads
from liqwatch.events import Position
from liqwatch.exchanges import EXCHANGES
from liqwatch.exchanges.base import Channel

BEGIN, END = "<!-- venues, from the registry -->", "<!-- end of venues -->"
ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()

EXAMPLE = Alert(
    id="example",
    episode="example",
    kind=Kind.CASCADE_STARTED,
    symbol="BTC",
    position=Position.SHORT,
    direction=Direction.UP,
    time=1_795_000_000_000,
    price=90_184.0,
    severity=Severity.CRITICAL,
    level=Level(low=89_900.0, high=90_300.0, notional=2.9e9, source="estimate"),
    evidence={
        "path": "rarity",
        "forced_usd_30s": 31.5e6,
        "forced_usd_30s_by_venue": {"bybit-linear": 22.1e6, "okx-swap": 9.4e6},
        "feeds": {"bybit-linear": "full", "okx-swap": "sampled"},
        "return_hours": 168.0,
        "tier": "strong",
        "rarity_ratio": 4.3,
        "run_on_z": 7.4,
        "history_hours": 310.0,
        "speed_bp_per_min": 61.0,
        "acceleration_sigma": 3.1,
        "drift_z": 8.1,
        "move_pct_60s": 1.4,
        "open_interest_change_pct_5m": -1.8,
        "funding_pct_8h": 0.0061,
        "spot_taker_usd_5m": 41.2e6,
        "basis_bp": 4.2,
        "volatility_rank_pct": 97.1,
        "next_level": {
            "low": 91_800.0,
            "high": 92_200.0,
            "notional": 2.4e9,
            "source": "estimate",
            "distance_pct": 2.0,
        },
    },
    thresholds={},
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def venues_table() -> str:
    """The registry as a table; `python tests/test_readme.py` writes it into the README."""
    common = {Channel.TRADES, Channel.LIQUIDATIONS}
    rows = [
        f"| {kind.title} | `{venue}` | {'none: spot' if kind.spot else kind.completeness} |"
        f" {', '.join(channel for channel in Channel if channel in kind.channels - common)} |"
        f" {kind.limits} |"
        for venue, kind in EXCHANGES.items()
    ]
    header = "| venue | id | liquidations | beside trades and liquidations | what to know |"
    return "\n".join([BEGIN, header, "|---|---|---|---|---|", *rows, END])


def test_the_example_is_what_an_alert_looks_like() -> None:
    assert blocks("text")[0] == render(EXAMPLE).plain() + "\n"


def test_the_venues_are_those_of_the_registry() -> None:
    assert venues_table() in README


@pytest.mark.parametrize("text", blocks("yaml"))
def test_each_configuration_shown_is_valid(text: str) -> None:
    loads(text, "README.md")


def every_command(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", one) for below, one in every_command(command))
        else:
            yield name, command


def test_every_command_is_in_the_table_with_its_first_line_of_help() -> None:
    for name, command in every_command(cli.commands):
        assert f"| `liqwatch {name}` | {command.get_short_help_str(200)} |" in README


def test_what_the_service_is_told_to_run_is_what_the_readme_installs() -> None:
    unit = (ROOT / "systemd" / "liqwatch.service").read_text()
    for path in ("/opt/liqwatch/bin/", "/etc/liqwatch/config.yaml", "/etc/liqwatch/telegram-token"):
        assert path in unit
        assert path in README


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_into_the_project_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


if __name__ == "__main__":
    before, rest = README.split(BEGIN)
    _, after = rest.split(END)
    (ROOT / "README.md").write_text(before + venues_table() + after)
