"""SHA256SUMS beside finished files, as `sha256sum --check` reads it."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

NAME = "SHA256SUMS"


def add_checksums(folder: Path, files: Iterable[Path]) -> None:
    """Add the files, which lie in or under `folder`, that its list does not name yet."""
    known = _read(folder)
    fresh = {str(file.relative_to(folder)): file for file in files}
    sums = {name: digest(file) for name, file in fresh.items() if name not in known}
    if sums:
        _write(folder, known | sums)


def drop_checksums(folder: Path, files: Iterable[Path]) -> None:
    """Take deleted files off the list."""
    known = _read(folder)
    left = known.keys() - {str(file.relative_to(folder)) for file in files}
    if len(left) < len(known):
        _write(folder, {name: known[name] for name in known if name in left})


def digest(file: Path) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _read(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / NAME).read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _write(folder: Path, sums: dict[str, str]) -> None:
    fresh = folder / f"{NAME}.new"
    fresh.write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()))
    fresh.replace(folder / NAME)
