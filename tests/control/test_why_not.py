"""Why no cascade was called about a time, from what the engine and the database remember."""

from contextlib import closing

import pytest
from msgspec.structs import replace
from sample_alerts import APPROACHED, ENDED, STALLED, START_MS, STARTED

from liqwatch.alerts import Alert, Direction
from liqwatch.control.vocabulary import ControlError, WhyNotAnswer
from liqwatch.control.why_not import explain_silence, past_moment_ms
from liqwatch.engine import Engine
from liqwatch.engine.near_miss import MOST, Condition, Miss, Path
from liqwatch.engine.price import Source
from liqwatch.engine.settings import EngineSettings
from liqwatch.engine.snapshot import EngineState
from liqwatch.engine.state import SymbolState
from liqwatch.engine.venue import Venue
from liqwatch.events import Completeness
from liqwatch.store import Database, Deliveries

AT_MS = START_MS - START_MS % 60_000
MINUTE_MS = 60_000


def miss(minutes: float, nearness: float = 0.8, direction: Direction = Direction.UP) -> Miss:
    price = (Condition("drift_z", 6.6, 6.0),)
    rare = (Condition("rarity_ratio", 0.61, 1.0),)
    path = Path("rarity", "bybit-linear", 168.0, price, rare)
    return Miss(AT_MS + int(minutes * MINUTE_MS), direction, path, nearness, ("okx-swap",), {})


def knowing(*misses: Miss, until_minutes: int = 10) -> Engine:
    """An engine that heard half an hour of a price that rises, up to some minutes after."""
    state = EngineState()
    btc = state.symbols["BTC"] = SymbolState(name="BTC", number=0, misses=list(misses))
    btc.price.price = 91_000.0
    forced = dict.fromkeys(Direction, 0.0)
    for second in range(AT_MS // 1000 - 1200, AT_MS // 1000 + until_minutes * 60, 5):
        price = 90_000.0 * (1 + (second - AT_MS // 1000) / 1e6)
        btc.path.update(second, price)
        forced[Direction.UP] += 10.0
        btc.recent.update(second, price, forced)
    return Engine(EngineSettings(), watch=None, promises={}, state=state)


def told(engine: Engine, *alerts: Alert, at_ms: int = AT_MS) -> WhyNotAnswer:
    return explain_silence(engine, "btc", at_ms, alerts)


def test_the_misses_within_five_minutes_come_nearest_first() -> None:
    around = (miss(-5.1), miss(-4, 0.5), miss(2, 0.9, Direction.DOWN), miss(3, 0.6), miss(5.1))
    answer = told(knowing(*around))
    nearest = answer.misses[0]

    assert (answer.symbol, answer.at, answer.told, answer.called) == ("BTC", AT_MS, (), False)
    assert [one.nearness for one in answer.misses] == [0.9, 0.6, 0.5]
    assert (nearest.time, nearest.direction) == (AT_MS + 2 * MINUTE_MS, Direction.DOWN)
    assert (nearest.path, nearest.venue, nearest.return_hours) == ("rarity", "bybit-linear", 168.0)
    assert [(one.name, one.met) for one in nearest.criteria] == [
        ("rarity_ratio", False),
        ("drift_z", True),
    ]
    assert nearest.criteria[0].margin_pct == pytest.approx(-39)
    assert nearest.deaf == ("okx-swap",)


def test_where_nothing_was_near_it_is_said_what_the_market_did() -> None:
    answer = told(knowing())

    assert answer.remembered
    assert answer.moved_pct == pytest.approx(0.06, rel=0.01)
    assert answer.forced_usd == pytest.approx(10.0 * 121)


def test_a_cascade_of_that_time_is_told_instead_of_misses_its_way() -> None:
    elsewhere = replace(STARTED, symbol="ETH")
    answer = told(knowing(miss(1), miss(2, 0.5, Direction.DOWN)), APPROACHED, STARTED, elsewhere)

    assert answer.called
    assert answer.told == (APPROACHED, STARTED)
    assert [one.direction for one in answer.misses] == [Direction.DOWN]


def test_a_cascade_that_had_begun_before_and_still_ran_is_told_by_its_latest_turn() -> None:
    later_ms = STALLED.time + 6 * MINUTE_MS
    before, after = (one for one in (STARTED, STALLED) if one.time < later_ms), later_ms
    running = told(knowing(), *before, at_ms=after)
    over = told(knowing(), STARTED, STALLED, ENDED, at_ms=ENDED.time + 6 * MINUTE_MS)

    assert running.told == (STALLED,)
    assert over.told == ()


def test_a_database_tells_the_same_as_a_list() -> None:
    story = (APPROACHED, STARTED, STALLED, ENDED)
    with closing(Database(None)) as database:
        Deliveries(database).add([], alerts=list(story))
        for minutes in (-30, 0, 8, 30):
            at_ms = AT_MS + minutes * MINUTE_MS
            from_database = explain_silence(knowing(), "BTC", at_ms, database)
            assert from_database == told(knowing(), *story, at_ms=at_ms)


@pytest.mark.parametrize(
    ("engine", "at_ms"),
    [
        (knowing(), AT_MS - 86_400_000),
        (knowing(until_minutes=-10), AT_MS),
        (knowing(*(miss(20 + 5 * number) for number in range(MOST))), AT_MS),
    ],
    ids=["long ago", "nobody listened any more", "too much came later"],
)
def test_that_nothing_is_known_is_not_taken_for_calm(engine: Engine, at_ms: int) -> None:
    assert told(engine, at_ms=at_ms).forgotten


def test_a_miss_that_is_remembered_is_told_however_long_ago() -> None:
    answer = told(knowing(miss(-3000)), at_ms=AT_MS - 3000 * MINUTE_MS)

    assert len(answer.misses) == 1
    assert not answer.forgotten


@pytest.mark.parametrize(
    ("began", "healthy_since", "deaf"),
    [(None, -99, False), (1, None, True), (-20, -4, True), (-20, -6, False), (6, 7, False)],
)
def test_who_was_not_heard_then_is_named(
    began: int | None, healthy_since: int | None, deaf: bool
) -> None:
    def time_ms(minutes: int | None) -> int | None:
        return None if minutes is None else AT_MS + minutes * MINUTE_MS

    engine = knowing()
    engine.state.symbols["BTC"].sources["okx-swap|BTC-USDT-SWAP"] = Source(venue="okx-swap")
    engine.state.venues["okx-swap"] = Venue(
        name="okx-swap",
        completeness=Completeness.SAMPLED,
        deaf_began_ms=time_ms(began),
        healthy_since_ms=time_ms(healthy_since),
    )

    assert told(engine).deaf == (("okx-swap",) if deaf else ())


def test_what_cannot_be_asked_is_said_in_one_line() -> None:
    with pytest.raises(ControlError, match=r"^nothing is known of XYZ; known: BTC$"):
        explain_silence(knowing(), "XYZ", AT_MS, ())
    with pytest.raises(ControlError, match=r"^2100-01-01 is still to come$"):
        past_moment_ms("2100-01-01", AT_MS)
    with pytest.raises(ControlError, match=r"^'soon' is no time such as 14:05 or "):
        past_moment_ms("soon", AT_MS)
