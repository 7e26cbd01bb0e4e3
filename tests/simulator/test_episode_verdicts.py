"""What reaching a level did and how cascades ended, and what is said of it."""

import numpy as np
import pytest

from liqwatch.alerts import Outcome, Verdict
from liqwatch.simulator.episodes.bursts import bursts
from liqwatch.simulator.episodes.confusion import accuracy, confusion
from liqwatch.simulator.episodes.course import STEPS, Course, Episode
from liqwatch.simulator.episodes.feeds import complete
from liqwatch.simulator.episodes.legs import FIRST_PRICE
from liqwatch.simulator.episodes.verdicts import Judged, Plan, run
from liqwatch.simulator.episodes.visits import visits
from liqwatch.simulator.episodes.worlds import Batch, Floats, Story, World, draw

SEED, COUNT = 1000, len(Story)
SIGMA = 0.022 * np.sqrt(300 / 86_400)
EDGE = 10 * SIGMA
SEEN = (complete(0.1),)


@pytest.fixture(scope="module", name="batch")
def drawn() -> Batch:
    batch = draw(SEED, COUNT, World.STRONG)
    calm = np.full(COUNT, 0.022)
    return batch._replace(volatility_day=calm, sign=np.ones(COUNT))


def course_of(price: Floats, pushed: Floats | None = None) -> Course:
    nothing = np.zeros((STEPS, COUNT))
    rows = dict.fromkeys(Course._fields, nothing)
    rows["price"] = np.repeat(price[:, None], COUNT, axis=1)
    if pushed is not None:
        rows["displacement"] = np.repeat(pushed[:, None], COUNT, axis=1)
    return Course(**rows)


def path(*corners: tuple[float, float]) -> Floats:
    """Price in sigmas from the first, by the second."""
    seconds, sigmas = zip(*corners, strict=True)
    price: Floats = np.interp(np.arange(STEPS) / 4, seconds, np.array(sigmas) * SIGMA)
    return price


def said_of(batch: Batch, price: Floats, pushed: Floats | None = None) -> list[object]:
    episode = Episode(batch, course_of(price, pushed), 0)
    return [visit.verdict for visit in visits(episode, FIRST_PRICE, float(EDGE))]


@pytest.mark.parametrize(
    ("corners", "verdict"),
    [
        ([(1000, 6.0), (1200, 10.0), (1230, 14.0), (2400, 14.0)], Verdict.ACCELERATED),
        ([(1000, 6.0), (1200, 10.0), (2400, 10.5)], Verdict.FADED),
        ([(1000, 6.0), (1200, 9.8), (1400, 7.0), (2400, 7.0)], Verdict.REVERSED),
        ([(1000, 6.0), (1200, 11.5), (1400, 7.0), (2400, 7.0)], Verdict.REVERSED),
        ([(1190, 6.0), (1200, 14.0), (2400, 14.0)], None),
        ([(1000, 6.0), (1200, 9.8), (1400, 8.0), (2400, 8.0)], None),
        ([(1000, 6.0), (1200, 10.0), (1400, 13.5), (2400, 17.0)], None),
    ],
    ids=["run", "rest", "back", "through and back", "jump", "half back", "on as slowly"],
)
def test_a_visit_is_judged_by_what_price_did_after_it(
    batch: Batch, corners: list[tuple[float, float]], verdict: Verdict | None
) -> None:
    assert said_of(batch, path((0, 6.0), *corners)) == [verdict]


def test_a_forced_move_as_large_as_a_cascade_is_an_acceleration_however_slow(batch: Batch) -> None:
    slow = path((0, 6.0), (1000, 6.0), (1200, 10.0), (1500, 13.5), (2400, 13.5))
    pushed = path((0, 0.0), (1200, 0.0), (1500, 4.5), (2400, 4.5))

    assert said_of(batch, slow, pushed) == [Verdict.ACCELERATED]


def test_a_level_that_price_returns_to_is_visited_each_time(batch: Batch) -> None:
    again = [(1000 + 200 * n, 10.0 if n % 2 else 6.0) for n in range(6)]

    assert said_of(batch, path((0, 6.0), *again, (2400, 6.0))) == [Verdict.REVERSED] * 3


def test_without_forced_orders_there_is_no_burst(batch: Batch) -> None:
    assert list(bursts(Episode(batch, course_of(path((0, 0.0), (2400, 20.0))), 0))) == []


def judged(truth: Verdict, said: Verdict | None, number: int = 0) -> Judged:
    return Judged(what="edge", visibility="100%", episode=(1, number), truth=truth, said=said)


def test_what_was_said_stands_in_columns_beside_what_was_so() -> None:
    table = confusion(
        [judged(Verdict.FADED, Verdict.REVERSED), judged(Verdict.FADED, None)], Verdict
    )

    assert table.splitlines()[0] == "| was \\ said | accelerated | faded | reversed | nothing |"
    assert table.splitlines()[2:] == ["| faded | 0 | 0 | 1 | 1 |"]


def test_what_was_not_said_counts_as_wrong_and_is_told_apart() -> None:
    said = [
        *(judged(Verdict.FADED, Verdict.FADED, number) for number in range(3)),
        judged(Verdict.REVERSED, None, 3),
    ]

    cases, right, of_said, words = accuracy(said).split(" | ")
    assert (cases, of_said, words) == ("4", "1.00", "faded 1.00, reversed 0.00")
    assert right.startswith("**0.75** (")


def test_cascades_end_in_every_way_and_most_of_what_is_said_is_right() -> None:
    told = run(Plan(SEED, 2 * COUNT, World.STRONG, 168, endings=True, visibilities=SEEN))
    levels = [one for one in told if one.what != "outcome"]
    ends = [one for one in told if one.what == "outcome"]

    assert {one.truth for one in ends} == {Outcome.EXHAUSTED, Outcome.ABSORBED, Outcome.REJECTED}
    assert len(levels) > COUNT
    for said in (levels, [one for one in ends if one.said is not None]):
        assert sum(one.said is one.truth for one in said) >= 0.7 * len(said)
