"""The modelled dependency, moment by moment."""

from typing import Any

import pytest

from uat_resilience import Hedge, Timeout
from uat_resilience.simulate import (
    BrownOut,
    Bucket,
    Bursts,
    Dependency,
    Endings,
    Fixed,
    Outage,
    Result,
    Steady,
    Workload,
    run,
)
from uat_resilience.simulate.arrivals import Arrivals

ONE_SECOND = Fixed(1.0)


def burst(size: int) -> Bursts:
    return Bursts(size, 1000.0)


def simulated(arrivals: Arrivals, dependency: Dependency, policy: Any = (), **more: Any) -> Result:
    return run(Workload(arrivals=arrivals, duration=10.0, **more), dependency, policy)


def ended(result: Result) -> dict[float, Endings]:
    """The stretches of time in which something ended."""
    return {bucket.at: bucket.endings for bucket in result.buckets if bucket.endings.total}


def good(number: int) -> Endings:
    return Endings(good=number, late=0, failed=0, refused=0)


def failed(number: int) -> Endings:
    return Endings(good=0, late=0, failed=number, refused=0)


def test_servers_work_at_once_and_the_rest_wait_in_line() -> None:
    result = simulated(burst(5), Dependency(latency=ONE_SECOND, servers=2))

    assert [bucket.latencies.p50 for bucket in result.buckets if bucket.endings.total] == [1, 2, 3]
    assert result.ended == 3.0


def test_dependency_without_servers_named_has_any_number() -> None:
    result = simulated(burst(500), Dependency(latency=ONE_SECOND))

    assert result.latencies.p999 == 1.0


def test_call_without_a_place_in_the_queue_is_turned_away_soon() -> None:
    result = simulated(
        burst(5), Dependency(latency=ONE_SECOND, servers=1, queue=1, turning_away=0.01)
    )

    assert ended(result)[0.0] == failed(3)
    assert result.endings == Endings(good=2, late=0, failed=3, refused=0)
    assert result.kinds == (("DependencyError", 3),)


def test_queue_and_servers_are_seen_at_the_end_of_each_stretch() -> None:
    result = simulated(burst(5), Dependency(latency=Fixed(1.5), servers=2))

    seen = [(bucket.queue, bucket.busy) for bucket in result.buckets[:5]]

    assert seen == [(3, 2), (1, 2), (1, 2), (0, 1), (0, 0)]


def test_share_of_calls_fails_after_having_taken_its_time() -> None:
    result = simulated(Steady(1000.0), Dependency(latency=Fixed(0.1), error_rate=0.2))

    assert result.endings.failed / result.arrivals == pytest.approx(0.2, abs=0.02)
    assert ended(result)[9.0].failed > 0


def test_outage_fails_what_is_inside_and_turns_away_what_comes() -> None:
    dependency = Dependency(
        latency=Fixed(2.0), servers=1, troubles=(Outage(at=3.0, lasts=4.0),), turning_away=0.1
    )

    result = simulated(Steady(1.0), dependency)

    # Those of 0, 1 and 2 s: one was served, one was being served, one waited.
    assert ended(result)[2.0] == good(1)
    assert ended(result)[3.0] == failed(3)  # The two inside, and the first that was turned away.
    assert ended(result)[6.0] == failed(1)
    assert ended(result)[9.0] == good(1)  # The first that came when it was over.


def test_work_is_not_done_twice_for_a_call_that_went_down_with_its_server() -> None:
    dependency = Dependency(latency=Fixed(5.0), servers=1, troubles=(Outage(at=1.0, lasts=1.0),))

    result = simulated(Bursts(1, 3.0), dependency)

    assert result.arrivals == result.calls == 4
    assert result.endings == Endings(good=3, late=0, failed=1, refused=0)
    assert result.ended == 18.0


def test_brown_out_slows_the_calls_that_begin_in_it() -> None:
    dependency = Dependency(
        latency=ONE_SECOND, troubles=(BrownOut(at=2.5, lasts=2.0, slower=10.0),)
    )

    result = simulated(Steady(1.0), dependency)

    assert sorted(ended(result)) == [1.0, 2.0, 3.0, 6.0, 7.0, 8.0, 9.0, 10.0, 13.0, 14.0]


def test_brown_outs_at_the_same_time_multiply() -> None:
    dependency = Dependency(
        latency=ONE_SECOND,
        troubles=(BrownOut(at=0.0, lasts=2.0, slower=2.0), BrownOut(at=0.0, lasts=2.0, slower=3.0)),
    )

    result = simulated(burst(1), dependency)

    assert result.latencies.p50 == 6.0


def test_capacity_of_nothing_stops_the_servers_until_it_is_over() -> None:
    dependency = Dependency(
        latency=ONE_SECOND, servers=2, troubles=(BrownOut(at=0.5, lasts=5.0, capacity=0.0),)
    )

    result = simulated(Steady(1.0), dependency)

    # The call of 0 s goes on as it began; the five that waited are served two by two.
    assert {at: endings.good for at, endings in ended(result).items()} == {
        1.0: 1,
        6.0: 2,
        7.0: 2,
        8.0: 2,
        9.0: 2,
        10.0: 1,
    }


def test_capacity_can_grow() -> None:
    dependency = Dependency(
        latency=ONE_SECOND, servers=1, troubles=(BrownOut(at=0.5, lasts=5.0, capacity=3.0),)
    )

    result = simulated(burst(4), dependency)

    assert ended(result) == {1.0: good(3), 2.0: good(1)}


def test_errors_of_a_brown_out_come_on_top() -> None:
    dependency = Dependency(
        latency=Fixed(0.01),
        error_rate=0.5,
        troubles=(BrownOut(at=0.0, lasts=10.0, error_rate=0.5),),
    )

    result = simulated(Steady(1000.0), dependency)

    assert result.endings.failed / result.arrivals == pytest.approx(0.75, abs=0.02)


def test_work_goes_on_for_a_caller_that_has_left() -> None:
    dependency = Dependency(latency=Fixed(3.0), servers=1)

    result = simulated(burst(3), dependency, Timeout(1.0))

    assert result.endings == failed(3)
    assert result.wasted == 3
    assert [bucket.busy for bucket in result.buckets] == [1] * 9 + [0]


def test_call_that_was_turned_away_is_no_work_for_nobody() -> None:
    dependency = Dependency(latency=Fixed(0.5), servers=1, queue=0, turning_away=5.0)

    result = simulated(burst(3), dependency, Timeout(1.0))

    assert result.endings == Endings(good=1, late=0, failed=2, refused=0)
    assert result.wasted == 0


def test_dependency_that_notices_stops_working_for_a_caller_that_has_left() -> None:
    dependency = Dependency(latency=Fixed(3.0), servers=1, notices=True)
    impatient = Timeout(1.0)

    result = simulated(Bursts(3, 5.0), dependency, impatient)

    assert result.wasted == 0
    assert [bucket.busy + bucket.queue for bucket in result.buckets[:3]] == [3, 0, 0]


def test_server_that_is_freed_by_a_caller_that_left_serves_the_next() -> None:
    dependency = Dependency(latency=Fixed(0.9), servers=1, notices=True, turning_away=5.0, queue=1)

    result = simulated(burst(3), dependency, [Timeout(0.5), Timeout(2.0), Timeout(2.0)])

    assert min(bucket.queue for bucket in result.buckets) == 0
    # The first is cut, the second served in its place, the third was being turned away when it was cut.
    assert dict(ended(result).items()) == {
        0.0: failed(1),
        1.0: good(1),
        2.0: failed(1),
    }


def test_caller_that_leaves_the_queue_is_passed_over() -> None:
    dependency = Dependency(latency=Fixed(3.0), servers=1, notices=True)

    result = simulated(burst(3), dependency, [Timeout(9.0), Timeout(1.0), Timeout(9.0)])

    assert result.buckets[1].queue == 1
    assert dict(ended(result).items()) == {1.0: failed(1), 3.0: good(1), 6.0: good(1)}


@pytest.mark.parametrize("servers", [1, 2], ids=["queued", "served"])
def test_copy_that_is_cut_in_the_moment_its_server_goes_down_leaves_nothing(servers: int) -> None:
    dependency = Dependency(
        latency=Fixed(5.0), servers=servers, notices=True, troubles=(Outage(at=1.0, lasts=1.0),)
    )

    result = simulated(burst(1), dependency, Hedge(0.1, on=KeyError))

    assert result.endings == failed(1)
    assert result.calls == 2
    assert [(bucket.busy, bucket.queue) for bucket in result.buckets[1:]] == [(0, 0)] * 9


def test_buckets_have_the_goodput_of_their_stretch() -> None:
    result = simulated(Steady(10.0), Dependency(latency=Fixed(0.01)))

    assert isinstance(result.buckets[0], Bucket)
    assert result.buckets[0].goodput == 10.0
    assert result.goodput == 10.0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"latency": 0.1}, TypeError, "latency must be Fixed, Memoryless, LogNormal or Uniform"),
        ({"servers": 0}, ValueError, "servers must be a whole number of at least 1, not 0"),
        ({"queue": -1}, ValueError, "queue must be a whole number of at least 0, not -1"),
        ({"error_rate": 1.5}, ValueError, "error_rate must be a share from 0 to 1, not 1.5"),
        ({"troubles": ("x",)}, TypeError, "troubles must be Outages and BrownOuts, not 'x'"),
        (
            {"troubles": (BrownOut(at=0.0, lasts=1.0, capacity=0.5),)},
            ValueError,
            "servers must be a number, not None, for a BrownOut with capacity",
        ),
        ({"notices": 1}, TypeError, "notices must be True or False, not 1"),
        (
            {"turning_away": 0.0},
            ValueError,
            "turning_away must be a finite number of seconds above 0",
        ),
    ],
)
def test_bad_dependencies_are_refused_with_their_rule(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Dependency(**{"latency": ONE_SECOND, **arguments})


@pytest.mark.parametrize("kind", [Outage, BrownOut])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"at": -1.0}, "at must be a finite number of seconds, 0 or more, not -1.0"),
        ({"lasts": 0.0}, "lasts must be a finite number of seconds above 0, not 0.0"),
    ],
)
def test_trouble_that_has_no_time_is_refused(
    kind: Any, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**{"at": 0.0, "lasts": 1.0, **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"slower": 0.0}, "slower must be a finite number above 0, not 0.0"),
        ({"capacity": -1.0}, "capacity must be a finite number, 0 or more, not -1.0"),
        ({"error_rate": 2.0}, "error_rate must be a share from 0 to 1, not 2.0"),
    ],
)
def test_bad_brown_outs_are_refused_with_their_rule(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        BrownOut(at=0.0, lasts=1.0, **arguments)
