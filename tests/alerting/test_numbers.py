import doctest

from hypothesis import given
from hypothesis import strategies as st

from liqwatch.alerting import numbers


def test_the_examples_in_the_docstrings_hold() -> None:
    assert tuple(doctest.testmod(numbers)) == (0, 9)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_can_be_written_shortly(value: float) -> None:
    for write in (numbers.amount, numbers.significant, numbers.price, numbers.signed_pct):
        assert 0 < len(write(value)) <= 20
