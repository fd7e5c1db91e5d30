"""What follows when a process has ended, on no clock at all."""

import pytest

from uat_resilience import Exponential
from uat_service.stack.restarts import Next, Restarts, Verdict, described


def early(restarts: Restarts, *, code: int = 1, draw: float = 0.0) -> Verdict:
    return restarts.ended(code, ready_for=0.0, draw=draw)


@pytest.mark.parametrize("code", [3, 78])
def test_a_start_that_cannot_succeed_is_not_repeated(code: int) -> None:
    assert early(Restarts(server=True), code=code) == Verdict(Next.FAILED)


def test_a_job_that_ends_well_is_finished_and_a_server_is_not() -> None:
    assert early(Restarts(server=False), code=0).next is Next.FINISHED
    assert early(Restarts(server=True), code=0).next is Next.AGAIN


def test_pauses_double_up_to_the_cap_and_the_fifth_early_end_is_a_loop() -> None:
    restarts = Restarts(server=True, backoff=Exponential(1.0, maximum=10.0))

    verdicts = [early(restarts) for _ in range(7)]

    assert [each.pause for each in verdicts] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]
    assert [each.next for each in verdicts] == [Next.AGAIN] * 4 + [Next.CRASH_LOOP] * 3


def test_pauses_are_spread_over_their_upper_half() -> None:
    lows = early(Restarts(server=True, backoff=Exponential(8.0)), draw=0.0).pause
    highs = early(Restarts(server=True, backoff=Exponential(8.0)), draw=1.0).pause

    assert (lows, highs) == (4.0, 8.0)


def test_an_end_after_a_steady_time_begins_to_count_again() -> None:
    restarts = Restarts(server=True, steady=10.0)
    for _ in range(6):
        early(restarts)

    verdict = restarts.ended(-9, ready_for=10.0, draw=0.0)

    assert verdict == Verdict(Next.AGAIN, 0.125)


def test_somebody_who_restarts_it_begins_to_count_again() -> None:
    restarts = Restarts(server=True)
    for _ in range(6):
        early(restarts)

    restarts.forget()

    assert early(restarts).next is Next.AGAIN


def test_an_exit_is_told_in_words() -> None:
    assert (described(-9), described(2)) == ("signal 9", "exit code 2")
