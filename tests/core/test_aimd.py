import pytest

from uat_resilience._core.adaptive import ROUNDING, Tuner
from uat_resilience._core.aimd import AIMD


def go_well(tuner: Tuner, calls: int, *, start: float = 0.0, inflight: int | None = None) -> int:
    """End calls one after another, each begun after the last one had ended; return the limit."""
    for n in range(1, calls + 1):
        running = tuner.limit if inflight is None else inflight
        tuner.record(start + n, 1.0, running, dropped=False)
    return tuner.limit


def test_limit_grows_by_one_slot_for_each_slot_that_went_well() -> None:
    tuner = AIMD(initial=4).tuner()

    limits = [go_well(tuner, 1, start=float(n)) for n in range(10)]

    assert limits == [4, 4, 4, 4, 5, 5, 5, 5, 5, 6]


def test_limit_shrinks_by_its_factor_at_the_first_drop() -> None:
    tuner = AIMD(initial=100, backoff=0.8).tuner()

    assert tuner.record(10.0, 1.0, 1, dropped=True) == 80


@pytest.mark.parametrize("dropped", [True, False])
def test_calls_that_began_before_the_limit_shrank_change_nothing(dropped: bool) -> None:  # noqa: FBT001 - a table
    tuner = AIMD(initial=10).tuner()
    tuner.record(10.0, 1.0, 10, dropped=True)

    limits = {tuner.record(11.0, 1.5, 10, dropped=dropped) for _ in range(100)}

    assert limits == {9}


def test_call_that_began_a_nanosecond_before_the_limit_shrank_counts() -> None:
    tuner = AIMD(initial=100).tuner()
    tuner.record(ROUNDING, 0.0, 100, dropped=True)

    assert tuner.record(1.0, 1.0, 90, dropped=True) == 81


def test_call_that_began_as_the_limit_shrank_counts() -> None:
    tuner = AIMD(initial=100).tuner()
    tuner.record(0.1, 1.0, 100, dropped=True)

    assert tuner.record(0.4, 0.4 - 0.1, 100, dropped=True) == 81  # 0.4 - 0.3 is below 0.1.


@pytest.mark.parametrize(("rtt", "limit"), [(2.0, 100), (2.001, 90)])
def test_call_that_took_longer_than_the_timeout_is_a_drop(rtt: float, limit: int) -> None:
    tuner = AIMD(initial=100, timeout=2.0).tuner()

    assert tuner.record(10.0, rtt, 100, dropped=False) == limit


@pytest.mark.parametrize(("inflight", "limit"), [(9, 20), (10, 21)])
def test_limit_grows_when_half_of_it_is_used(inflight: int, limit: int) -> None:
    assert go_well(AIMD(initial=20).tuner(), 21, inflight=inflight) == limit


def test_limit_ends_at_its_bounds() -> None:
    tuner = AIMD(initial=5, minimum=4, maximum=6).tuner()

    grown = go_well(tuner, 100)
    for n in range(10):
        tuner.record(200.0 + n, 0.5, 6, dropped=True)

    assert (grown, tuner.limit) == (6, 4)


def test_clock_with_an_earlier_epoch_stops_nothing() -> None:
    tuner = AIMD(initial=100).tuner()
    tuner.record(1e6, 1.0, 100, dropped=True)

    assert tuner.record(5.0, 1.0, 100, dropped=True) == 81
