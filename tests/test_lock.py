"""requirements.lock pins everything the project needs, by hash, and names no place to get it."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text()
PINS = {
    canonicalize_name(match[1]): match[2]
    for match in re.finditer(r"^([\w.-]+)==([\w.+!-]+)", LOCK, re.MULTILINE)
}


def wanted() -> Iterator[str]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    yield from project["build-system"]["requires"]
    yield from project["project"]["dependencies"]
    for extra in project["project"].get("optional-dependencies", {}).values():
        yield from extra
    for group in project["dependency-groups"].values():
        yield from (line for line in group if not line.startswith("liqwatch"))


@pytest.mark.parametrize("line", list(wanted()))
def test_everything_asked_for_is_pinned_within_its_bounds(line: str) -> None:
    requirement = Requirement(line)

    assert PINS[canonicalize_name(requirement.name)] in requirement.specifier


def test_every_pin_has_hashes_and_nothing_else_stands_here() -> None:
    entries = LOCK.replace(" \\\n", " ").splitlines()
    entry = re.compile(r"[\w.-]+==[\w.+!-]+(?: ; [^#\\]+?)?(?:\s+--hash=sha256:[0-9a-f]{64})+")

    assert [line for line in entries if not entry.fullmatch(line)] == []
    assert len(entries) == len(PINS)


def test_no_address_stands_here() -> None:
    assert re.findall(r"\w+://|\bfile:| @ |--(?:extra-)?index-url|--find-links", LOCK) == []
