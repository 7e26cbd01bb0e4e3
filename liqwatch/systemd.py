"""What systemd wants to hear from a service: ready, reloading, alive. Without systemd, nothing.

Protocol: sd_notify(3) and sd_watchdog_enabled(3) of systemd.
"""

import os
import socket


def notify(state: str) -> None:
    """Tell systemd, e.g. `READY=1`, `WATCHDOG=1` or `STATUS=3/3 feeds live`; several, one a line.

    Does nothing when systemd did not ask to be told. A message it cannot take is lost: the service
    goes on, and the watchdog decides.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # how an abstract socket is written in an environment variable
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.setblocking(False)
        try:
            sender.sendto(state.encode(), address)
        except OSError:
            return


def watchdog_interval_s() -> float | None:
    """Seconds between two `WATCHDOG=1`: half of what systemd allows. None: no watchdog for us."""
    limit_us = os.environ.get("WATCHDOG_USEC", "")
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(limit_us) / 2e6 if limit_us.isdigit() and int(limit_us) > 0 else None
