"""Which calls are judged together: told one by one, at moments of their own or at the same."""

import pytest

from uat_resilience._core.adaptive import ROUNDING
from uat_resilience._core.rounds import Round


def counted(size: int, *calls: tuple[float, float]) -> Round:
    """A round from 10.0 on that was told of calls by when they ended and what they took."""
    judged = Round(10.0, size)
    for now, rtt in calls:
        judged.count(now, rtt)
    return judged


@pytest.mark.parametrize(("rtt", "included"), [(0.9, True), (1.0, True), (1.1, False)])
def test_calls_that_began_in_the_round_are_included(rtt: float, included: bool) -> None:  # noqa: FBT001 - a table
    assert Round(10.0, 50).includes(11.0, rtt) is included


def test_call_that_began_as_the_round_did_is_included_whatever_its_time_rounds_to() -> None:
    assert Round(0.1, 50).includes(0.4, 0.4 - 0.1)  # 0.4 - 0.3 is below 0.1.


def test_call_that_began_earlier_by_no_more_than_what_is_forgiven_is_included() -> None:
    assert Round(ROUNDING, 50).includes(1.0, 1.0)
    assert not Round(ROUNDING * 1.001, 50).includes(1.0, 1.0)


def test_calls_that_end_with_the_first_do_not_count() -> None:
    judged = counted(2, (10.1, 0.1), (10.1, 0.1), (10.2, 0.2))

    assert (judged.calls, judged.latency) == (1, 0.2)


def test_calls_that_end_with_the_last_count_too() -> None:
    judged = counted(2, (10.1, 0.1), (10.2, 0.1), (10.2, 0.1), (10.2, 0.4))

    assert (judged.full_at, judged.calls) == (10.2, 3)
    assert judged.latency == pytest.approx(0.2)


def test_drops_are_calls_enough_too() -> None:
    judged = Round(10.0, 3, drops=2)
    judged.count(10.1, 0.1)
    before = judged.full_at
    judged.count(10.2, 0.1)

    assert before > judged.full_at == 10.2


def test_batches_in_which_those_that_queued_come_last_have_their_true_mean() -> None:
    # 13 at once where 10 are served: of each batch the first 7 have not queued, the last 3 have.
    batches = [(10.0 + n / 10, rtt) for n in range(1, 6) for rtt in [0.1] * 7 + [0.2] * 3]

    judged = Round(10.0, 24)
    for now, rtt in batches:
        if judged.includes(now, rtt) and now <= judged.full_at:
            judged.count(now, rtt)

    assert judged.latency == pytest.approx(0.13)


def test_latency_is_never_none_at_all() -> None:
    assert counted(1, (10.1, 0.0), (10.2, 0.0)).latency > 0
