"""Hyperliquid's own rules: replays, forced orders, who is followed, positions of accounts."""

from collections.abc import Sequence

import frames_hyperliquid as frames
import msgspec
import pytest
from frames_hyperliquid import (
    ALICE,
    BOB,
    MAKER,
    RECEIVED,
    TIME,
    VAULT,
    VICTIM,
    fill,
    trade,
    trades,
    user_fills,
)

from liqwatch.events import (
    AccountPosition,
    Instrument,
    Liquidation,
    MarginTiers,
    MarketEvent,
    Mechanism,
    Position,
    Trade,
)
from liqwatch.exchanges.base import Control, MalformedFrame, Poll
from liqwatch.exchanges.hyperliquid import Hyperliquid

OTHER_MAKER = "0x31ca8395cf837de08b24da3f660e77761dfb974b"
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


def loaded() -> Hyperliquid:
    exchange = Hyperliquid()
    exchange.decode_rest(frames.LIST_URL, 200, frames.LIST, RECEIVED)
    exchange.counts.clear()
    return exchange


def hear(exchange: Hyperliquid, *texts: str) -> list[MarketEvent | Control]:
    return [event for text in texts for event in exchange.decode(text, RECEIVED)]


def liquidations(events: Sequence[object]) -> list[Liquidation]:
    return [event for event in events if isinstance(event, Liquidation)]


def user(number: int) -> str:
    return f"0x{number:040x}"


def universe(names: Sequence[str]) -> str:
    rows = [{"name": name, "szDecimals": 2, "maxLeverage": 3} for name in names]
    return msgspec.json.encode({"universe": rows, "marginTables": []}).decode()


def match(
    tid: int,
    *,
    taker: str,
    maker: str = MAKER,
    side: str = "B",
    coin: str = "BTC",
    usd: float = 1000.0,
    time_ms: int = TIME,
) -> str:
    """A trade frame; buyer first, as on the wire."""
    users = [taker, maker] if side == "B" else [maker, taker]
    row = {
        "coin": coin,
        "side": side,
        "px": "1000",
        "sz": str(usd / 1000),
        "time": time_ms,
        "tid": tid,
        "users": users,
    }
    return msgspec.json.encode({"channel": "trades", "data": [row]}).decode()


def at(exchange: Hyperliquid, time_ms: int, text: str) -> Sequence[MarketEvent | Control]:
    return exchange.decode(text, time_ms * 1_000_000)


# What is asked for


def test_the_first_connection_carries_contexts_users_and_btc_before_other_coins() -> None:
    (endpoint,) = loaded().endpoints(None)
    requests = [msgspec.json.decode(request) for request in endpoint.requests]

    assert endpoint.topics[0] == "allDexsAssetCtxs"
    assert endpoint.topics[-3:] == ("trades:BTC", "trades:kPEPE", "trades:SOL")
    assert {request["method"] for request in requests} == {"subscribe"}
    assert requests[0]["subscription"] == {"type": "allDexsAssetCtxs"}
    assert requests[-1]["subscription"] == {"type": "trades", "coin": "SOL"}
    assert {
        "type": "userFills",
        "user": MAKER,
        "aggregateByTime": False,
    } in [request["subscription"] for request in requests]


def test_an_acknowledgement_names_the_topic_that_was_asked_for() -> None:
    exchange = loaded()
    (endpoint,) = exchange.endpoints(None)
    answers = [
        {"channel": "subscriptionResponse", "data": msgspec.json.decode(request)}
        for request in endpoint.requests
    ]

    heard = hear(exchange, *(msgspec.json.encode(answer).decode() for answer in answers))

    assert tuple(topic for answer in heard for topic in answer.topics) == endpoint.topics  # type: ignore[union-attr]  # all are acknowledgements


def test_only_coins_of_the_list_that_still_trade_are_asked_for() -> None:
    # An unknown coin would make the venue close the connection.
    (endpoint,) = loaded().endpoints({"PEPE", "LOOM", "NOSUCHCOIN"})

    assert [topic for topic in endpoint.topics if topic.startswith("trades")] == ["trades:kPEPE"]


def test_hundreds_of_coins_share_few_connections_evenly() -> None:
    exchange = Hyperliquid()
    names = [f"C{number}" for number in range(230)]
    exchange.decode_rest(frames.LIST_URL, 200, universe(names), RECEIVED)

    endpoints = exchange.endpoints(None)
    coins = [
        [topic for topic in endpoint.topics if topic.startswith("trades")] for endpoint in endpoints
    ]

    assert [len(part) for part in coins] == [77, 77, 76]
    assert {topic for part in coins for topic in part} == {f"trades:{name}" for name in names}
    assert [
        len(endpoint.topics) > len(part) for endpoint, part in zip(endpoints, coins, strict=True)
    ] == [
        True,
        False,
        False,
    ]
    assert sum(60 / endpoint.request_gap_s for endpoint in endpoints) < 2000


# Trades


def test_the_replay_of_30_trades_after_a_reconnect_changes_no_total() -> None:
    exchange = loaded()
    replay = trades(*(trade(tid, "B", "60000", "0.1", time_ms=TIME + tid) for tid in range(30)))

    first = hear(exchange, replay)
    again = hear(exchange, replay)

    assert sum(isinstance(event, Trade) for event in first) == 30
    assert again == []
    assert exchange.counts == {"duplicate": 30}


def test_trades_replayed_long_after_they_happened_are_history() -> None:
    exchange = loaded()
    hear(exchange, match(1, taker=ALICE))
    old = match(2, taker=ALICE, coin="SOL", time_ms=TIME - 10_001)

    assert hear(exchange, old) == []
    assert exchange.counts == {"history": 1}


def test_equal_hashes_of_other_coins_or_times_are_other_trades() -> None:
    texts = (
        match(1, taker=ALICE),
        match(1, taker=ALICE, coin="SOL"),
        match(1, taker=ALICE, time_ms=TIME + 1),
    )

    assert len(hear(loaded(), *texts)) == 3


# Forced orders


@pytest.mark.parametrize("mark", ['"66607.0"', "66607.0"])
def test_the_mark_price_of_a_liquidation_may_be_text_or_number(mark: str) -> None:
    text = user_fills(MAKER, fill(1, "A", mark=mark))

    (liquidation,) = liquidations(hear(loaded(), text))

    assert liquidation.position is Position.SHORT


def test_a_liquidation_told_to_both_its_parties_counts_once() -> None:
    exchange = loaded()
    direction = "Liquidated Isolated Long"
    heard = hear(
        exchange,
        user_fills(VICTIM, fill(1, "A", direction=direction, method="backstop")),
        user_fills(VAULT, fill(1, "B", direction=direction, method="backstop")),
    )

    (liquidation,) = liquidations(heard)
    assert liquidation.position is Position.LONG
    assert exchange.counts == {"duplicate": 1}


def test_what_happens_to_the_vault_itself_is_no_liquidation_of_a_user() -> None:
    exchange = loaded()
    text = user_fills(
        BOB, fill(1, "B", direction="Auto-Deleveraging", method="backstop", victim=VAULT)
    )

    assert hear(exchange, text) == []
    assert exchange.counts == {"vault_liquidated": 1}


def test_a_liquidation_from_before_the_subscription_is_a_duplicate_when_told_again() -> None:
    exchange = loaded()
    (before,) = liquidations(hear(exchange, user_fills(MAKER, fill(1, "A"), snapshot=True)))
    after = hear(exchange, user_fills(MAKER, fill(1, "A")))

    assert before.history
    assert after == []


def test_what_was_missed_in_the_seconds_of_a_reconnect_is_news() -> None:
    exchange = loaded()
    hear(exchange, match(1, taker=ALICE))
    young, old = fill(2, "A", time_ms=TIME - 10_000), fill(3, "A", time_ms=TIME - 10_001)

    told = liquidations(hear(exchange, user_fills(MAKER, young, old, snapshot=True)))
    assert [event.history for event in told] == [False, True]


def test_a_side_that_is_not_certain_is_no_event() -> None:
    exchange = loaded()

    assert hear(exchange, user_fills(MAKER, fill(1, "A", victim=None))) == []
    assert exchange.counts == {"uncertain_side": 1}


def test_trades_of_a_forced_order_are_part_of_the_liquidation_once_one_fill_told_of_it() -> None:
    exchange = loaded()
    before = hear(exchange, match(2, taker=VICTIM, side="A", maker=ALICE, usd=500.0))
    told = hear(exchange, user_fills(MAKER, fill(1, "B")))
    after = hear(exchange, match(3, taker=VICTIM, side="A", maker=BOB, usd=700.0))

    assert liquidations(before) == []
    assert [event.notional_usd for event in liquidations(told)] == [0.3 * 59400, 500.0]
    assert [event.notional_usd for event in liquidations(after)] == [700.0]
    assert isinstance(after[0], Trade)
    assert {event.position for event in liquidations([*told, *after])} == {Position.LONG}


def test_a_match_of_a_forced_order_counts_once_whoever_tells_of_it_first() -> None:
    fills = user_fills(MAKER, fill(1, "B")), user_fills(OTHER_MAKER, fill(2, "B"))
    public = (
        match(1, taker=VICTIM, side="A"),
        match(2, taker=VICTIM, side="A", maker=OTHER_MAKER),
    )

    for texts in ((*fills, *public), (*public, *fills), (fills[0], *public, fills[1])):
        heard = hear(loaded(), *texts)

        assert len(liquidations(heard)) == 2
        assert sum(isinstance(event, Trade) for event in heard) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"taker": ALICE},
        {"taker": VICTIM, "side": "B"},
        {"taker": VICTIM, "coin": "SOL"},
        {"taker": VICTIM, "time_ms": TIME + 1},
        {"taker": ALICE, "maker": VICTIM},
    ],
)
def test_trades_of_other_orders_are_not_taken_for_forced(other: dict[str, str]) -> None:
    text = match(2, **({"side": "A"} | other))  # type: ignore[arg-type]  # of differing types

    for texts in ((user_fills(MAKER, fill(1, "B")), text), (text, user_fills(MAKER, fill(1, "B")))):
        assert len(liquidations(hear(loaded(), *texts))) == 1


def test_a_match_told_as_a_takeover_is_no_trade() -> None:
    exchange = loaded()
    told = hear(
        exchange,
        user_fills(VAULT, fill(1, "B", direction="Liquidated Cross Long", method="backstop")),
        match(1, taker=VICTIM, maker=VAULT, side="A"),
    )

    assert [event.mechanism for event in liquidations(told)] == [Mechanism.BACKSTOP]
    assert len(told) == 1
    assert exchange.counts == {"not_a_trade:backstop": 1}


def test_a_forced_order_is_still_known_after_a_restart() -> None:
    exchange, restarted = loaded(), Hyperliquid()
    hear(exchange, user_fills(MAKER, fill(1, "B")), match(5, taker=BOB, side="A"))
    restarted.restore(exchange.snapshot())

    later = (
        match(2, taker=VICTIM, side="A"),
        user_fills(MAKER, fill(6, "B", victim=BOB)),
    )

    assert hear(restarted, *later) == hear(exchange, *later)
    assert restarted.snapshot() == exchange.snapshot()


# Who is followed


def followed(exchange: Hyperliquid) -> list[str]:
    return [
        topic.partition(":")[2]
        for endpoint in exchange.endpoints(None)
        for topic in endpoint.topics
        if topic.startswith("userFills")
    ]


def trade_with(exchange: Hyperliquid, makers: dict[str, float], *, time_ms: int) -> None:
    for number, (maker, usd) in enumerate(makers.items()):
        at(exchange, time_ms, match(number, taker=ALICE, maker=maker, usd=usd, time_ms=time_ms))


def name_vaults(exchange: Hyperliquid, children: Sequence[str]) -> None:
    body = {"relationship": {"type": "parent", "data": {"childAddresses": children}}}
    url = exchange.polls(None)[0].url
    exchange.decode_rest(url, 200, msgspec.json.encode(body).decode(), RECEIVED)


def test_hlps_liquidators_and_makers_are_followed_from_the_start() -> None:
    exchange = loaded()

    assert len(followed(exchange)) == 6
    assert {MAKER, OTHER_MAKER, VAULT} < set(followed(exchange))


def test_the_vaults_are_those_that_the_venue_names() -> None:
    exchange = loaded()
    name_vaults(exchange, [MAKER.upper().replace("0X", "0x"), OTHER_MAKER, VAULT, user(7)])

    assert set(followed(exchange)) == {VAULT, user(7), MAKER, OTHER_MAKER}


def test_however_many_vaults_there_are_no_more_than_nine_users_are_followed() -> None:
    exchange = loaded()
    trade_with(exchange, {user(n): 1000.0 for n in (3, 4, 5)}, time_ms=TIME)
    trade_with(exchange, {ALICE: 1.0}, time_ms=TIME + 10 * MINUTE_MS)
    name_vaults(exchange, [user(n) for n in range(100, 112)])

    assert len(followed(exchange)) == 9
    assert {MAKER, OTHER_MAKER} < set(followed(exchange))


def test_the_same_vaults_in_another_order_are_no_reason_to_connect_anew() -> None:
    exchange = loaded()
    before = exchange.endpoints(None)
    name_vaults(exchange, sorted(followed(exchange), reverse=True))

    assert exchange.endpoints(None) == before


def test_the_largest_other_makers_are_followed_after_ten_minutes() -> None:
    exchange = loaded()
    volume = {user(number): 1000.0 * number for number in range(1, 6)}
    trade_with(exchange, volume, time_ms=TIME)
    early = followed(exchange)
    trade_with(exchange, {MAKER: 1.0}, time_ms=TIME + 10 * MINUTE_MS)

    assert len(early) == 6
    assert set(followed(exchange)) - set(early) == {user(5), user(4), user(3)}


def test_of_the_makers_followed_one_is_replaced_every_six_hours() -> None:
    # The old connection and the new one together may follow ten.
    exchange = loaded()
    trade_with(exchange, {user(n): 1000.0 * n for n in (3, 4, 5)}, time_ms=TIME)
    trade_with(exchange, {ALICE: 1.0}, time_ms=TIME + 10 * MINUTE_MS)
    before = followed(exchange)
    trade_with(exchange, {user(n): 9000.0 for n in (7, 8)}, time_ms=TIME + HOUR_MS)
    unchanged = followed(exchange)
    trade_with(exchange, {ALICE: 1.0}, time_ms=TIME + 7 * HOUR_MS)
    after = followed(exchange)

    assert before == unchanged
    assert set(before) - set(after) == {user(3)}
    assert set(after) - set(before) == {user(7)}
    assert len({*before, *after}) == 10


def test_the_share_of_trades_seen_through_makers_is_told() -> None:
    exchange = loaded()
    unknown = exchange.open_questions()
    trade_with(exchange, {MAKER: 230.0, BOB: 770.0}, time_ms=TIME)

    assert "not measured" in unknown[0]
    assert "23%" in exchange.open_questions()[0]


# Accounts


def accounts(polls: Sequence[Poll]) -> list[str]:
    marker = '{"type":"clearinghouseState","user":"'
    return [poll.url.partition(marker)[2][:42] for poll in polls if marker in poll.url]


def answer(exchange: Hyperliquid, account: str, **usd: float) -> list[AccountPosition]:
    """Have an account hold so many dollars of each coin, at 100 dollars each."""
    body = {
        "assetPositions": [
            {
                "type": "oneWay",
                "position": {
                    "coin": coin,
                    "szi": str(worth / 100),
                    "positionValue": str(abs(worth)),
                    "entryPx": "100",
                    "liquidationPx": None,
                    "leverage": {"type": "cross", "value": 5},
                },
            }
            for coin, worth in usd.items()
        ],
        "time": TIME,
    }
    url = frames.POSITIONS_URL.replace(ALICE, account)
    events = exchange.decode_rest(url, 200, msgspec.json.encode(body).decode(), RECEIVED)
    assert all(isinstance(event, AccountPosition) for event in events)
    return [event for event in events if isinstance(event, AccountPosition)]


def test_the_positions_of_those_who_take_from_the_book_are_asked_for() -> None:
    exchange = loaded()
    hear(exchange, match(1, taker=ALICE, maker=BOB))

    assert accounts(exchange.polls(None)) == [ALICE]


def test_accounts_are_asked_within_half_of_the_limit() -> None:
    exchange = loaded()
    for number in range(1500):
        hear(exchange, match(number, taker=user(number)))
    polls = exchange.polls(None)
    weights = ((2 if "clearinghouseState" in poll.url else 20, poll) for poll in polls)

    assert len(accounts(polls)) == 1000
    assert sum(weight * 60 / poll.interval_s for weight, poll in weights) < 1200 / 2
    assert sum(1 / poll.interval_s for poll in polls) < exchange.rest_per_s


def test_every_hour_those_who_hold_most_and_those_who_take_most_are_chosen() -> None:
    exchange = loaded()
    for number in range(1000):
        hear(exchange, match(number, taker=user(number)))
    answer(exchange, user(0), BTC=-5e6)
    for number in range(1000, 2000):
        hear(exchange, match(number, taker=user(number), usd=2000.0 + number))
    early = accounts(exchange.polls(None))
    later_ms = TIME + HOUR_MS
    at(exchange, later_ms, match(9999, taker=ALICE, time_ms=later_ms))
    chosen = accounts(exchange.polls(None))

    assert early == [user(number) for number in range(1000)]
    assert chosen[:2] == [user(0), user(1999)]
    assert set(chosen[1:]) == {user(number) for number in range(1001, 2000)}


def test_a_position_that_is_gone_has_size_0() -> None:
    exchange = loaded()
    answer(exchange, ALICE, BTC=-300.0, kPEPE=200.0)
    answer(exchange, BOB, BTC=100.0)

    gone = answer(exchange, ALICE, kPEPE=-200.0)
    nothing_left = answer(exchange, ALICE)

    assert [(event.instrument, event.position, event.size) for event in gone] == [
        ("kPEPE", Position.SHORT, 2000.0),
        ("BTC", Position.SHORT, 0.0),
    ]
    assert [(event.symbol, event.size) for event in nothing_left] == [("PEPE", 0.0)]
    assert answer(exchange, ALICE) == []


def test_a_long_worth_next_to_nothing_is_still_a_long() -> None:
    exchange = loaded()
    body = frames.POSITIONS.replace('"20.0"', '"0.0"')
    *_, pepe = exchange.decode_rest(frames.POSITIONS_URL, 200, body, RECEIVED)

    assert isinstance(pepe, AccountPosition)
    assert pepe.position is Position.LONG


def test_what_an_account_held_is_still_known_after_a_restart() -> None:
    exchange, restarted = loaded(), Hyperliquid()
    answer(exchange, ALICE, BTC=-300.0)
    restarted.restore(exchange.snapshot())

    assert [event.size for event in answer(restarted, ALICE)] == [0.0]


def test_an_address_a_minute_for_years_does_not_fill_the_memory() -> None:
    exchange = loaded()
    for number in range(10_000):
        hear(exchange, match(number, taker=user(number), maker=user(-number % 2**64)))
    size = len(exchange.snapshot())
    for number in range(10_000, 20_000):
        hear(exchange, match(number, taker=user(number), maker=user(-number % 2**64)))

    assert len(exchange.snapshot()) < 1.5 * size


# The list of perpetuals


def test_the_list_of_a_builders_dex_is_not_taken() -> None:
    exchange = loaded()
    known = dict(exchange.instruments)

    with pytest.raises(MalformedFrame) as refused:
        exchange.decode_rest(frames.LIST_URL, 200, universe(["xyz:SP500"]), RECEIVED)

    assert refused.value.kind == "empty_list"
    assert exchange.instruments == known


def test_a_margin_table_that_is_missing_is_counted_and_the_perpetual_kept() -> None:
    exchange = Hyperliquid()
    events = exchange.decode_rest(
        frames.LIST_URL, 200, frames.LIST.replace("[[56,", "[[57,"), RECEIVED
    )

    assert len(exchange.instruments) == 4
    assert "BTC" not in {event.symbol for event in events if isinstance(event, MarginTiers)}
    assert exchange.counts == {"margin_table_missing": 1}


def test_margin_tables_nobody_can_read_do_not_lose_the_perpetuals() -> None:
    exchange = Hyperliquid()
    body = frames.LIST.replace('"marginTiers"', '"tiers"')

    events = exchange.decode_rest(frames.LIST_URL, 200, body, RECEIVED)

    assert sum(isinstance(event, Instrument) for event in events) == 4
    assert exchange.counts == {"malformed_row": 1, "margin_table_missing": 1}


def test_the_deduction_of_a_tier_makes_the_margin_grow_without_a_step() -> None:
    exchange = Hyperliquid()
    events = exchange.decode_rest(frames.LIST_URL, 200, frames.LIST, RECEIVED)
    lower, upper = next(
        event for event in events if isinstance(event, MarginTiers) and event.symbol == "BTC"
    ).tiers
    assert lower.amount is not None
    assert upper.amount is not None

    assert lower.cap * lower.rate - lower.amount == pytest.approx(
        lower.cap * upper.rate - upper.amount
    )


def test_a_perpetual_that_cannot_be_read_does_not_shift_the_contexts_of_the_others() -> None:
    exchange = Hyperliquid()
    first = frames.LIST.find("[") + 1
    body = f'{frames.LIST[:first]}{{"name":""}},{frames.LIST[first:]}'
    exchange.decode_rest(frames.LIST_URL, 200, body, RECEIVED)
    exchange.counts.clear()
    row = frames.CONTEXT % ("5", "60000", "60000")
    text = f'{{"channel":"allDexsAssetCtxs","data":{{"ctxs":[["",[{row},{row}]]]}}}}'

    assert {event.symbol for event in hear(exchange, text)} == {"BTC"}  # type: ignore[union-attr]  # no controls
    assert exchange.counts == {"unknown_instrument": 1}
