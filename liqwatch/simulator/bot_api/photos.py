"""Which pictures Telegram takes: core.telegram.org/bots/api#sendphoto."""

import struct
import zlib

from liqwatch.simulator.bot_api.refusals import bad

LARGEST_BYTES = 10 * 1024 * 1024
LARGEST_SIDES = 10_000  # width and height together
LARGEST_RATIO = 20

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def measured(photo: bytes) -> tuple[int, int]:
    """Return width and height of a PNG. Raises Refused for what is none or too large."""
    if len(photo) > LARGEST_BYTES:
        raise bad(
            f"file of size {len(photo)} bytes is too big for a photo;"
            f" the maximum size is {LARGEST_BYTES} bytes"
        )
    if not photo:
        raise bad("file must be non-empty")
    if not _is_whole(photo):
        raise bad("IMAGE_PROCESS_FAILED")
    width, height = struct.unpack(">II", photo[16:24])
    if width + height > LARGEST_SIDES or max(width, height) > LARGEST_RATIO * min(width, height):
        raise bad("PHOTO_INVALID_DIMENSIONS")
    return width, height


def _is_whole(png: bytes) -> bool:
    # Chunks of length, name, content, checksum; from the header to the end mark.
    if not png.startswith(_SIGNATURE):
        return False
    names, at = [], len(_SIGNATURE)
    while at + 12 <= len(png):
        length = int.from_bytes(png[at : at + 4])
        chunk, checksum = png[at + 4 : at + 8 + length], png[at + 8 + length : at + 12 + length]
        if zlib.crc32(chunk) != int.from_bytes(checksum) or len(checksum) < 4:
            return False
        names.append(chunk[:4])
        at += 12 + length
    return at == len(png) and names[:1] == [b"IHDR"] and names[-1:] == [b"IEND"]
