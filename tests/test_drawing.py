"""Pictures drawn in a process of their own."""

import msgspec
import pytest
from sample_map import small_map

from liqwatch import drawing
from liqwatch.drawing import DrawingError, drawn
from liqwatch.map_view import MapShown, Theme

__all__ = ["small_map"]  # a fixture

PNG = b"\x89PNG\r\n"


async def test_a_map_is_drawn_beside_this_process(shown: MapShown) -> None:
    assert (await drawn(shown, Theme.LIGHT)).startswith(PNG)


async def test_what_takes_too_long_is_ended_and_said(
    shown: MapShown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "PATIENCE_S", 0.01)
    with pytest.raises(DrawingError, match="too long"):
        await drawn(shown, Theme.DARK)


async def test_what_cannot_be_drawn_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(msgspec.msgpack, "encode", lambda _: b"\xc1")
    with pytest.raises(DrawingError, match="code 1"):
        await drawn(None, Theme.DARK)  # type: ignore[arg-type]  # nothing that can be drawn
