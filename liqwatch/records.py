"""What reached us from outside, in the words of the tape: the input of live, replay and demo."""

import msgspec


class Close(msgspec.Struct, frozen=True, gc=False):
    """How a connection ended."""

    code: int
    reason: str = ""


class Record(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One line of a tape after its header. `at` is our clock at receipt, in ns; exactly one of
    `open`, `sent`, `text` (with `stream`), `b64`, `close` and `get` says what happened.
    """

    at: int
    venue: str
    stream: str | None = None
    open: str | None = None
    sent: str | None = None
    get: str | None = None
    status: int | None = None
    text: str | None = None
    b64: bytes | None = None
    close: Close | None = None
