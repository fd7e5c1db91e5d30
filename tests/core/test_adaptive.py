"""What all the algorithms promise, each against a simulated dependency whose optimum is known."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.core.simulated import Dependency, Run, memoryless, steady
from tests.core.wording import exactly

from uat_resilience._core.adaptive import Algorithm, Limits
from uat_resilience._core.aimd import AIMD
from uat_resilience._core.gradient import Gradient2
from uat_resilience._core.vegas import Vegas

SERVICE = 0.1

Make = Callable[..., Algorithm]


def dependency(make: Make, capacity: int) -> Dependency:
    """AIMD hears only of drops, so its dependency refuses; the others feel a queue."""
    places = capacity if make is AIMD else float("inf")
    return Dependency(capacity, steady(SERVICE), places)


def run(make: Make, capacity: int, **limits: int) -> Run:
    return Run(make(**limits).tuner(), dependency(make, capacity))


def move(simulation: Run, capacity: int) -> Run:
    if simulation.dependency.places < float("inf"):
        simulation.change(places=capacity)
    return simulation.change(workers=capacity)


every_algorithm = pytest.mark.parametrize("make", [AIMD, Vegas, Gradient2])
by_latency = pytest.mark.parametrize("make", [Vegas, Gradient2])


# --- the optimum


@every_algorithm
@pytest.mark.parametrize("capacity", [30, 100])
def test_limit_rests_within_a_tenth_of_the_capacity(make: Make, capacity: int) -> None:
    simulation = run(make, capacity).go(20.0)

    assert simulation.limit(last=12.0) == pytest.approx(capacity, rel=0.1)
    assert simulation.throughput(last=12.0) > 0.94 * capacity / SERVICE


@pytest.mark.parametrize(("capacity", "above"), [(2, 1), (5, 1.1), (10, 1.5), (20, 2.1)])
def test_default_algorithm_rests_at_most_two_slots_above_a_small_capacity(
    capacity: int, above: float
) -> None:
    simulation = run(Gradient2, capacity).go(60.0)

    assert capacity <= simulation.limit(last=30.0) <= capacity + above
    assert simulation.throughput(last=30.0) > 0.95 * capacity / SERVICE


@every_algorithm
def test_limit_follows_a_capacity_that_shrinks_and_grows(make: Make) -> None:
    simulation = run(make, 50).go(12.0)
    at_first = simulation.limit(last=4.0)
    move(simulation, 25).go(12.0)
    shrunk = simulation.limit(last=4.0)
    move(simulation, 100).go(25.0)
    grown = simulation.limit(last=4.0)

    assert at_first == pytest.approx(50, rel=0.1)
    assert shrunk == pytest.approx(25, rel=0.1)
    assert grown == pytest.approx(100, rel=0.1)


@by_latency
def test_dependency_that_refuses_is_found_without_a_queue_too(make: Make) -> None:
    simulation = Run(make().tuner(), Dependency(50, steady(SERVICE), places=50)).go(20.0)

    assert simulation.limit(last=10.0) == pytest.approx(50, rel=0.1)
    assert simulation.throughput(last=10.0) > 0.9 * 50 / SERVICE


@pytest.mark.parametrize(("make", "within"), [(Vegas, 0.35), (Gradient2, 0.2)])
def test_noise_costs_little_throughput_and_little_queue(make: Make, within: float) -> None:
    simulation = Run(make().tuner(), Dependency(50, memoryless(SERVICE))).go(50.0)

    assert simulation.limit(last=40.0) == pytest.approx(50, rel=within)
    assert simulation.throughput(last=40.0) > 0.93 * 50 / SERVICE


@by_latency
def test_long_overload_does_not_teach_that_slow_is_normal(make: Make) -> None:
    simulation = run(make, 10, initial=200).go(60.0)

    assert simulation.limit(last=10.0) < 14


@by_latency
@pytest.mark.parametrize("service", [2.5 * SERVICE, SERVICE / 5])
def test_dependency_that_became_slower_or_faster_by_itself_keeps_its_limit(
    make: Make, service: float
) -> None:
    simulation = run(make, 30).go(10.0)
    simulation.change(service=steady(service)).go(200 * service)

    assert simulation.limit(last=50 * service) == pytest.approx(30, rel=0.1)


# --- drops


@every_algorithm
def test_calls_that_fail_fast_never_raise_the_limit(make: Make) -> None:
    simulation = run(make, 50).go(10.0)
    before = simulation.tuner.limit
    simulation.change(places=0).go(2.0)

    limits = [moment.limit for moment in simulation.since(2.0) if moment.failed]

    assert limits == sorted(limits, reverse=True)
    assert limits[0] <= before
    assert limits[-1] == 1


@by_latency
def test_calls_that_half_fail_fast_do_not_raise_the_limit_once_that_is_seen(make: Make) -> None:
    tuner = run(make, 50).go(10.0).tuner

    limits = [
        tuner.record(100.0 + n * 0.01, 0.001, tuner.limit, dropped=n % 2 == 0) for n in range(400)
    ][20:]

    assert limits == sorted(limits, reverse=True)
    assert limits[-1] < 10


@by_latency
def test_few_drops_among_many_calls_are_no_burst(make: Make) -> None:
    tuner = run(make, 50).go(10.0).tuner
    before = tuner.limit

    for n in range(4_000):
        tuner.record(100.0 + n * 0.002, 0.1, tuner.limit, dropped=n % 20 == 0)

    assert tuner.limit >= before


@every_algorithm
def test_one_burst_of_drops_is_one_reason_to_shrink(make: Make) -> None:
    tuner = make(initial=100).tuner()
    tuner.record(0.0, 0.0, 1, dropped=False)

    limits = [tuner.record(10.0, 1.0, 100 - n, dropped=True) for n in range(100)]

    assert limits[-1] == 90


@every_algorithm
def test_limit_is_back_soon_after_an_outage(make: Make) -> None:
    simulation = run(make, 50).go(10.0)
    simulation.change(places=0).go(2.0)
    during = simulation.tuner.limit
    places = 50 if make is AIMD else float("inf")
    simulation.change(places=places).go(12.0)

    assert during == 1
    assert simulation.limit(last=4.0) == pytest.approx(50, rel=0.1)


# --- edges


@every_algorithm
def test_limit_begins_where_it_is_told(make: Make) -> None:
    assert make().tuner().limit == 20
    assert make(initial=7).tuner().limit == 7


@every_algorithm
def test_limit_that_is_not_used_is_not_raised(make: Make) -> None:
    simulation = Run(make(initial=20).tuner(), dependency(make, 100), callers=9).go(20.0)

    assert {moment.limit for moment in simulation.history} == {20}


@every_algorithm
@pytest.mark.parametrize("capacity", [5, 100])
def test_limit_stays_in_its_range(make: Make, capacity: int) -> None:
    simulation = run(make, capacity, initial=20, minimum=10, maximum=30).go(4.0)
    simulation.change(places=0).go(0.5)

    limits = {moment.limit for moment in simulation.history}

    assert min(limits) == 10
    assert max(limits) <= 30
    assert capacity == 5 or 30 in limits


@every_algorithm
def test_calls_that_take_no_time_are_survived(make: Make) -> None:
    tuner = make().tuner()

    limits = {tuner.record(float(n), 0.0, 20, dropped=False) for n in range(2_000)}

    assert limits <= set(range(1, 201))


@every_algorithm
def test_clock_with_an_earlier_epoch_stops_nothing(make: Make) -> None:
    tuner = run(make, 50).go(10.0).tuner
    tuner.record(1e6, 1.0, 50, dropped=True)
    for _ in range(10):
        tuner.record(1e6, 0.0, 50, dropped=True)

    limits = [tuner.record(1.0 + n, 0.5, 50, dropped=True) for n in range(100)]

    assert limits[-1] < limits[0]


# --- settings


@every_algorithm
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"minimum": 0}, "minimum must be a whole number of at least 1, not 0"),
        ({"maximum": 4, "minimum": 5}, "maximum must be a whole number of at least 5, not 4"),
        ({"initial": 4, "minimum": 5}, "initial must be a whole number of at least 5, not 4"),
        ({"initial": 300}, r"initial must be at most maximum \(200\), not 300"),
        ({"backoff": 0.4}, "backoff must be a number of at least 0.5 and below 1, not 0.4"),
        ({"backoff": 1.0}, "backoff must be a number of at least 0.5 and below 1, not 1.0"),
    ],
)
def test_bad_ranges_are_refused_with_their_rule(
    make: Make, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make(**arguments)


@every_algorithm
@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((0, None), "minimum must be a whole number of at least 1, not 0"),
        ((None, 0), "maximum must be a whole number of at least 1, not 0"),
        ((30, 25), "maximum must be a whole number of at least 30, not 25"),
        ((201, None), "maximum must be a whole number of at least 201, not 200"),
    ],
)
def test_bad_bounds_are_refused_with_their_rule_and_change_nothing(
    make: Make, bounds: tuple[int | None, int | None], message: str
) -> None:
    tuner = make().tuner()

    with pytest.raises(ValueError, match=exactly(message)):
        tuner.bound(*bounds)

    assert tuner.bound(None, None) == 20


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (AIMD, {"timeout": 0.0}, "timeout must be a finite number of seconds above 0, not 0.0"),
        (Vegas, {"samples": 0}, "samples must be a whole number of at least 1, not 0"),
        (Gradient2, {"probe_every": 0}, "probe_every must be a whole number of at least 1, not 0"),
        (Vegas, {"alpha": 0.9}, "alpha must be a number of at least 1, not 0.9"),
        (
            Vegas,
            {"alpha": 3.0, "beta": 2.0},
            r"beta must be a number of at least alpha \(3.0\), not 2.0",
        ),
        (Gradient2, {"tolerance": 0.9}, "tolerance must be a number of at least 1, not 0.9"),
        (
            Gradient2,
            {"smoothing": 0.0},
            "smoothing must be a fraction above 0 and at most 1, not 0.0",
        ),
        (Gradient2, {"queue": 0}, "queue must be a finite number above 0, not 0"),
    ],
)
def test_bad_constants_are_refused_with_their_rule(
    make: Make, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make(**arguments)


@pytest.mark.parametrize(
    ("make", "argument", "rule"),
    [
        (AIMD, "backoff", "a number of at least 0.5 and below 1"),
        (Vegas, "alpha", "a number of at least 1"),
        (Vegas, "beta", "a number of at least alpha (1.0)"),
        (Gradient2, "tolerance", "a number of at least 1"),
        (Gradient2, "queue", "a finite number above 0"),
    ],
)
def test_constant_that_is_no_number_is_refused_with_its_rule(
    make: Make, argument: str, rule: str
) -> None:
    with pytest.raises(TypeError, match=exactly(f"{argument} must be {rule}, not 'much'")):
        make(**{argument: "much"})


@pytest.mark.parametrize(
    ("make", "arguments"),
    [
        (AIMD, {"backoff": 0.5}),
        (Vegas, {"alpha": 1, "beta": 1}),
        (Gradient2, {"tolerance": 1}),
    ],
)
def test_constant_at_the_edge_of_its_range_is_accepted(
    make: Make, arguments: dict[str, Any]
) -> None:
    made = make(**arguments)

    assert {name: getattr(made, name) for name in arguments} == arguments


def test_defaults_are_the_contract() -> None:
    assert Limits() == Limits(initial=20, minimum=1, maximum=200, backoff=0.9)
    assert AIMD() == AIMD(initial=20, minimum=1, maximum=200, timeout=5.0)
    assert Vegas() == Vegas(samples=50, probe_every=50, alpha=1.0, beta=2.0)
    assert Gradient2() == Gradient2(tolerance=1.05, smoothing=0.2, queue=1.0)
