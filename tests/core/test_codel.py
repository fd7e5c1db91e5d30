from collections import deque

import pytest

from uat_resilience._core.codel import CoDelMachine


def judged(codel: CoDelMachine, *, start: float, delay: float, count: int = 11) -> list[bool]:
    """Let requests leave the queue every 10 ms: eleven of them are the first and one interval."""
    return [codel.sheds(start + n * 0.01, delay) for n in range(count)]


def standing() -> CoDelMachine:
    """A queue in which everybody waited 50 ms since time 0; it is 0.1 s now."""
    codel = CoDelMachine()
    judged(codel, start=0.0, delay=0.05)
    assert codel.standing
    return codel


def test_burst_shorter_than_an_interval_sheds_nobody() -> None:
    codel = CoDelMachine()

    assert not any(judged(codel, start=0.0, delay=0.05, count=10))
    assert not codel.standing


def test_queue_in_which_everybody_waits_for_an_interval_is_standing() -> None:
    codel = CoDelMachine()

    shed = judged(codel, start=0.0, delay=0.05, count=13)

    assert shed == [False] * 10 + [True] * 3


def test_one_short_wait_in_the_interval_says_that_the_queue_drains() -> None:
    codel = CoDelMachine()
    codel.sheds(0.0, 0.05)
    codel.sheds(0.03, 0.05)
    codel.sheds(0.034, 0.005)

    assert not any(judged(codel, start=0.04, delay=0.05, count=7))
    assert not codel.standing


@pytest.mark.parametrize(("delay", "shed"), [(0.0099, False), (0.01, False), (0.0101, True)])
def test_standing_queue_sheds_who_waited_over_twice_the_target(delay: float, shed: bool) -> None:  # noqa: FBT001 - a table
    assert standing().sheds(0.101, delay) is shed


def test_request_that_came_the_moment_the_last_one_left_still_waited_in_the_queue() -> None:
    codel = CoDelMachine(interval=0.125)
    codel.sheds(1.0, 0.5)

    assert codel.sheds(1.125, 0.125)


def test_queue_stops_standing_after_an_interval_in_which_somebody_waited_little() -> None:
    codel = standing()
    codel.sheds(0.15, 0.06)
    codel.sheds(0.153, 0.004)

    shed = codel.sheds(0.2, 0.05)

    assert not shed
    assert not codel.standing


def test_queue_keeps_standing_while_nobody_waits_little() -> None:
    codel = standing()

    assert all(judged(codel, start=0.11, delay=0.05, count=50))


def test_request_that_came_to_an_empty_queue_ends_the_standing_at_once() -> None:
    codel = standing()

    after_silence = codel.sheds(60.0, 0.05)

    assert not after_silence
    assert not codel.standing


def test_slow_queue_is_seen_standing_though_intervals_pass_between_requests() -> None:
    codel = CoDelMachine()

    shed = [codel.sheds(n * 0.5, 3.0) for n in range(4)]

    assert shed == [False, True, True, True]


def test_request_that_did_not_wait_is_never_shed() -> None:
    assert not standing().sheds(0.1, 0.0)


def test_clock_with_an_earlier_epoch_starts_afresh() -> None:
    codel = CoDelMachine()
    judged(codel, start=1e6, delay=0.05)

    shed = codel.sheds(0.0, 0.05)

    assert not shed
    assert not codel.standing


def test_calls_a_little_out_of_order_end_no_interval() -> None:
    codel = CoDelMachine()
    codel.sheds(1.0, 0.05)

    codel.sheds(0.99, 0.05)

    assert not codel.standing


def test_settings_scale_target_and_interval() -> None:
    codel = CoDelMachine(target=0.4, interval=1.0)

    shed = [codel.sheds(n * 0.5, delay=0.6) for n in range(3)]
    worse = codel.sheds(1.1, delay=0.81)

    assert (shed, codel.standing, worse) == ([False] * 3, True, True)


def served(*, every: float, service: float, seconds: float) -> list[float]:
    """Return the waits of those served by one worker, with requests coming at even steps."""
    codel, queue, waits = CoDelMachine(), deque[float](), list[float]()
    arrivals = iter(n * every for n in range(int(seconds / every)))
    now = 0.0
    for arrival in arrivals:
        queue.append(arrival)
        while queue and now <= arrival:
            now = max(now, queue[0])
            wait = now - queue.popleft()
            if not codel.sheds(now, wait):
                waits.append(wait)
                now += service
    return waits


def test_overload_of_two_to_one_is_served_at_full_speed_with_short_waits() -> None:
    waits = served(every=0.001, service=0.002, seconds=10.0)

    assert len(waits) == pytest.approx(5_000, rel=0.01)
    assert max(waits) > 0.05  # Until the queue was seen to stand.
    assert max(waits[200:]) < 0.015


def test_load_that_fits_is_all_served() -> None:
    assert len(served(every=0.0021, service=0.002, seconds=10.0)) == int(10.0 / 0.0021)


def test_first_request_decides_nothing_however_long_it_waited() -> None:
    codel = CoDelMachine()

    shed = codel.sheds(0.0, 60.0)

    assert (shed, codel.standing) == (False, False)


def test_queue_was_never_standing_before_its_first_request() -> None:
    assert CoDelMachine().standing is False


def test_clock_a_little_out_of_order_is_told_from_one_with_an_earlier_epoch() -> None:
    codel = CoDelMachine(interval=10.0)
    codel.sheds(100.0, 50.0)
    codel.sheds(110.0, 50.0)  # Standing; this interval ends at 120.

    codel.sheds(100.0, 50.0)
    still = codel.standing
    codel.sheds(99.9, 50.0)

    assert (still, codel.standing) == (True, False)
