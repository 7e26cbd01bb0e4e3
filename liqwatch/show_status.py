"""Tell somebody how the running daemon is: in one line, then each venue with its feeds."""

import sys
from collections.abc import Iterable
from itertools import groupby

import msgspec

from liqwatch.config import Config, state_folder
from liqwatch.control import AskStatus, ControlError, StatusAnswer
from liqwatch.control_socket import SOCKET_FILE, ask
from liqwatch.engine.liveness import FeedHealth
from liqwatch.engine.pace import FeedState

WORRYING = (FeedState.STALE, FeedState.DEAD, FeedState.QUARANTINED)


def ask_status(config: Config) -> StatusAnswer:
    """Ask the daemon of this configuration. Raises ControlError, as when none runs, and OSError."""
    told = ask(state_folder(config) / SOCKET_FILE, AskStatus())
    if not isinstance(told, StatusAnswer):
        raise ControlError("the daemon answers another question")
    return told


def show(told: StatusAnswer) -> None:
    """Write it to standard output, for people."""
    lines = [told.status, *_by_venue(told.feeds)]
    sys.stdout.write("\n".join(lines) + "\n")


def show_as_json(told: StatusAnswer) -> None:
    """Write it to standard output as one JSON object."""
    feeds = [feed._asdict() for feed in told.feeds]
    sys.stdout.write(msgspec.json.encode({"status": told.status, "feeds": feeds}).decode() + "\n")


def _by_venue(feeds: Iterable[FeedHealth]) -> Iterable[str]:
    for venue, those in groupby(feeds, key=lambda feed: feed.venue):
        yield f"{venue:16} {' · '.join(map(_feed, those))}"


def _feed(feed: FeedHealth) -> str:
    if feed.state not in WORRYING:
        return f"{feed.channel} {feed.state}"
    return f"{feed.channel} {feed.state.upper()} for {feed.silent_s} s: {feed.reason}"
