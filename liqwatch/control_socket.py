"""A Unix socket beside the state: a question as one line of JSON, the answer as another.

Only the user that runs the daemon can reach it (mode 0600).
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import msgspec
import structlog

from liqwatch.control import Answer, ControlError, Question

SOCKET_FILE = "control.sock"
MOST_CALLERS = 8
QUESTION_BYTES = 4096
ANSWER_BYTES = 16 << 20
PATIENCE_S = 10.0

log = structlog.get_logger("liqwatch.control")

Answers = Callable[[Question], Answer]


class Refusal(msgspec.Struct, frozen=True, tag_field="answer", tag="refusal"):
    """Why there is no answer, in one line."""

    reason: str


class NotRunningError(ControlError):
    """No daemon listens there."""


@asynccontextmanager
async def answering(path: Path, answer: Answers) -> AsyncIterator[None]:
    """Answer questions at `path`, in the place of what an earlier daemon left there.

    Where no socket can be made, that is said, and the daemon does without.
    """
    callers = set[asyncio.Task[None]]()

    def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        busy = len(callers) >= MOST_CALLERS
        caller = asyncio.create_task(_serve(reader, writer, _refuse if busy else answer))
        callers.add(caller)
        caller.add_done_callback(callers.discard)

    try:
        server = await asyncio.start_unix_server(receive, sock=_bound(path), limit=QUESTION_BYTES)
    except OSError as error:
        log.warning("nobody can ask this daemon", socket=str(path), reason=str(error))
        yield
        return
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)  # noqa: ASYNC240 - takes no time
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)


def _refuse(_: Question) -> Answer:
    raise ControlError("too many ask at once, try again")


def _bound(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(str(path))
        path.chmod(0o600)  # nobody gets in before it listens
    except OSError:
        bound.close()
        raise
    return bound


async def _serve(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answer: Answers,
) -> None:
    with suppress(OSError, TimeoutError), closing(writer):
        async with asyncio.timeout(PATIENCE_S):
            writer.write(msgspec.json.encode(await _answer(reader, answer)) + b"\n")
            await writer.drain()


async def _answer(reader: asyncio.StreamReader, answer: Answers) -> Answer | Refusal:
    try:
        question = msgspec.json.decode(await reader.readline(), type=Question)
    except ValueError as error:  # no JSON, nothing we know, too long a line
        return Refusal(f"not a question: {error}")
    try:
        return answer(question)
    except ControlError as error:
        return Refusal(str(error))
    except Exception as error:
        log.exception("a question cannot be answered")
        return Refusal(f"a bug: {type(error).__name__}, see the daemon's log")


def ask(path: Path, question: Question) -> Answer:
    """Ask the daemon that listens at `path`.

    Raises ControlError, and OSError where the socket may not be used.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(PATIENCE_S)
        try:
            line.connect(str(path))
            line.sendall(msgspec.json.encode(question) + b"\n")
            with line.makefile("rb") as answers:
                text = answers.readline(ANSWER_BYTES)
            told: Answer | Refusal = msgspec.json.decode(text, type=Answer | Refusal)
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            raise NotRunningError(f"no liqwatch is running on {path.parent}") from None
        except (TimeoutError, ConnectionError, msgspec.DecodeError) as error:
            raise ControlError(f"{path}: the daemon does not answer: {error}") from error
    if isinstance(told, Refusal):
        raise ControlError(told.reason)
    return told
