import asyncio
import socket
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from liqwatch import control_socket
from liqwatch.control import Answer, AskMap, AskStatus, ControlError, Question, StatusAnswer
from liqwatch.control_socket import MOST_CALLERS, NotRunningError, answering, ask


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # a socket's path may not be long
    return Path("control.sock")


def status(question: Question) -> Answer:
    if isinstance(question, AskMap):
        raise ControlError(f"no map of {question.symbol}")
    return StatusAnswer("well", ())


async def asked(path: Path, question: Question | None = None) -> Answer:
    return await asyncio.to_thread(ask, path, question or AskStatus())


async def said(path: Path, line: bytes) -> bytes:
    """What is answered to a line of somebody's own."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(line)
    answer = b""
    with suppress(ConnectionResetError):  # what was too long was not read to its end
        answer = await reader.readline()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return answer


def mode(path: Path) -> int | None:
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else None


async def test_only_its_user_may_ask_and_nothing_is_left_at_the_end(path: Path) -> None:
    async with answering(path, status):
        assert mode(path) == 0o600
        assert await asked(path) == StatusAnswer("well", ())
        assert await asked(path) == StatusAnswer("well", ())
    assert mode(path) is None


async def test_what_cannot_be_told_is_a_reason(path: Path) -> None:
    async with answering(path, status):
        with pytest.raises(ControlError, match=r"^no map of XYZ$"):
            await asked(path, AskMap("XYZ"))


async def test_the_socket_of_a_daemon_that_was_killed_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    with pytest.raises(NotRunningError):
        await asked(path)

    async with answering(path, status):
        assert await asked(path) == StatusAnswer("well", ())


async def test_where_nobody_listens_that_is_said(path: Path) -> None:
    with pytest.raises(NotRunningError, match=r"^no liqwatch is running on "):
        await asked(path)


async def test_a_daemon_whose_socket_cannot_be_made_runs_without(path: Path) -> None:
    (path / "in the way").mkdir(parents=True)
    async with answering(path, status):
        with pytest.raises(ControlError):
            await asked(path)


@pytest.mark.parametrize(
    "line", [b"{}\n", b'{"ask":"everything"}\n', b'{"ask":"map"}\n', b"\xff\n", b"\n", b"x" * 9000]
)
async def test_nonsense_is_refused_and_the_next_question_answered(path: Path, line: bytes) -> None:
    async with answering(path, status):
        answer = await said(path, line)
        assert answer.startswith(b'{"answer":"refusal","reason":"not a question: ') or len(line) > 9
        assert await asked(path) == StatusAnswer("well", ())


async def test_a_bug_in_an_answer_is_told_and_stops_nothing(path: Path) -> None:
    def buggy(_: Question) -> Answer:
        raise ZeroDivisionError

    async with answering(path, buggy):
        for _ in range(2):
            with pytest.raises(ControlError, match="a bug: ZeroDivisionError"):
                await asked(path)


async def test_too_many_at_once_are_refused_and_who_is_silent_is_let_go(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_socket, "PATIENCE_S", 0.3)
    async with answering(path, status):
        silent = [await asyncio.open_unix_connection(path) for _ in range(MOST_CALLERS)]
        with pytest.raises(ControlError, match="too many ask at once"):
            await asked(path)
        for reader, writer in silent:
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
        assert await asked(path) == StatusAnswer("well", ())


async def test_a_daemon_that_does_not_answer_is_not_waited_for_for_ever(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_socket, "PATIENCE_S", 0.1)
    with socket.socket(socket.AF_UNIX) as hanging:
        hanging.bind(str(path))
        hanging.listen()
        with pytest.raises(ControlError, match="does not answer"):
            await asked(path)


@pytest.mark.parametrize("answer", [b"", b"hello\n", b'{"answer":"other"}\n'])
async def test_whatever_else_listens_there_is_an_error_in_one_line(
    path: Path, answer: bytes
) -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    async with await asyncio.start_unix_server(other, path):
        with pytest.raises(ControlError, match=r"does not answer: .+"):
            await asked(path)
