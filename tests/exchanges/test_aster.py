"""Aster's own rules: unrouted paths, its own limits, ids that may have holes."""

import frames_aster as frames

from liqwatch.exchanges.aster import Aster


def test_it_asks_the_unrouted_path_with_the_liquidations_of_all() -> None:
    (endpoint,) = Aster().endpoints({"BTC"})

    assert endpoint.url == "wss://fstream.asterdex.com/stream"
    assert endpoint.topics == ("!forceOrder@arr", "btcusdt@aggTrade", "btcusdt@markPrice@1s")
    assert endpoint.request_gap_s >= 0.2  # 5 messages a second
    assert endpoint.silent_after_s == 30
    assert endpoint.rotate_after_s is not None
    assert endpoint.rotate_after_s < 24 * 3600


def test_a_connection_has_200_streams_at_most() -> None:
    endpoints = Aster().endpoints({f"C{number}" for number in range(500)})
    topics = [topic for endpoint in endpoints for topic in endpoint.topics]

    assert len(set(topics)) == len(topics) == 1001
    assert max(len(endpoint.topics) for endpoint in endpoints) <= 200
    assert len(endpoints) == 6


def test_polls_use_half_of_the_weight_at_most() -> None:
    instruments, *polls = Aster().polls({f"C{number}" for number in range(500)})

    assert instruments.url == frames.LIST_URL
    assert polls[0].url == "https://fapi.asterdex.com/fapi/v3/openInterest?symbol=C0USDT"
    assert sum(60 / poll.interval_s for poll in [instruments, *polls]) <= 2400 / 2


def test_holes_in_the_ids_are_no_gap() -> None:
    exchange = Aster()
    frame = frames.FRAMES["aggregate trade, buyer was the maker"][0]

    for number in (5933014, 5933020, 5933017):
        assert exchange.decode(frame.replace("5933014", str(number)), 1)
    assert not exchange.counts
