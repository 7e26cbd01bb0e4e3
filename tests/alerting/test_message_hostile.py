"""Whatever comes from outside, a message is valid and shows what it says."""

import re

import pytest
import telegram_html
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sample_alerts import ALL, DEGRADED, STARTED

from liqwatch.alerting.catalogues import LANGUAGES, Language
from liqwatch.alerting.headline import headline
from liqwatch.alerting.message import (
    Text,
    escalated,
    group,
    late,
    possible_duplicate,
    remark,
    render,
    sample,
    timeline,
)
from liqwatch.alerts import MARKET, Alert
from liqwatch.samples import REMARKS, RUNNING

# Control, bidi, zero-width and private characters, halves of surrogate pairs.
HIDDEN = re.compile(
    "[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ue000-\uf8ff\x00-\x09\x0b-\x1f"
    "\x7f-\x9f\ud800-\udfff]"
)

NAMES = st.text(max_size=60) | st.text(st.sampled_from("BTC<>&\"';/#@=\n\u202e\u200b\ue000\ue001"))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | NAMES,
    lambda values: st.lists(values, max_size=4) | st.dictionaries(NAMES, values, max_size=4),
    max_leaves=8,
)
KEYS = sorted({key for alert in ALL for key in alert.evidence} | {"names_levels"})
PRICES = st.none() | st.floats(allow_nan=False, allow_infinity=False)


def check(text: Text, limit: int) -> None:
    fitted = text.fitted(limit)
    shown, entities = telegram_html.read(fitted.html())

    assert shown == fitted.plain()
    assert 0 < len(shown.encode("utf-16-le")) // 2 <= limit
    assert entities <= 100
    assert not HIDDEN.search(shown)


@given(
    alert=st.sampled_from(ALL),
    symbol=NAMES | st.just(MARKET),
    evidence=st.dictionaries(st.sampled_from(KEYS), ANYTHING),
    price=PRICES,
    members=st.lists(NAMES, max_size=3),
    language=st.sampled_from(LANGUAGES),
    limit=st.sampled_from([1024, 4096]),
)
def test_whatever_the_evidence_a_message_is_valid(
    alert: Alert,
    symbol: str,
    evidence: dict[str, object],
    price: float | None,
    members: list[str],
    language: Language,
    limit: int,
) -> None:
    seen = replace(alert, symbol=symbol, evidence=evidence, price=price, members=members)
    for text in (
        render(seen, language),
        timeline([seen, replace(seen, id="2")], None, language),
        group([seen, alert], language),
        remark(REMARKS[0], [seen, alert], language),
    ):
        check(text, limit)
        check(possible_duplicate(late(text, seen.time, language), language), limit)
        check(sample(text, language), limit)
    assert len(headline(seen, language)) <= 110


@given(
    symbol=NAMES,
    prices=st.tuples(*[st.floats(1e-9, 1e12)] * 3),
    usd=st.floats(0, 1e15),
    subject=NAMES,
    why=st.sampled_from([one.why for one in REMARKS]),
    language=st.sampled_from(LANGUAGES),
)
def test_what_is_no_alert_is_valid_too(
    symbol: str,
    prices: tuple[float, float, float],
    usd: float,
    subject: str,
    why: str,
    language: Language,
) -> None:
    price, start, extreme = prices
    running = replace(
        RUNNING,
        symbol=symbol,
        price=price,
        start_price=start,
        extreme_price=extreme,
        forced_usd_total=usd,
    )
    about = replace(next(one for one in REMARKS if one.why == why), subject=subject)
    check(escalated(running, language), 1024)
    check(timeline([STARTED], running, language), 1024)
    check(remark(about, [], language), 1024)


@pytest.mark.parametrize("symbol", ["\u202e\u200bB\ue000TC\ud800", "B\u2066T\x07C\ufeff"])
def test_names_lose_what_could_turn_or_hide_text(symbol: str) -> None:
    assert headline(replace(STARTED, symbol=symbol)) == headline(STARTED)


def test_a_reason_with_markup_is_shown_as_it_is() -> None:
    reason = "connection lost (<b>&amp;</b>\u202e)"
    text = render(replace(DEGRADED, evidence=DEGRADED.evidence | {"reason": reason}), "ru")

    assert "Соединение потеряно (<b>&amp;</b>)" in text.plain()
    assert "Соединение потеряно (&lt;b&gt;&amp;amp;&lt;/b&gt;)" in text.html()
