from pathlib import Path

from kill_loop import survive


async def test_a_process_that_is_killed_again_and_again_loses_nothing(tmp_path: Path) -> None:
    """The same with 1,000 kills: tests/benchmarks/bench_kills.py."""
    survived = await survive(15, tmp_path)

    assert survived.lost == []
    assert survived.out_of_order == []
    assert survived.copies <= survived.kills
    assert survived.unmarked_copies == 0
    assert survived.stories > 0
