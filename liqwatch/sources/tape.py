"""Tapes: everything that reached us, in order of receipt, as JSON Lines (plain, gzip or zstd)."""

import gzip
import heapq
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import IO, Protocol, Self

import msgspec
import zstandard

from liqwatch import __version__
from liqwatch.records import Record

_VERSION = 1
_SECOND_NS = 1_000_000_000
_KINDS = ("open", "sent", "text", "b64", "close", "get")
_BATCH = 512  # records
_LEVEL = 1  # of zstd: on market data half the work of its default, and no larger
_PLAIN_CHUNK = 1 << 18
_PACKED_CHUNK = 1 << 13  # small, since what comes out of it is many times as much
_MAX_LINE = 1 << 27  # a REST body of 16 MiB, each byte escaped to six, fits

_encode_lines = msgspec.json.Encoder().encode_lines
_decode = msgspec.json.Decoder(Record).decode


class _Header(msgspec.Struct):
    # The first line, as far as it is of use.
    tape: int
    config: str | None = None


class TapeError(ValueError):
    """A tape that cannot be read, as "FILE:LINE: what is wrong"."""


class TapeReader:
    """The records of one tape, read as they are asked for; memory does not grow with its length.

    Iterating raises TapeError for a line that is not what the format says, and OSError. Records
    of a kind not known here are left out and counted in `skipped`. What a killed recorder leaves
    at the end (half a line, half a compressed block) is left out, too, and told in `warnings`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.skipped = 0
        self.warnings: list[str] = []

    def __iter__(self) -> Iterator[Record]:
        self.skipped, self.warnings = 0, []
        number = 0
        try:
            for number, line in enumerate(self._lines(), 1):
                try:
                    record = _decode(line)
                except (ValueError, RecursionError) as error:
                    self._read_other(number, line, error)
                    continue
                if number == 1:
                    raise self._error(1, 'not a tape, which begins with {"tape":1,…}')
                if _is_known(record):
                    yield record
                else:
                    self.skipped += 1
        except (zlib.error, zstandard.ZstdError) as error:
            raise self._error(number + 1, f"the compressed data is damaged: {error}") from error

    def config(self) -> str | None:
        """Return the configuration that the tape says it was decided by, in YAML; most say none.

        Raises OSError. What else is wrong with a tape is told when it is read.
        """
        try:
            return msgspec.json.decode(next(self._lines(), b""), type=_Header).config
        except (ValueError, RecursionError, zlib.error, zstandard.ZstdError):
            return None

    def _read_other(self, number: int, line: bytes, error: Exception) -> None:
        """Pass over a header or a record of unknown kind; anything else is an error."""
        try:
            line_keys = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        except (ValueError, RecursionError):
            raise self._error(number, str(error)) from error
        version = line_keys.get("tape")
        if version is not None:
            if bytes(version) != b"%d" % _VERSION:
                raise self._error(number, f"tape version {bytes(version).decode()} is not known")
        elif number == 1:
            raise self._error(1, 'not a tape, which begins with {"tape":1,…}')
        elif line_keys.keys().isdisjoint(_KINDS):
            self.skipped += 1
        else:
            raise self._error(number, str(error)) from error

    def _error(self, number: int, what: str) -> TapeError:
        return TapeError(f"{self.path}:{number}: {what}")

    def _lines(self) -> Iterator[bytes]:
        tail = b""
        number = 0
        for chunk in self._chunks():
            *lines, tail = (tail + chunk).split(b"\n")
            yield from lines
            number += len(lines)
            if len(tail) > _MAX_LINE:
                raise self._error(number + 1, f"a line of more than {_MAX_LINE >> 20} MiB")
        if _is_cut_off(tail):
            self.warnings.append(f"{self.path}:{number + 1}: the last line is cut off, skipped")
        elif tail:
            yield tail

    def _chunks(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            new_unpacker = _unpacker_for(file.peek(4)[:4])
            if new_unpacker is None:
                yield from iter(partial(file.read, _PLAIN_CHUNK), b"")
                return
            unpacker = None
            while packed := file.read(_PACKED_CHUNK):
                while packed:  # one frame may follow another: tapes can be concatenated
                    if unpacker is None:
                        unpacker = new_unpacker()
                    yield unpacker.decompress(packed)
                    packed = unpacker.unused_data
                    if unpacker.eof:
                        unpacker = None
        if unpacker is not None:
            self.warnings.append(f"{self.path}: was not closed, its last second may be missing")


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def _unpacker_for(magic: bytes) -> Callable[[], _Unpacker] | None:
    """Tell the encoding by its first bytes, of which a killed recorder may have left only some."""
    if not magic:
        return None
    if zstandard.FRAME_HEADER.startswith(magic):
        return lambda: zstandard.ZstdDecompressor().decompressobj()
    if b"\x1f\x8b".startswith(magic[:2]):
        return lambda: zlib.decompressobj(wbits=31)  # 31: with a gzip header
    return None


def _is_known(record: Record) -> bool:
    return (
        record.text is not None  # first, as nearly all of them are
        or record.b64 is not None
        or record.sent is not None
        or record.get is not None
        or record.open is not None
        or record.close is not None
    )


def _is_cut_off(line: bytes) -> bool:
    """Whether this is the beginning of a record, not the whole of one."""
    if not line.startswith(b"{"):
        return False
    try:
        msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return True
    return False


def merge_tapes(tapes: Iterable[Iterable[Record]]) -> Iterator[Record]:
    """Merge tapes by time of receipt; at the same time, the tape named first comes first."""
    return heapq.merge(*tapes, key=attrgetter("at"))


class TapeWriter:
    """Write a new tape: `.jsonl`, `.jsonl.gz` or `.jsonl.zst`, by the suffix of `path`.

    What was written reaches the operating system after each second of record time, on `flush`
    and on `close`; `unflushed` counts the records that have not. A file that exists is never
    touched (FileExistsError); a full disk is an OSError from any method. `config` is what it will
    be decided by when nothing else is said: YAML, without secrets.
    """

    def __init__(
        self, path: Path, *, note: str, created_ns: int, config: str | None = None
    ) -> None:
        self._pending: list[Record] = []
        self._packed_since = 0  # records that the packer may still hold
        self._flush_due_ns = created_ns + _SECOND_NS
        self._file = path.open("xb")
        self._packed = _packer_for(path.suffix, self._file)
        header = {
            "tape": _VERSION, "created": created_ns, "by": f"liqwatch {__version__}", "note": note
        } | ({"config": config} if config else {})  # fmt: skip
        try:
            self._packed.write(_encode_lines([header]))
            self.flush()
        except OSError:
            with suppress(OSError):
                self.close()
            path.unlink()
            raise

    @property
    def unflushed(self) -> int:
        """How many records would be lost with the process."""
        return self._packed_since + len(self._pending)

    def write(self, record: Record) -> None:
        """Add one record."""
        self._pending.append(record)
        if record.at >= self._flush_due_ns:
            self.flush()
            self._flush_due_ns = record.at + _SECOND_NS
        elif len(self._pending) >= _BATCH:
            self._pack()

    def flush(self) -> None:
        """Give what was written to the operating system: killing us no longer loses it."""
        self._pack()
        self._packed.flush()
        self._file.flush()
        self._packed_since = 0

    def _pack(self) -> None:
        """Encoding and packing many records at once costs half of one by one."""
        batch, self._pending = self._pending, []
        self._packed_since += len(batch)
        self._packed.write(_encode_lines(batch))

    def close(self) -> None:
        """Finish the file."""
        try:
            self._pack()
            self._packed.close()
        finally:
            self._file.close()
        self._packed_since = 0

    def abandon(self) -> None:
        """Let go of a file whose disk takes no more; what is there already stays readable."""
        with suppress(OSError):
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Packer(Protocol):
    def write(self, data: bytes, /) -> int: ...
    def flush(self) -> object: ...
    def close(self) -> None: ...


def _packer_for(suffix: str, file: IO[bytes]) -> _Packer:
    match suffix:
        case ".zst":
            return zstandard.ZstdCompressor(level=_LEVEL).stream_writer(file, closefd=False)
        case ".gz":
            return gzip.GzipFile("", "wb", fileobj=file, mtime=0)
        case _:
            return file
