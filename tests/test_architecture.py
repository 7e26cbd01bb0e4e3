"""The direction of imports: everything that decides is pure, and nothing points upward."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "liqwatch"

EDGES_OF_THE_SIMULATOR = {
    *("simulator", "simulator.server", "simulator.simulate"),
    *("simulator.bot_api", "simulator.bot_api.server", "simulator.bot_api.faults"),
}

# From the ground up: a part may import from its own row and from those before it.
ROWS = (
    {"events", "alerts", "records", "map_import", "map_view", "episode_view"},
    {"exchanges", "engine", "alerting", "imports", "simulator.*", "yaml"},
    {
        "checksums",
        "clock",
        "log",
        "log_lines",
        "moments",
        "overrides",
        "samples",
        "secret",
        "systemd",
        "jsonl",
        "live_file",
        "config",
        "control",
        "control_socket",
        "drawing",
        "sources",
        "sinks",
        "store",
        "web",
    },
    {"pipeline"},
    {"keeping", "memory", "people"},
    {"reload"},
    {"daemon"},
    {
        "app",
        "cli_parts",
        "demo",
        "doctor",
        "evaluate",
        "grounds",
        "notify_test",
        "pairing",
        "recorded",
        "rehearsal",
        "rehearsal_report",
        "rehearse",
        "replay",
        "show_map",
        "show_status",
        "show_why",
        "show_why_not",
        "tune",
        *EDGES_OF_THE_SIMULATOR,
    },
    {"cli_rehearse", "cli_telegram", "evaluate_verdicts"},
    {"cli"},
    {"__main__"},
)
ROW = {part: height for height, parts in enumerate(ROWS) for part in parts}

PURE = ("exchanges", "engine", "alerting", "imports", "yaml", "simulator")
WORLD = {
    *("aiohttp", "asyncio", "httpx", "logging", "os", "random", "selectors", "shutil", "signal"),
    *("socket", "sqlite3", "ssl", "structlog", "subprocess", "sys", "telegram", "tempfile"),
    *("threading", "time", "urllib.request", "websockets"),
}


def name_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {name_of(file): file for file in sorted(PACKAGE.rglob("*.py"))}


def imports(name: str) -> Iterator[str]:
    """Every module that this one imports; names of ours without the package."""
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative imports hide the direction"
            yield from (_imported(str(node.module), alias.name) for alias in node.names)


def _imported(module: str, name: str) -> str:
    # `from liqwatch.sinks import outbox` imports a module, `from random import Random` a class.
    full = f"{module}.{name}"
    return full if full.removeprefix("liqwatch.") in MODULES or module == "random" else module


def ours(name: str) -> set[str]:
    return {
        imported.removeprefix("liqwatch.")
        for imported in imports(name)
        if imported.startswith("liqwatch.")
    }


def row(name: str) -> int:
    folder = name.partition(".")[0]
    part = next((part for part in (name, f"{folder}.*", folder) if part in ROW), None)
    assert part is not None, f"{name} stands in no row yet: say above who may import it"
    return ROW[part]


@pytest.mark.parametrize("name", [name for name in MODULES if name])
def test_nothing_points_upward(name: str) -> None:
    assert {imported for imported in ours(name) if row(imported) > row(name)} == set()


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in MODULES
        if name.startswith(("exchanges", "engine", "alerting", "imports", "yaml"))
    ],
)
def test_the_deciding_parts_do_not_know_each_other(name: str) -> None:
    own = name.partition(".")[0]
    others = {other.partition(".")[0] for other in ours(name)} - {own}

    assert others <= ROWS[0]


@pytest.mark.parametrize(
    "name",
    [name for name in MODULES if name.startswith(PURE) and name not in EDGES_OF_THE_SIMULATOR],
)
def test_pure_code_imports_nothing_of_the_world(name: str) -> None:
    # The class `random.Random` is no part of the world: whoever passes one in has seeded it.
    found = {
        imported
        for imported in imports(name)
        if imported != "random.Random" and (imported in WORLD or imported.split(".")[0] in WORLD)
    }

    assert found == set()


def test_only_two_places_open_market_data_sockets() -> None:
    opening = {
        name
        for name in MODULES
        if any(imported.startswith("websockets") for imported in imports(name))
    }

    assert opening <= {"sources.transport", "simulator.server"}
