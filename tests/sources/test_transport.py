"""What a connection tells when it cannot be had or is no more."""

import asyncio
import shutil
import socket
import ssl
import subprocess
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pytest
from websockets.asyncio.server import ServerConnection, serve

from liqwatch.sources import transport
from liqwatch.sources.transport import (
    MAX_FRAME_BYTES,
    ConnectionLost,
    Transport,
    rewrite_url,
    turned_away,
)

Venue = Callable[..., Awaitable[str]]


async def stay(connection: ServerConnection) -> None:
    await connection.wait_closed()


async def lost_on_opening(url: str) -> ConnectionLost:
    with pytest.raises(ConnectionLost) as raised:
        async with Transport(url):
            pass
    return raised.value


async def lost_on_receiving(url: str) -> ConnectionLost:
    with pytest.raises(ConnectionLost) as raised:
        async with Transport(url) as connection:
            await connection.receive()
    return raised.value


async def test_text_comes_as_str_and_binary_as_bytes(venue: Venue) -> None:
    async def greet(connection: ServerConnection) -> None:
        await connection.send("hello")
        await connection.send(b"\x1f\x8b\xff")
        await connection.send(await connection.recv())

    async with Transport(await venue(greet)) as connection:
        await connection.send("Ⓢ")

        assert await connection.receive() == "hello"
        assert await connection.receive() == b"\x1f\x8b\xff"
        assert await connection.receive() == "Ⓢ"


async def test_compression_is_not_asked_for(venue: Venue) -> None:
    asked = []

    async def note(connection: ServerConnection) -> None:
        assert connection.request is not None
        asked.append(connection.request.headers.get("Sec-WebSocket-Extensions"))
        await connection.wait_closed()

    async with Transport(await venue(note)):
        pass

    assert asked == [None]


@pytest.mark.parametrize(
    ("code", "reason", "told"),
    [
        (1001, "", "going away"),
        (1012, "upgrade", "service restart.* upgrade"),
        (1013, "", "try again later"),
        (4000, "slow consumer", "slow consumer"),
    ],
)
async def test_the_close_code_and_reason_of_the_venue_are_told(
    venue: Venue, code: int, reason: str, told: str
) -> None:
    lost = await lost_on_receiving(await venue(lambda socket: socket.close(code, reason)))

    assert lost.code == code
    assert lost.retry_after_s == 0
    with pytest.raises(ConnectionLost, match=f"^the venue closed the connection: .*{told}"):
        raise lost


async def test_a_connection_cut_without_a_word_is_1006(venue: Venue) -> None:
    async def cut(connection: ServerConnection) -> None:
        connection.transport.abort()

    lost = await lost_on_receiving(await venue(cut))

    assert (lost.code, lost.reason) == (1006, "the connection broke off")


async def test_a_huge_frame_closes_the_connection(venue: Venue) -> None:
    async def flood(connection: ServerConnection) -> None:
        await connection.send("x" * (MAX_FRAME_BYTES + 1))

    lost = await lost_on_receiving(await venue(flood))

    assert lost.code == 1009
    assert lost.reason.startswith("we closed the connection: 1009 (message too big)")


@pytest.mark.parametrize(
    ("piece", "told"),
    [(b"\x00\x00", "too many fragments"), (b"\x00\x7e\x40\x00" + b"x" * 2**14, "too big")],
    ids=["empty", "16 KiB"],
)
async def test_a_message_in_endless_pieces_closes_the_connection_with_memory_bounded(
    venue: Venue, piece: bytes, told: str
) -> None:
    pieces = piece * (2**15 // len(piece))
    sent = 0

    async def dribble(connection: ServerConnection) -> None:
        nonlocal sent
        raw = connection.transport
        raw.write(b"\x01\x00")
        while not raw.is_closing():
            if raw.get_write_buffer_size() < 2**15:
                raw.write(pieces)
                sent += len(pieces)
            await asyncio.sleep(0)

    url = await venue(dribble)
    tracemalloc.start()
    try:
        lost = await lost_on_receiving(url)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert lost.code == 1009
    assert told in lost.reason
    assert peak < 8 * MAX_FRAME_BYTES
    assert sent < 4 * MAX_FRAME_BYTES


async def test_leaving_a_venue_that_has_hung_takes_no_longer_than_it_may(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "CLOSE_TIMEOUT_S", 0.05)

    async def hang(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await connection.wait_closed()

    begun = asyncio.get_running_loop().time()
    async with Transport(await venue(hang)) as connection:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                while True:
                    await connection.send("x" * 2**20)

    assert asyncio.get_running_loop().time() - begun < 1


async def test_the_opening_request_carries_the_headers(venue: Venue) -> None:
    asked = []

    async def note(connection: ServerConnection) -> None:
        assert connection.request is not None
        asked.append(connection.request.headers.get("Origin"))
        await connection.wait_closed()

    async with Transport(await venue(note), headers=[("Origin", "https://v.example")]):
        pass

    assert asked == ["https://v.example"]


async def test_text_that_is_no_utf8_closes_the_connection(venue: Venue) -> None:
    async def mumble(connection: ServerConnection) -> None:
        await connection.send(b"\xff\xfe", text=True)
        await connection.wait_closed()

    lost = await lost_on_receiving(await venue(mumble))

    assert lost.code == 1007


async def test_pings_that_are_not_answered_end_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "CLOSE_TIMEOUT_S", 0.05)
    async with serve(stay, "127.0.0.1", 0, close_timeout=0.1) as server:
        port = server.sockets[0].getsockname()[1]
        async with Transport(f"ws://127.0.0.1:{port}", ping_s=0.05) as connection:
            for one in server.connections:
                one.transport.pause_reading()

            with pytest.raises(ConnectionLost, match="keepalive ping timeout") as raised:
                await connection.receive()

    assert raised.value.code == 1011


@pytest.mark.parametrize(("status", "pause_s"), [(451, 600), (403, 600), (429, 60), (418, 60)])
async def test_being_turned_away_on_the_handshake_says_how_long_to_stay_away(
    venue: Venue, status: int, pause_s: float
) -> None:
    lost = await lost_on_opening(await venue(stay, status=status))

    assert lost.retry_after_s == pause_s
    assert lost.reason.startswith(f"HTTP {status}: ")


async def test_the_venue_may_say_itself_how_long(venue: Venue) -> None:
    lost = await lost_on_opening(await venue(stay, status=429, retry_after="7"))

    assert lost.retry_after_s == 7
    assert lost.reason == "HTTP 429: too many requests; next try in 7 s"


def test_a_geo_block_tells_the_user_what_to_do() -> None:
    assert turned_away(451, None).reason == (
        "HTTP 451: the venue does not serve this address (geo-block or ban): remove the venue"
        " from the configuration or run elsewhere; next try in 10 min"
    )


@pytest.mark.parametrize(
    ("status", "retry_after", "pause_s"),
    [
        (403, "30", 600),
        (403, "1200", 1200),
        (418, "259200", 86_400),
        (429, "-5", 60),
        (429, "soon", 60),
        (429, "Wed, 21 Oct 2026 07:28:00 GMT", 60),
        (429, "9" * 5_000, 86_400),
        (503, "20", 20),
        (503, None, 0),
        (404, None, 0),
    ],
)
def test_retry_after_is_obeyed_within_reason(
    status: int, retry_after: str | None, pause_s: float
) -> None:
    assert turned_away(status, retry_after).retry_after_s == pause_s


async def test_a_refused_connection_is_told(refusing_port: int) -> None:
    lost = await lost_on_opening(f"ws://127.0.0.1:{refusing_port}/ws")

    assert lost.code == 1006
    assert lost.reason.startswith("cannot connect: ")
    assert "Connect call failed" in lost.reason


async def test_a_name_that_does_not_resolve_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    lost = await lost_on_opening("ws://fstream.example/ws")

    assert lost.reason == ("the host name cannot be resolved: Temporary failure in name resolution")


async def test_a_handshake_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "OPEN_TIMEOUT_S", 0.05)

    with socket.create_server(("127.0.0.1", 0)) as deaf:
        lost = await lost_on_opening(f"ws://127.0.0.1:{deaf.getsockname()[1]}")

    assert lost.reason == "no answer in time"


async def test_what_is_no_websocket_is_told() -> None:
    async def speak_smtp(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(speak_smtp, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        lost = await lost_on_opening(f"ws://127.0.0.1:{port}")

    assert lost.reason.startswith("cannot connect: did not receive a valid HTTP response")


CA = """
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = DNS:{name}
"""


def make_certificate(folder: Path, name: str, until: str) -> None:
    (folder / "ca.cnf").write_text(CA.format(name=name))
    (folder / "index.txt").touch()
    request = "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem"
    sign = "ca -batch -config ca.cnf -selfsign -notext -keyfile key.pem -in request.pem"
    for command in (
        f"{request} -subj /CN=test -out request.pem",
        f"{sign} -startdate 20200101000000Z -enddate {until} -out cert.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)  # noqa: S603, S607 - our own words, the tester's openssl


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make certificates")
@pytest.mark.parametrize(
    ("name", "until", "trusted", "told"),
    [
        ("localhost", "20990101000000Z", False, "self-signed certificate"),
        ("localhost", "20200102000000Z", True, "certificate has expired"),
        ("elsewhere.example", "20990101000000Z", True, "Hostname mismatch"),
    ],
)
async def test_a_certificate_that_proves_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, until: str, trusted: bool, told: str
) -> None:
    make_certificate(tmp_path, name, until)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")

    async with serve(stay, "127.0.0.1", 0, ssl=tls) as server:
        port = server.sockets[0].getsockname()[1]
        lost = await lost_on_opening(f"wss://localhost:{port}/ws")

    assert lost.reason.startswith(f"TLS certificate refused: {told}")


@pytest.mark.parametrize(
    ("url", "override", "rewritten"),
    [
        ("wss://a.com/v5/public/linear", "ws://127.0.0.1:9001", "ws://127.0.0.1:9001/v5/public/linear"),
        ("wss://a.com:8443/ws/v5/public?b=1", "ws://[::1]:1/", "ws://[::1]:1/ws/v5/public?b=1"),
        ("https://a.com/oi?s=BTC&p=5m", "http://b:2/ignored?x", "http://b:2/oi?s=BTC&p=5m"),
        ("wss://a.com", "ws://b", "ws://b"),
    ],
)  # fmt: skip
def test_an_override_replaces_scheme_host_and_port_only(
    url: str, override: str, rewritten: str
) -> None:
    assert rewrite_url(url, override) == rewritten
