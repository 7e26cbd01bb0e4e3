"""What was asked of a venue on one connection, and what came of it."""

import re
from collections.abc import Sequence

import msgspec

from liqwatch.exchanges.base import Endpoint

_WORDS = re.compile(r'"([^"]*)"')


class Subscriptions(msgspec.Struct, frozen=True, kw_only=True):
    """The topics of one connection to `url`, in the venue's words, and how each was answered."""

    url: str
    wanted: tuple[str, ...]
    acknowledged: tuple[str, ...]
    refused: tuple[str, ...]
    unanswered: tuple[str, ...]


class Answers:
    """Keep account of the venue's answers. Topics that are part of the address need none.

    An answer that names no topic is about the oldest request that no answer was about: venues
    that do not name them answer in order.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.wanted = endpoint.topics
        self.acknowledged: set[str] = set() if endpoint.requests else set(endpoint.topics)
        self.refused: set[str] = set()
        self.unanswered: set[str] = set(endpoint.topics) - self.acknowledged
        self._requests = _topics_by_request(endpoint)

    def acknowledge(self, topics: Sequence[str]) -> None:
        """Note that the venue took a subscription."""
        self._answered(topics, self.acknowledged)

    def refuse(self, topics: Sequence[str]) -> None:
        """Note that the venue refused a subscription.

        Where it names one topic and drops the whole request for it, the others of that request stay
        unanswered.
        """
        self._answered(topics, self.refused)

    def summary(self, url: str) -> Subscriptions:
        """Return how it stands now."""

        def among(topics: set[str]) -> tuple[str, ...]:
            return tuple(topic for topic in self.wanted if topic in topics)

        return Subscriptions(
            url=url,
            wanted=self.wanted,
            acknowledged=among(self.acknowledged),
            refused=among(self.refused),
            unanswered=among(self.unanswered),
        )

    def _answered(self, named: Sequence[str], answer: set[str]) -> None:
        if named:
            topics = set(named).intersection(self.wanted)
            self._requests = [asked for asked in self._requests if asked.isdisjoint(topics)]
        else:
            topics = self._requests.pop(0) if self._requests else set()
        for others in (self.acknowledged, self.refused, self.unanswered):
            others.difference_update(topics)
        answer.update(topics)


def _topics_by_request(endpoint: Endpoint) -> list[set[str]]:
    """Find the topics each request asks for. What cannot be told counts as asked for last."""
    left = set(endpoint.topics)
    by_request = []
    for request in endpoint.requests:
        asked = left.intersection(_WORDS.findall(request))
        left -= asked
        by_request.append(asked)
    if by_request:
        by_request[-1] |= left
    return by_request
