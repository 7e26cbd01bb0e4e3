"""Pictures drawn in a process of their own: what the plotting library needs of memory (50 to 95 MB)
the daemon has no use for, and its loop goes on meanwhile.
"""

import asyncio
import sys

import msgspec

from liqwatch.episode_view import EpisodeShown
from liqwatch.map_view import MapShown, Theme

PATIENCE_S = 20.0

Shown = MapShown | EpisodeShown


class DrawingError(Exception):
    """There is no picture; one line says why."""


async def drawn(shown: Shown, theme: Theme) -> bytes:
    """Return a picture as PNG. Raises DrawingError."""
    what = type(shown).__name__
    try:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "liqwatch.drawing", what, theme),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise DrawingError(f"cannot draw: {error.strerror}") from error
    try:
        async with asyncio.timeout(PATIENCE_S):
            picture, _ = await child.communicate(msgspec.msgpack.encode(shown))
    except TimeoutError:
        raise DrawingError("drawing took too long") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        raise DrawingError(f"drawing failed, code {child.returncode}")
    return picture


def _main(what: str, theme: Theme, packed: bytes) -> bytes:
    if what == MapShown.__name__:
        from liqwatch.alerting.chart import draw  # noqa: PLC0415 - heavy, in the child only

        return draw(msgspec.msgpack.decode(packed, type=MapShown), theme)
    from liqwatch.alerting.episode_chart import draw_episode  # noqa: PLC0415 - as above

    return draw_episode(msgspec.msgpack.decode(packed, type=EpisodeShown), theme)


if __name__ == "__main__":
    sys.stdout.buffer.write(_main(sys.argv[1], Theme(sys.argv[2]), sys.stdin.buffer.read()))
