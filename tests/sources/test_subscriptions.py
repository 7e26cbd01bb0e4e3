"""What the answers of a venue say about the subscriptions."""

from collections.abc import Sequence

from liqwatch.exchanges.base import Endpoint
from liqwatch.sources.subscriptions import Answers, Subscriptions

URL = "wss://v.example"


def answers(requests: Sequence[str], topics: str) -> Answers:
    return Answers(Endpoint(url=URL, requests=tuple(requests), topics=tuple(topics.split())))


def told(of: Answers) -> tuple[str, str, str]:
    """Acknowledged, refused, unanswered."""
    summary = of.summary(URL)
    return " ".join(summary.acknowledged), " ".join(summary.refused), " ".join(summary.unanswered)


def test_at_first_nothing_is_answered() -> None:
    assert answers(['["a","b"]'], "a b").summary(URL) == Subscriptions(
        url=URL, wanted=("a", "b"), acknowledged=(), refused=(), unanswered=("a", "b")
    )


def test_topics_in_the_address_need_no_answer() -> None:
    assert told(answers([], "a b")) == ("a b", "", "")


def test_answers_may_come_topic_by_topic_in_any_order() -> None:
    one = answers(['["a","b"]', '["c"]'], "a b c")

    one.acknowledge(["c"])
    one.refuse(["a"])

    assert told(one) == ("c", "a", "b")


def test_answers_that_name_nothing_are_about_the_requests_in_their_order() -> None:
    one = answers(['["a","b"]', '["c"]', '["d"]'], "a b c d")

    one.acknowledge([])
    one.refuse([])

    assert told(one) == ("a b", "c", "d")


def test_a_request_dropped_for_one_bad_topic_leaves_its_others_unanswered() -> None:
    """As Bybit does: acknowledgements name nothing, a refusal names the one topic."""
    one = answers(['["a","b"]', '["c","d"]', '["e"]'], "a b c d e")

    one.acknowledge([])
    one.refuse(["c"])
    one.acknowledge([])

    assert told(one) == ("a b e", "c", "d")


def test_where_requests_use_other_words_the_last_answer_covers_all() -> None:
    one = answers(['{"channel":"trades","symbol":"BTC"}'] * 2, "trades:BTC trades:ETH")

    one.acknowledge([])
    assert told(one)[2] == "trades:BTC trades:ETH"
    one.acknowledge([])

    assert told(one) == ("trades:BTC trades:ETH", "", "")


def test_the_last_word_counts() -> None:
    one = answers(['["a"]'], "a")

    one.acknowledge(["a"])
    one.refuse(["a"])

    assert told(one) == ("", "a", "")


def test_answers_to_what_nobody_asked_are_ignored() -> None:
    one = answers(['["a"]'], "a")

    one.acknowledge(["z"])
    one.refuse([])
    for _ in range(3):
        one.acknowledge([])

    assert told(one) == ("", "a", "")
