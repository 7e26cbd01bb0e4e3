"""Memories that make overlapping connections and replays count once, and stay small."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from liqwatch.exchanges.seen import Newest, SeenIds, SeenKeys, remember

NOW_MS, RECEIVED = 1_700_000_000_000, 1_700_000_001_000_000_000


@given(st.permutations(range(1000, 1040)), st.lists(st.integers(1000, 1039)))
def test_each_id_counts_once_in_whatever_order_it_comes(order: list[int], again: list[int]) -> None:
    seen = SeenIds()
    seen.add("BTC", 999)

    assert all(seen.add("BTC", number) for number in order)
    assert not any(seen.add("BTC", number) for number in again)


@given(st.lists(st.integers(1, 3000), min_size=1))
def test_ids_agree_with_a_set_as_long_as_they_stay_near_the_newest(numbers: list[int]) -> None:
    seen, told, newest = SeenIds(), {0}, 0
    seen.add("BTC", 0)
    for number in numbers:
        if abs(number - newest) < 1024:
            assert seen.add("BTC", number) is (number not in told)
            told.add(number)
            newest = max(newest, number)


@given(st.lists(st.integers(1, 1000), min_size=1))
def test_gaps_add_up_to_the_ids_that_never_came(numbers: list[int]) -> None:
    seen, missed = SeenIds(), 0
    seen.add("BTC", 0)
    for number in numbers:
        gap = seen.gap("BTC", number)
        if seen.add("BTC", number):
            missed += gap

    assert missed == max(numbers) - len(set(numbers))


def test_instruments_number_their_trades_independently() -> None:
    seen = SeenIds()

    assert seen.add("BTC", 5)
    assert seen.add("ETH", 5)


def test_one_absurd_id_does_not_silence_an_instrument() -> None:
    seen = SeenIds()
    seen.add("BTC", 5)

    assert seen.add("BTC", 10**18)
    assert seen.add("BTC", 6)
    assert seen.add("BTC", 7)


def test_a_merged_trade_takes_its_ids_with_it() -> None:
    seen = SeenIds()
    seen.add("BTC", 10)

    assert seen.add("BTC", 13, count=3)
    assert not seen.missing
    assert seen.add("BTC", 20, count=2)
    assert seen.add("BTC", 18)
    assert not seen.add("BTC", 19)


def test_a_count_beyond_reason_costs_nothing() -> None:
    seen = SeenIds()
    seen.add("BTC", 10)

    assert seen.add("BTC", 20, count=10**18)
    assert seen.add("BTC", 21)


def test_missing_ids_survive_the_round_trip() -> None:
    seen = SeenIds()
    for number in (10, 12, 15):
        seen.add("BTC", number)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(seen), type=SeenIds)

    assert [again.add("BTC", number) for number in (11, 12, 13, 14, 15, 16)] == [
        True, False, True, True, False, True,
    ]  # fmt: skip


def test_keys_count_once_within_the_last_8192() -> None:
    seen = SeenKeys()
    keys = [str(number) for number in range(8192)]

    assert all(seen.add(key) for key in keys)
    assert not any(seen.add(key) for key in keys)


def test_keys_are_forgotten_beyond_two_generations() -> None:
    seen = SeenKeys()
    for number in range(100_000):
        seen.add(str(number))

    assert len(seen.keys()) <= 2 * 8192
    assert seen.add("0")


def test_keys_come_back_in_the_same_order() -> None:
    seen = SeenKeys()
    for number in range(10_000):
        seen.add(str(number))

    assert SeenKeys(seen.keys()).keys() == seen.keys() == [str(n) for n in range(10_000)]


def test_names_without_end_do_not_fill_the_memory() -> None:
    memory: dict[str, int] = {}
    for number in range(10_000):
        remember(memory, str(number), number)

    assert len(memory) == 4096
    assert memory["9999"] == 9999


def test_of_a_replay_only_what_is_old_is_past_once_something_live_was_heard() -> None:
    newest = Newest()

    assert newest.is_past(NOW_MS, RECEIVED, replayed=True)
    assert not newest.is_past(NOW_MS, RECEIVED, replayed=False)
    assert not newest.is_past(NOW_MS - 10_000, RECEIVED, replayed=True)
    assert newest.is_past(NOW_MS - 10_001, RECEIVED, replayed=True)
    assert newest.is_past(NOW_MS - 10_001, RECEIVED, replayed=False)


def test_a_replay_is_no_news_of_the_time() -> None:
    newest = Newest()
    newest.is_past(NOW_MS, RECEIVED, replayed=True)

    assert newest == Newest()


def test_after_an_outage_what_was_missed_is_history_even_before_anything_is_stamped() -> None:
    before = Newest()
    before.stamp(NOW_MS, RECEIVED)
    newest = msgspec.msgpack.decode(msgspec.msgpack.encode(before), type=Newest)
    hour = 3_600_000

    an_hour_later = RECEIVED + hour * 1_000_000
    assert newest.is_past(NOW_MS + hour - 10_001, an_hour_later, replayed=True)
    assert not newest.is_past(NOW_MS + hour - 10_000, an_hour_later, replayed=True)
    assert newest.is_history(NOW_MS + hour - 10_001, an_hour_later)
    assert not newest.is_history(NOW_MS + hour, an_hour_later)


def test_a_clock_of_ours_that_is_minutes_ahead_makes_nothing_history() -> None:
    newest, ahead = Newest(), RECEIVED + 300_000_000_000
    newest.stamp(NOW_MS, ahead)

    assert not newest.is_history(NOW_MS - 10_000, ahead)
    assert newest.is_history(NOW_MS - 10_001, ahead)


def test_a_clock_of_ours_that_is_set_back_makes_nothing_history() -> None:
    newest = Newest()
    newest.stamp(NOW_MS, RECEIVED)

    assert not newest.is_history(NOW_MS - 10_000, RECEIVED - 300_000_000_000)


def test_rest_may_tell_what_is_five_seconds_old() -> None:
    newest = Newest()
    newest.stamp(NOW_MS, RECEIVED)

    assert not newest.is_settled(NOW_MS - 5_000, RECEIVED)
    assert newest.is_settled(NOW_MS - 5_001, RECEIVED)
