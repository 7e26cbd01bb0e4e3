"""What can be wrong with a simulated venue, for rehearsals and for tests."""

import re

import msgspec

# Binance's old paths: they open, acknowledge and stay silent.
UNROUTED = ("/stream", "/ws")
_MISSPELT = "no-such-"
# Times in ms stand by themselves in the venues' frames, quoted or not: 13 digits until 2286.
_TIME_MS = re.compile(r"(?<![\w.-])1\d{12}(?![\w.-])")


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """All that may go wrong with one venue; by default only what is so in the real one."""

    silent: tuple[str, ...] = UNROUTED
    """Websocket paths that acknowledge and deliver nothing."""

    refuses: str | None = None
    """A topic that is refused."""

    drops: bool = False
    """Hang up on whoever has connected."""

    websocket_status: int | None = None
    """The HTTP status that every handshake gets."""

    rest_status: int | None = None
    """The HTTP status that every request gets."""

    retry_after_s: int | None = None
    """Said along with these."""

    rest_down: bool = False
    """Hang up on every request."""

    garbled: bool = False
    """Cut every frame in two, and send the first half."""

    clock_off_ms: int = 0
    """How far the times in frames are ahead."""

    @property
    def retry_after(self) -> dict[str, str]:
        """The HTTP header that says when to come back."""
        return {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}

    def misheard(self, request: str) -> str:
        """A client's frame, the topic to refuse made one that nobody knows."""
        return request.replace(self.refuses, _MISSPELT + self.refuses) if self.refuses else request

    def repeated(self, reply: str) -> str:
        """The answer to it, in the client's words."""
        return reply.replace(_MISSPELT, "") if self.refuses else reply

    def spoilt(self, frame: str) -> str:
        """A frame as it goes out."""
        if self.clock_off_ms:
            frame = _TIME_MS.sub(lambda time: str(int(time[0]) + self.clock_off_ms), frame)
        return frame[: len(frame) // 2] if self.garbled else frame
