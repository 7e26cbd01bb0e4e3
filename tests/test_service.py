"""The shipped unit under a real systemd, in a container: service/boot.sh."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
BOOT = CHECKOUT / "tests" / "service" / "boot.sh"
TOOLS = ("bash", "unshare", "setpriv", "systemctl", "systemd-nspawn", "dbus-daemon")
CANNOT = 77


def test_the_unit_keeps_its_promises_under_systemd(tmp_path: Path) -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can boot a container")
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        pytest.skip(f"not installed: {', '.join(missing)} (Debian: systemd-container dbus)")
    if system_python() != sys.version_info[:2]:
        pytest.skip("/usr/bin/python3 is another version than this one, or has no venv")

    command = ["bash", str(BOOT), str(CHECKOUT), sysconfig.get_path("platlib"), str(tmp_path)]
    with subprocess.Popen(  # noqa: S603 - a script of ours
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as booting:
        try:
            said, _ = booting.communicate()
        finally:
            booting.terminate()  # interrupted, it still cleans up
    if booting.returncode == CANNOT:
        pytest.skip(f"no container can be booted here: {said.strip()[-500:]}")
    log = tmp_path / "said" / "log"
    assert booting.returncode == 0, log.read_text() if log.exists() else said


def system_python() -> tuple[int, ...] | None:
    """Return the version of the Python that the service can execute, unlike one in a home."""
    try:
        asked = subprocess.run(
            ["/usr/bin/python3", "-c", "import sys, venv; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return tuple(map(int, asked.stdout.split()))
