"""A rehearsal as people read it: each message when it would go out, and what that adds up to."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from liqwatch.alerting.intents import Role
from liqwatch.alerting.numbers import significant, utc
from liqwatch.grounds import Grounds
from liqwatch.rehearsal import Message, Receiver, Seat

LOUD, SILENT = "loud", "silent"
COLUMNS = (LOUD, SILENT, Role.EDIT, Role.HELD, Role.OFF)


class _Edits(NamedTuple):
    """Changes of one message for the same reason, with nothing else between them."""

    first: Message
    last_ms: int
    times: int


class Report:
    """Has each message written as a line by `write`, and counts them."""

    def __init__(self, to: Sequence[Receiver], write: Callable[[str], object]) -> None:
        self._write = write
        self._width = max((len(receiver.name) for receiver in to), default=0)
        self._edits: dict[str, _Edits] = {}  # by receiver
        self._counts: dict[str, dict[str, Counter[str]]] = {one.name: {} for one in to}

    def tell(self, message: Message) -> None:
        """Write a message; edits are gathered until there is something else to say."""
        self._counts[message.receiver].setdefault(message.subject, Counter())[_column(message)] += 1
        if message.intent.role is Role.EDIT:
            self._gather(message)
        else:
            self._write_edits()
            self._write(self._line(message, _kind(message), message.line))

    def sum_up(self, seats: Sequence[Seat], grounds: Grounds) -> None:
        """Write what it was in all, and what that rests on."""
        self._write_edits()
        self._write(f"\n{grounds}:")
        for seat in seats:
            for line in self._table(seat, grounds):
                self._write(line)
        if not seats:
            self._write("Nobody is told: notify names no receiver.")

    def _gather(self, edit: Message) -> None:
        edits = self._edits.get(edit.receiver)
        if edits is not None and _alike(edits.first, edit):
            self._edits[edit.receiver] = _Edits(edits.first, edit.time_ms, edits.times + 1)
            return
        if edits is not None:
            self._write(self._line_of(edits))
        self._edits[edit.receiver] = _Edits(edit, edit.time_ms, 1)

    def _write_edits(self) -> None:
        for edits in self._edits.values():
            self._write(self._line_of(edits))
        self._edits.clear()

    def _line_of(self, edits: _Edits) -> str:
        until = "" if edits.times == 1 else f"until {utc(edits.last_ms)}"
        kind = "edit" if edits.times == 1 else f"edit ×{edits.times}"
        return self._line(edits.first, kind, until)

    def _line(self, message: Message, kind: str, words: str) -> str:
        when = utc(message.time_ms, "%Y-%m-%d %H:%M:%S")
        told = f"{words} ({message.intent.reason})" if words else f"({message.intent.reason})"
        return f"{when}  {message.receiver:{self._width}}  {kind:15}  {told}"

    def _table(self, seat: Seat, grounds: Grounds) -> Iterator[str]:
        counts = self._counts[seat.receiver.name]
        yield "\n" + _row(seat.receiver.name, [*COLUMNS, "a day"])
        for subject, those in {**counts, "all": sum(counts.values(), Counter[str]())}.items():
            sent = grounds.a_day(those[LOUD] + those[SILENT])
            yield _row(subject, [*(str(those[one]) for one in COLUMNS), significant(sent)])
        yield _pressure(seat)


def _alike(one: Message, other: Message) -> bool:
    return (one.intent.story, one.intent.reason) == (other.intent.story, other.intent.reason)


def _column(message: Message) -> str:
    if message.intent.role in (Role.EDIT, Role.HELD, Role.OFF):
        return message.intent.role
    return SILENT if message.intent.silent else LOUD


def _kind(message: Message) -> str:
    role = message.intent.role
    if role in (Role.HELD, Role.OFF):
        return role
    return f"{'reply' if role is Role.REPLY else 'message'}, {_column(message)}"


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:22}" + "".join(f"{cell:>8}" for cell in cells)


def _pressure(seat: Seat) -> str:
    """Say how near its budget a receiver came, and what was held back."""
    most = seat.receiver.rules.budget.per_symbol_hour
    full = seat.fullest
    hour = f"{full.messages} of {full.symbol}" if full.messages else "none"
    budget = "no budget" if most is None else f"budget {most}"
    held = seat.held()
    if not held:
        return f"Fullest hour: {hour} ({budget}). Nothing was held back."
    why = ", ".join(f"{one.replace('_', ' ')} {count}" for one, count in sorted(held.items()))
    return (
        f"Fullest hour: {hour} ({budget}). Held back: {why};"
        f" {seat.waiting().total()} of them still wait for their summary."
    )
