"""What every venue file must hold: each check runs over every venue of EXCHANGES."""

import contextlib
import importlib
import math
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwatch.events import Event, Liquidation, OpenInterestHistory, PriceHistory, Trade
from liqwatch.exchanges import EXCHANGES
from liqwatch.exchanges.base import Channel, Control, Exchange, MalformedFrame

# Each venue has a module `frames_….py` beside this file. It must have VENUE, RECEIVED, LIST_URL and
# LIST (the answer with the instruments), FRAMES (name: text, events) and REST (name: address, body,
# events). It may have
#   BOOTSTRAP      address and body of all that is asked before subscribing, if not LIST alone
#   SUBSCRIBED     frames without which the others mean nothing
#   EMPTY_LIST, LIST_WITH_BAD_ROW   where these cannot be made from LIST by its outermost brackets
#   WIRE           how a text goes over the wire, if not as it is
#   SILENT         names of frames that have nothing to tell and need no count
VENUES = {
    module.VENUE: module
    for module in (
        importlib.import_module(path.stem)
        for path in sorted(Path(__file__).parent.glob("frames_*"))
    )
}
CASES = [
    pytest.param(module, name, id=f"{venue}: {name}")
    for venue, module in VENUES.items()
    for name in module.FRAMES
]
REST_CASES = [
    pytest.param(module, name, id=f"{venue}: {name}")
    for venue, module in VENUES.items()
    for name in module.REST
]

CONTROL = get_args(Control)
EXAMPLES = 100
UNKNOWN_KINDS = (
    '{"e":"%s"}',
    '{"topic":"%s.X"}',
    '{"arg":{"channel":"%s"}}',
    '{"op":"%s"}',
    '{"channel":"%s"}',
    '{"method":"%s"}',
    '{"type":"%s"}',
    '{"feed":"%s"}',
    '{"event":"%s"}',
)

each_venue = pytest.mark.parametrize("venue", VENUES.values(), ids=list(VENUES))


def loaded(venue: ModuleType) -> Exchange:
    """An exchange that knows its instruments."""
    exchange = EXCHANGES[venue.VENUE]()
    for url, body in getattr(venue, "BOOTSTRAP", [(venue.LIST_URL, venue.LIST)]):
        exchange.decode_rest(url, 200, body, venue.RECEIVED)
    for text in getattr(venue, "SUBSCRIBED", ()):
        exchange.decode(wire(venue, text), venue.RECEIVED)
    return exchange


def wire(venue: ModuleType, text: str) -> Any:
    """A text as it goes over the wire of that venue."""
    return venue.WIRE(text) if hasattr(venue, "WIRE") else text


def as_bytes(frame: str | bytes) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame


def texts(venue: ModuleType) -> list[str]:
    return [text for text, _ in venue.FRAMES.values()]


def is_json(text: str) -> bool:
    return text.lstrip()[:1] in {"{", "["}


def decode_or_refuse(exchange: Exchange, frame: str | bytes, received: int) -> None:
    """Only MalformedFrame may be raised, and no event may carry a number nobody can use."""
    try:
        events = exchange.decode(frame, received)
    except MalformedFrame:
        return
    for event in events:
        fields = msgspec.structs.asdict(event)
        assert all(math.isfinite(value) for value in fields.values() if isinstance(value, float))
        assert fields.get("price", 1) > 0
        assert fields.get("time", 1) > 0
        if isinstance(event, Trade | Liquidation):
            assert event.size > 0


def test_every_venue_has_its_frames() -> None:
    assert EXCHANGES.keys() == VENUES.keys()


@each_venue
def test_a_venue_says_what_it_is(venue: ModuleType) -> None:
    exchange = EXCHANGES[venue.VENUE]

    assert exchange.venue == venue.VENUE
    assert exchange.title
    assert exchange.limits
    assert exchange.connects_per_s > 0
    assert exchange.rest_per_s > 0
    assert Channel.TRADES in exchange.channels
    assert (exchange.channels == {Channel.TRADES}) is exchange.spot
    assert (Channel.LIQUIDATIONS in exchange.channels) is not exchange.spot
    assert exchange.__module__


@pytest.mark.parametrize(("venue", "name"), CASES)
def test_a_frame_gives_exactly_its_events(venue: ModuleType, name: str) -> None:
    text, expected = venue.FRAMES[name]
    frame = wire(venue, text)

    assert list(loaded(venue).decode(frame, venue.RECEIVED)) == expected
    assert list(loaded(venue).decode(as_bytes(frame), venue.RECEIVED)) == expected


@pytest.mark.parametrize(("venue", "name"), CASES)
def test_a_frame_without_events_is_counted(venue: ModuleType, name: str) -> None:
    text, expected = venue.FRAMES[name]
    if expected or name in getattr(venue, "SILENT", ()):
        return
    exchange = loaded(venue)
    exchange.counts.clear()

    exchange.decode(wire(venue, text), venue.RECEIVED)

    assert exchange.counts.total() == 1


@pytest.mark.parametrize(("venue", "name"), REST_CASES)
def test_a_rest_answer_gives_exactly_its_events(venue: ModuleType, name: str) -> None:
    url, body, expected = venue.REST[name]
    lists = {venue.LIST_URL, *(url for url, _ in getattr(venue, "BOOTSTRAP", ()))}
    exchange = EXCHANGES[venue.VENUE]() if url in lists else loaded(venue)

    assert list(exchange.decode_rest(url, 200, body, venue.RECEIVED)) == expected


@pytest.mark.parametrize(("venue", "name"), REST_CASES)
def test_a_rest_answer_that_is_wrong_is_refused(venue: ModuleType, name: str) -> None:
    url, body, _ = venue.REST[name]
    exchange = EXCHANGES[venue.VENUE]()

    with pytest.raises(MalformedFrame) as blocked:
        exchange.decode_rest(url, 451, body, venue.RECEIVED)
    for end in range(len(body)):
        with pytest.raises(MalformedFrame):
            exchange.decode_rest(url, 200, body[:end], venue.RECEIVED)

    assert blocked.value.kind == "http_451"
    assert not exchange.instruments


@each_venue
def test_an_empty_list_does_not_forget_the_instruments(venue: ModuleType) -> None:
    exchange = loaded(venue)
    known = dict(exchange.instruments)
    empty = venue.LIST[: venue.LIST.find("[") + 1] + venue.LIST[venue.LIST.rfind("]") :]
    empty = getattr(venue, "EMPTY_LIST", empty)

    with pytest.raises(MalformedFrame) as refused:
        exchange.decode_rest(venue.LIST_URL, 200, empty, venue.RECEIVED)

    assert refused.value.kind == "empty_list"
    assert exchange.instruments == known


@each_venue
def test_a_bad_instrument_does_not_lose_the_others(venue: ModuleType) -> None:
    exchange = EXCHANGES[venue.VENUE]()
    alone = EXCHANGES[venue.VENUE]()
    first = venue.LIST.find("[") + 1
    body = f'{venue.LIST[:first]}{{"symbol":1}},{venue.LIST[first:]}'

    alone.decode_rest(venue.LIST_URL, 200, venue.LIST, venue.RECEIVED)
    exchange.decode_rest(
        venue.LIST_URL, 200, getattr(venue, "LIST_WITH_BAD_ROW", body), venue.RECEIVED
    )

    assert exchange.instruments == alone.instruments
    assert exchange.counts["malformed_row"] == 1


@each_venue
def test_an_answer_of_an_unknown_address_is_counted(venue: ModuleType) -> None:
    exchange = EXCHANGES[venue.VENUE]()

    assert not exchange.decode_rest("https://host/depth?limit=1", 200, "{}", venue.RECEIVED)
    assert exchange.counts == {"ignored:/depth": 1}


@each_venue
def test_trades_and_liquidations_heard_twice_count_once(venue: ModuleType) -> None:
    exchange = loaded(venue)
    frames = [wire(venue, text) for text in texts(venue)]
    once, again = (
        [
            event
            for frame in frames
            for event in exchange.decode(frame, venue.RECEIVED)
            if isinstance(event, Trade | Liquidation)
        ]
        for _ in range(2)
    )

    assert once
    assert not again
    assert exchange.counts["duplicate"] >= len(once)


@each_venue
def test_a_restored_exchange_continues_as_the_one_that_went_on(venue: ModuleType) -> None:
    frames = [wire(venue, text) for text in texts(venue)] * 2
    whole = loaded(venue)
    expected = [list(whole.decode(frame, venue.RECEIVED)) for frame in frames]

    for cut in range(len(frames) + 1):
        first, second = loaded(venue), EXCHANGES[venue.VENUE]()
        events = [list(first.decode(frame, venue.RECEIVED)) for frame in frames[:cut]]
        second.restore(first.snapshot())
        events += [list(second.decode(frame, venue.RECEIVED)) for frame in frames[cut:]]

        assert events == expected
        assert second.snapshot() == whole.snapshot()
        assert second.bootstrap() == whole.bootstrap()
        assert second.endpoints(None) == whole.endpoints(None)


@pytest.mark.parametrize(("venue", "name"), CASES)
def test_events_survive_json(venue: ModuleType, name: str) -> None:
    decoded = loaded(venue).decode(wire(venue, venue.FRAMES[name][0]), venue.RECEIVED)
    events = [event for event in decoded if not isinstance(event, CONTROL)]

    assert msgspec.json.decode(msgspec.json.encode(events), type=list[Event]) == events


@pytest.mark.parametrize(("venue", "name"), REST_CASES)
def test_events_of_rest_survive_json(venue: ModuleType, name: str) -> None:
    url, body, _ = venue.REST[name]
    events = list(loaded(venue).decode_rest(url, 200, body, venue.RECEIVED))

    assert msgspec.json.decode(msgspec.json.encode(events), type=list[Event]) == events


@pytest.mark.parametrize(("venue", "name"), CASES)
def test_a_cut_off_frame_is_refused(venue: ModuleType, name: str) -> None:
    text, _ = venue.FRAMES[name]
    if not is_json(text):
        return  # such as "pong"
    exchange = loaded(venue)
    frame = wire(venue, text)
    whole = as_bytes(frame)

    for end in range(len(whole)):
        with pytest.raises(MalformedFrame):
            exchange.decode(whole[:end], venue.RECEIVED)
    for end in range(len(frame) if isinstance(frame, str) else 0):
        with pytest.raises(MalformedFrame):
            exchange.decode(frame[:end], venue.RECEIVED)


@each_venue
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_a_frame_with_flipped_bits_is_refused_or_decoded(
    venue: ModuleType, data: st.DataObject
) -> None:
    frame = bytearray(as_bytes(wire(venue, data.draw(st.sampled_from(texts(venue))))))
    bits = st.integers(0, len(frame) * 8 - 1)
    for bit in data.draw(st.lists(bits, min_size=1, max_size=8)):
        frame[bit // 8] ^= 1 << bit % 8
    exchange = loaded(venue)

    decode_or_refuse(exchange, bytes(frame), venue.RECEIVED)

    assert exchange.snapshot()


@each_venue
@settings(max_examples=EXAMPLES, deadline=None)
@given(frame=st.binary() | st.text(st.characters()) | st.text(st.characters(categories=["Cs"])))
def test_arbitrary_input_is_refused_or_decoded(venue: ModuleType, frame: str | bytes) -> None:
    decode_or_refuse(loaded(venue), frame, venue.RECEIVED)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@each_venue
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_a_frame_with_one_value_replaced_is_refused_or_decoded(
    venue: ModuleType, data: st.DataObject
) -> None:
    frames = [text for text in texts(venue) if is_json(text)]
    message = msgspec.json.decode(data.draw(st.sampled_from(frames)))
    inner = message
    while data.draw(st.booleans()) and isinstance(inner, dict | list) and inner:
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(inner[key], dict | list) and data.draw(st.integers(0, 3)):
            inner = inner[key]
            continue
        inner[key] = data.draw(JSON)
        break
    exchange = loaded(venue)

    text = msgspec.json.encode(message).decode()
    decode_or_refuse(exchange, wire(venue, text), venue.RECEIVED)

    assert exchange.snapshot()


@pytest.mark.parametrize("depth", [20, 100_000])
@each_venue
def test_deep_nesting_is_refused(venue: ModuleType, depth: int) -> None:
    for opening in ("[", '{"data":', '{"data":['):
        with pytest.raises(MalformedFrame):
            loaded(venue).decode(wire(venue, opening * depth), venue.RECEIVED)


@each_venue
def test_unknown_kinds_are_counted_under_a_bounded_number_of_names(venue: ModuleType) -> None:
    exchange = loaded(venue)

    for number in range(1000):
        for kind in UNKNOWN_KINDS:
            with contextlib.suppress(MalformedFrame):
                exchange.decode(wire(venue, kind % f"kind{number}"), venue.RECEIVED)

    assert len(exchange.counts) < 80


@each_venue
def test_every_topic_is_asked_for_once(venue: ModuleType) -> None:
    for endpoint in loaded(venue).endpoints(None):
        assert len(set(endpoint.topics)) == len(endpoint.topics)
        for topic in endpoint.topics:
            named = topic.partition(":")[2] or topic
            assert any(named in request for request in endpoint.requests)


@each_venue
def test_coins_that_are_not_listed_are_left_out(venue: ModuleType) -> None:
    assert not loaded(venue).endpoints({"NOSUCHCOIN"})
    assert not EXCHANGES[venue.VENUE]().endpoints(None)


@each_venue
def test_without_a_list_names_are_made_by_the_rule_or_nothing_is_asked(venue: ModuleType) -> None:
    by_rule = EXCHANGES[venue.VENUE]().endpoints({"BTC"})

    assert by_rule in ([], loaded(venue).endpoints(["BTC"]))


@each_venue
def test_the_past_of_an_instrument_is_asked_for_where_its_answers_are_understood(
    venue: ModuleType,
) -> None:
    exchange = loaded(venue)
    told = {type(event): url for url, _, events in venue.REST.values() for event in events}
    asked = [poll.url for name in exchange.instruments for poll in exchange.history(name)]
    ours = [told[kind] for kind in (PriceHistory, OpenInterestHistory) if kind in told]

    assert [url for url in asked if url in ours] == ours
    assert bool(asked) is bool(ours) is (exchange.history_per_s is not None)
    assert not exchange.history("NOSUCHNAME")
