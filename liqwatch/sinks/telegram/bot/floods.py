"""How much of what people send is listened to. Pure: the time comes in."""

from collections import OrderedDict

from liqwatch.sinks.telegram.limits import Window

PER_USER, IN_ALL = 20, 60  # in a minute: more than hands can type, less than anything feels
WINDOW_S = 60.0
MOST_USERS = 256  # remembered, the newest


class Floodgate:
    """Lets through so much a person, and so much in all."""

    def __init__(self, per_user: int = PER_USER, in_all: int = IN_ALL) -> None:
        self._per_user = per_user
        self._in_all = Window(in_all, WINDOW_S)
        self._users: OrderedDict[int, Window] = OrderedDict()

    def admits(self, user: int, now_s: float) -> bool:
        """Return whether one more is let through; one that is not counts for nothing."""
        window = self._users.setdefault(user, Window(self._per_user, WINDOW_S))
        self._users.move_to_end(user)
        if len(self._users) > MOST_USERS:
            self._users.popitem(last=False)
        if window.wait_s(now_s) > 0 or self._in_all.wait_s(now_s) > 0:
            return False
        window.spend(now_s)
        self._in_all.spend(now_s)
        return True
