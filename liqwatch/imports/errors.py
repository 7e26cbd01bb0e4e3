"""Why a map is not taken in.

* `Refused`: what the reader of a map raises, fit to be shown
* `BadRow`: what is wrong in one line of a file, before anybody said which file
"""


class Refused(Exception):  # noqa: N818 - what is done with the map
    """No use can be made of a map. `reason` is one line for people; `wait_s` says how long its
    source wants to be left alone.
    """

    def __init__(self, reason: str, *, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_s = wait_s


class BadRow(Exception):  # noqa: N818 - what the row is
    """What is wrong, and in which line; lines count from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason
