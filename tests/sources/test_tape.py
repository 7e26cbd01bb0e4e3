"""The laws of reading and writing tapes."""

import gzip
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import zstandard

from liqwatch.records import Close, Record
from liqwatch.sources.tape import TapeError, TapeReader, TapeWriter, merge_tapes

START_NS = 1_791_565_600_000_000_000
SECOND_NS = 1_000_000_000
HEADER = '{"tape":1,"created":1791565600000000000,"by":"by hand","note":""}\n'
SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "recordings"
RECORDED = sorted([*SHARED.glob("captures/*.jsonl.zst"), *SHARED.glob("quiet-*.jsonl.zst")])

EVERY_KIND = [
    Record(at=START_NS, venue="v", get="https://v/oi?symbol=BTC", status=200, text='{"oi":"1"}'),
    Record(at=START_NS + 1, venue="v", stream="v/1", open="wss://v/ws"),
    Record(at=START_NS + 2, venue="v", stream="v/1", sent='{"op":"subscribe"}'),
    Record(at=START_NS + 3, venue="v", stream="v/1", text='{"s":"币安人生USDT"}'),
    Record(at=START_NS + 4, venue="v", stream="v/1", text=""),
    Record(at=START_NS + 5, venue="v", stream="v/1", b64=bytes(range(256))),
    Record(at=START_NS + 6, venue="v", stream="v/1", b64=b""),
    Record(at=START_NS + 7, venue="v", stream="v/1", close=Close(1006, "gone")),
]


def frames(n: int, *, gap_ns: int = 1_000_000) -> Iterator[Record]:
    for i in range(n):
        text = f'{{"e":"aggTrade","a":{i},"p":"{60_000 + i * 7 % 997}.10","q":"0.{i % 89:03}"}}'
        yield Record(at=START_NS + i * gap_ns, venue="v", stream="v/1", text=text)


def write(path: Path, records: list[Record]) -> Path:
    with TapeWriter(path, note="", created_ns=START_NS) as tape:
        for record in records:
            tape.write(record)
    return path


def gzip_quickly(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=1)


@pytest.fixture
def by_hand(tmp_path: Path) -> Path:
    return tmp_path / "tape.jsonl"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read_back_exactly(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"tape{suffix}", EVERY_KIND)

    reader = TapeReader(path)

    assert list(reader) == EVERY_KIND
    assert (reader.skipped, reader.warnings) == (0, [])


def test_the_lines_are_those_of_the_format(by_hand: Path) -> None:
    write(by_hand, EVERY_KIND)

    header, *lines = [json.loads(line) for line in by_hand.read_text().splitlines()]

    assert {"tape": 1, "created": START_NS, "note": ""}.items() <= header.items()
    assert header["by"].startswith("liqwatch ")
    assert lines[0].keys() == {"at", "venue", "get", "status", "text"}
    assert lines[4] == {"at": START_NS + 4, "venue": "v", "stream": "v/1", "text": ""}
    assert lines[7]["close"] == {"code": 1006, "reason": "gone"}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_encoding_is_told_by_content_not_by_name(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"tape{suffix}", EVERY_KIND)

    renamed = path.rename(tmp_path / "tape.unknown")

    assert list(TapeReader(renamed)) == EVERY_KIND


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_tape_cut_at_any_byte_gives_its_beginning_and_a_warning(
    tmp_path: Path, suffix: str
) -> None:
    records = list(frames(16, gap_ns=SECOND_NS // 4))
    whole = write(tmp_path / f"whole{suffix}", records).read_bytes()
    cut = tmp_path / f"cut{suffix}"
    lengths = []
    for size in range(len(whole)):
        cut.write_bytes(whole[:size])
        reader = TapeReader(cut)
        read = list(reader)
        assert read == records[: len(read)]
        lengths.append(len(read))
        if suffix != ".jsonl" and size:
            assert reader.warnings

    assert lengths == sorted(lengths)
    assert lengths[-1] >= len(records) - 4  # those of the last second


def test_half_a_line_at_the_end_is_skipped_and_told(by_hand: Path) -> None:
    by_hand.write_text(HEADER + '{"at":1,"venue":"v","text":"a"}\n{"at":2,"venue":"v","te')

    reader = TapeReader(by_hand)

    assert [record.text for record in reader] == ["a"]
    assert reader.warnings == [f"{by_hand}:3: the last line is cut off, skipped"]


def test_a_last_line_without_its_newline_counts(by_hand: Path) -> None:
    by_hand.write_text(HEADER + '{"at":1,"venue":"v","text":"a"}')

    reader = TapeReader(by_hand)

    assert [record.text for record in reader] == ["a"]
    assert reader.warnings == []


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "",
        '{"at":1,"venue":"v","text":"a"',
        '{"at":1,"venue":"v","text":"a"}}',
        '{"at":"1","venue":"v","text":"a"}',
        '{"at":1,"venue":"v","text":{}}',
        '{"at":1,"text":"a"}',
        '{"at":1,"venue":"v","b64":"?"}',
        '{"at":1,"venue":"v","close":{"reason":"no code"}}',
        "[1]",
        "[" * 100_000,
    ],
)
def test_a_broken_line_is_an_error_with_file_and_line(by_hand: Path, line: str) -> None:
    by_hand.write_text(HEADER + '{"at":1,"venue":"v","text":"a"}\n' + line + "\n" + HEADER)

    with pytest.raises(TapeError) as raised:
        list(TapeReader(by_hand))

    assert str(raised.value).startswith(f"{by_hand}:3: ")
    assert "\n" not in str(raised.value)


def test_bytes_that_are_no_utf8_are_an_error_with_file_and_line(by_hand: Path) -> None:
    by_hand.write_bytes(HEADER.encode() + b'{"at":1,"venue":"v","text":"\xff"}\n')

    with pytest.raises(TapeError, match=r"tape\.jsonl:2: "):
        list(TapeReader(by_hand))


def test_damaged_compression_is_an_error_that_names_the_place(tmp_path: Path) -> None:
    path = tmp_path / "tape.jsonl.zst"
    packed = zstandard.compress((HEADER + '{"at":1,"venue":"v","text":"a"}\n').encode())
    path.write_bytes(packed + b"garbage that is no further frame")

    with pytest.raises(TapeError, match=r"tape\.jsonl\.zst:3: the compressed data is damaged"):
        list(TapeReader(path))


@pytest.mark.parametrize(
    "first",
    [
        '{"at":1,"venue":"v","text":"a"}\n',
        '{"some":"json"}\n',
        "time;price\n",
        "time;price",
        '{"tape":2}\n',
        '{"tape":"1"}\n',
    ],
)
def test_what_does_not_begin_as_a_known_tape_is_an_error(by_hand: Path, first: str) -> None:
    by_hand.write_text(first)

    with pytest.raises(TapeError, match=r"tape\.jsonl:1: "):
        list(TapeReader(by_hand))


def test_unknown_keys_are_ignored_and_unknown_kinds_counted(by_hand: Path) -> None:
    by_hand.write_text(
        HEADER
        + '{"at":1,"venue":"v","text":"a","hash":[1,{"x":null}]}\n'
        + '{"at":2,"venue":"v","weather":"fine"}\n'
        + '{"at":3,"note":"of no venue"}\n'
    )

    reader = TapeReader(by_hand)

    assert [record.text for record in reader] == ["a"]
    assert reader.skipped == 2


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_tapes_can_be_concatenated(tmp_path: Path, suffix: str) -> None:
    one = write(tmp_path / f"one{suffix}", EVERY_KIND).read_bytes()
    two = tmp_path / f"two{suffix}"
    two.write_bytes(one + one)

    reader = TapeReader(two)

    assert list(reader) == EVERY_KIND * 2
    assert reader.warnings == []


def test_reading_a_tape_again_begins_again(tmp_path: Path) -> None:
    reader = TapeReader(write(tmp_path / "tape.jsonl", EVERY_KIND))

    assert list(reader) == list(reader)


@pytest.fixture(scope="module")
def long_tape() -> bytes:
    lines = (msgspec.json.encode(record) for record in frames(200_000))
    return b"\n".join([HEADER.encode().strip(), *lines, b""])


@pytest.mark.parametrize("pack", [bytes, gzip_quickly, zstandard.compress])
def test_memory_does_not_grow_with_the_length_of_a_tape(
    tmp_path: Path, long_tape: bytes, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "tape"
    path.write_bytes(pack(long_tape))

    tracemalloc.start()
    try:
        assert sum(1 for _ in TapeReader(path)) == 200_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 4 * 2**20


def test_a_long_line_survives(tmp_path: Path) -> None:
    long = Record(at=START_NS, venue="v", get="https://v", status=200, text='"\x01' * 2_000_000)

    assert list(TapeReader(write(tmp_path / "tape.jsonl.zst", [long]))) == [long]


def test_merged_tapes_go_by_time_and_then_by_order_of_naming() -> None:
    def tape(venue: str, *times: int) -> list[Record]:
        return [Record(at=at, venue=venue, text="") for at in times]

    merged = merge_tapes([tape("a", 1, 3, 3, 8), tape("b", 2, 3), tape("c"), tape("d", 1)])

    assert [(r.at, r.venue) for r in merged] == [
        (1, "a"), (1, "d"), (2, "b"), (3, "a"), (3, "a"), (3, "b"), (8, "a")
    ]  # fmt: skip


def test_an_existing_file_is_never_touched(by_hand: Path) -> None:
    by_hand.write_text("precious")

    with pytest.raises(FileExistsError):
        TapeWriter(by_hand, note="", created_ns=START_NS)

    assert by_hand.read_text() == "precious"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_killed_writer_loses_at_most_the_last_second(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"tape{suffix}"
    records = list(frames(1_000, gap_ns=SECOND_NS // 100))
    tape = TapeWriter(path, note="", created_ns=START_NS)
    for record in records:
        tape.write(record)

    as_killed = list(TapeReader(path))
    tape.flush()
    after_flush = list(TapeReader(path))
    tape.close()

    assert as_killed[-1].at >= records[-1].at - SECOND_NS
    assert after_flush == records
    assert list(TapeReader(path)) == records


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        one = write(tmp_path / f"one{suffix}", EVERY_KIND).read_bytes()
        assert one == write(tmp_path / f"two{suffix}", EVERY_KIND).read_bytes()


def test_other_tools_read_what_we_write(tmp_path: Path) -> None:
    plain, packed, zst = (write(tmp_path / f"tape{suffix}", EVERY_KIND) for suffix in SUFFIXES)

    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    with zst.open("rb") as file:
        assert zstandard.ZstdDecompressor().stream_reader(file).read() == plain.read_bytes()


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared recordings are not here")
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_every_recorded_tape_reads_whole(path: Path) -> None:
    reader = TapeReader(path)

    last_at: dict[str | None, int] = {}
    for record in reader:
        assert record.at >= last_at.get(record.stream, 0)
        last_at[record.stream] = record.at

    assert last_at
    assert (reader.skipped, reader.warnings) == (0, [])


def test_a_tape_may_say_by_which_configuration_it_was_decided(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl.zst"
    with TapeWriter(path, note="", created_ns=1, config="symbols: [BTC]") as tape:
        for record in frames(3):
            tape.write(record)

    assert TapeReader(path).config() == "symbols: [BTC]"
    assert len(list(TapeReader(path))) == 3


@pytest.mark.parametrize(
    "first",
    [b"", b"{", b'{"tape":1}\n', b'{"tape":1,"config":7}\n', b"\x28\xb5\x2f\xfdjunk", b"[]"],
)
def test_a_tape_that_says_none_or_is_none_names_no_configuration(
    tmp_path: Path, first: bytes
) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(first)

    assert TapeReader(path).config() is None
