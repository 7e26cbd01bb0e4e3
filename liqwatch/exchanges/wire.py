"""What the venue files share about the wire: number types, reading with one kind of error, batches.

Venues write numbers as text. The decoders are lax (`strict=False`), so fields are typed as the
numbers they mean, with bounds: NaN, infinity, negative sizes and absurd magnitudes never get in.
"""

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from liqwatch.exchanges.base import MalformedFrame

T = TypeVar("T")
E = TypeVar("E")

Positive = Annotated[float, Meta(ge=1e-18, lt=1e15)]  # so products and quotients stay so, too
Amount = Annotated[float, Meta(ge=0, lt=1e15)]  # a quantity that may be none at all
Share = Annotated[float, Meta(ge=1e-9, le=1)]  # of a position's value, as a margin
Rate = Annotated[float, Meta(gt=-1e3, lt=1e3)]
Millis = Annotated[int, Meta(gt=0, lt=10**14)]  # ms since 1970, up to the year 5138
Moment = Annotated[int, Meta(ge=0, lt=10**14)]  # ms, 0 where there is none
Count = Annotated[int, Meta(ge=1, le=10**18)]
Id = Annotated[int, Meta(ge=0, le=10**18)]
Blank = Literal[""]  # how some venues write "no value"
UtcTime = Annotated[datetime, Meta(tz=True)]  # RFC 3339, as some write their times

# All that a decoder raises: msgspec's errors and broken text are ValueErrors, deep nesting is not.
UNREADABLE = (ValueError, RecursionError)

NO_CAP = 1e18  # of a margin tier without end: infinity has no form in JSON

_KINDS_COUNTED = 64
_UNPACKED_BYTES = 4 << 20  # as much as a frame may have unpacked
_raw_list = msgspec.json.Decoder(list[msgspec.Raw])
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def read(decoder: "msgspec.json.Decoder[T]", text: str | bytes | msgspec.Raw) -> T:
    """Decode one JSON text. Raises MalformedFrame: `bad_field` (JSON, but not as documented) or
    `not_json`.
    """
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        raise MalformedFrame("bad_field", str(error)[:200]) from None
    except UNREADABLE as error:
        raise MalformedFrame("not_json", str(error)[:200]) from None


def known_price(price: float | Blank | None) -> float | None:
    """Return a price, or None where the venue wrote that there is none: null, blank, zero."""
    return price if price and price >= 1e-18 else None


def milliseconds(moment: datetime) -> int:
    """Return a time as the number it is elsewhere. Raises MalformedFrame."""
    time = (moment - _EPOCH) // _MILLISECOND
    if not 0 < time < 10**14:
        raise MalformedFrame("bad_field", f"time {moment}")
    return time


def read_rows(text: msgspec.Raw) -> list[msgspec.Raw]:
    """Split a JSON array, leaving its rows undecoded. Raises MalformedFrame."""
    return read(_raw_list, text)


def each_good(
    rows: Iterable[T], decode: Callable[[T], Sequence[E]], counts: Counter[str]
) -> list[E]:
    """Decode rows one by one, so that a bad one does not lose the others; bad ones are counted as
    `malformed_row`. Raises the last MalformedFrame if no row was good.
    """
    events: list[E] = []
    good, bad, last = 0, 0, None
    for row in rows:
        try:
            events += decode(row)
            good += 1
        except MalformedFrame as error:
            bad, last = bad + 1, error
    if last is not None and not good:
        raise last
    if bad:
        counts["malformed_row"] += bad
    return events


def ignore(counts: Counter[str], kind: str) -> None:
    """Count a message of no interest by its kind; the number of distinct kinds is bounded."""
    name = f"ignored:{kind[:32] or 'unlabelled'}"
    counts[name if name in counts or len(counts) < _KINDS_COUNTED else "ignored:other"] += 1


def gunzip(frame: bytes) -> bytes:
    """Unpack one gzip frame. Raises MalformedFrame: `not_gzip`, or `too_large` beyond 4 MiB."""
    unpacker = zlib.decompressobj(wbits=31)  # 31: with a gzip header
    try:
        text = unpacker.decompress(frame, _UNPACKED_BYTES)
    except zlib.error as error:
        raise MalformedFrame("not_gzip", str(error)) from None
    if unpacker.unconsumed_tail:
        raise MalformedFrame("too_large", f"more than {_UNPACKED_BYTES:,} bytes")
    if not unpacker.eof:
        raise MalformedFrame("not_gzip", "cut off")
    return text


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut into runs of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))
