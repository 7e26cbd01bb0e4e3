import pytest

from liqwatch.engine.clusters import Zone
from liqwatch.engine.passages import MOST_PASSAGES, Passage, expect, realise
from liqwatch.engine.positions import Swept
from liqwatch.events import Position

LONG, SHORT = Position.LONG, Position.SHORT


def zone(name: str, low: float, high: float, position: Position = SHORT) -> Zone:
    return Zone(name, low, high, position, 1e6, "estimate")


NEAR, FAR, BELOW = zone("near", 101, 102), zone("far", 103, 104), zone("below", 101, 102, LONG)


def test_swept_mass_is_booked_on_the_clusters_it_lay_in() -> None:
    passages: list[Passage] = []
    expect(passages, Swept(SHORT, 101.5, 103.5, 100.0), [NEAR, FAR, BELOW], 1)

    assert [one.zone for one in passages] == ["near", "far"]
    assert [one.expected_usd for one in passages] == pytest.approx([25, 25], rel=0.02)


def test_what_was_expected_keeps_the_scale_of_its_time() -> None:
    passages: list[Passage] = []
    expect(passages, Swept(SHORT, 101.0, 101.5, 10.0), [NEAR], 1_000, scale=0.5)
    expect(passages, Swept(SHORT, 101.5, 102.0, 10.0), [NEAR], 2_000, scale=2.0)

    assert passages[0].expected_usd == pytest.approx(25)


def test_a_cluster_eaten_in_pieces_is_one_passage_even_as_it_changes_its_edges() -> None:
    passages: list[Passage] = []
    expect(passages, Swept(SHORT, 101.0, 101.5, 10.0), [NEAR], 1_000)
    expect(passages, Swept(SHORT, 101.5, 102.0, 20.0), [zone("near", 101.5, 102.5)], 60_000)

    (one,) = passages
    assert (one.low, one.high, one.began_ms, one.last_ms) == (101, 102.5, 1_000, 60_000)
    assert one.expected_usd == pytest.approx(30)


def test_what_comes_soon_after_was_realised_there_and_what_comes_later_was_not() -> None:
    passages: list[Passage] = []
    expect(passages, Swept(SHORT, 101.0, 101.5, 10.0), [NEAR], 1_000)
    realise(passages, SHORT, 4.0, 30_000)
    realise(passages, LONG, 5.0, 30_000)
    realise(passages, SHORT, 6.0, 100_000)

    assert passages[0].forced_usd == 4.0


def test_a_return_much_later_is_another_passage_and_not_all_are_kept() -> None:
    passages: list[Passage] = []
    for hour in range(2 * MOST_PASSAGES):
        expect(passages, Swept(SHORT, 101.0, 101.5, 1.0), [NEAR], hour * 3_600_000)

    assert len(passages) == MOST_PASSAGES
    assert passages[-1].expected_usd == pytest.approx(1.0)
