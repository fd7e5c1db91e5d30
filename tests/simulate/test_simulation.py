import threading
from typing import Any

import pytest

from uat_resilience import (
    BreakerState,
    CircuitBreaker,
    CircuitOpenError,
    Constant,
    EventBus,
    Jitter,
    Pipeline,
    Retry,
    Timeout,
    default_bus,
)
from uat_resilience.clock import default_clock
from uat_resilience.simulate import (
    Bursts,
    Dependency,
    DependencyError,
    Fixed,
    Memoryless,
    Outage,
    Poisson,
    Result,
    Steady,
    Workload,
    run,
)
from uat_resilience.telemetry import BreakerStateChanged
from uat_resilience.testing import Chaos, FakeClock, virtual_time

TEN_SECONDS = Workload(arrivals=Steady(10.0), duration=10.0, deadline=0.5)
WELL = Dependency(latency=Fixed(0.1))
DOWN = Dependency(latency=Fixed(0.1), troubles=(Outage(at=3.0, lasts=2.0),))


class Plain:
    """A policy that is only its protocol."""

    name = "plain"

    def __init__(self) -> None:
        self.calls = 0

    def call(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    async def acall(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return await fn(*args, **kwargs)


def test_calls_without_a_policy_reach_the_dependency_once_each() -> None:
    result = run(TEN_SECONDS, WELL)

    assert result.arrivals == result.calls == result.endings.good == 100
    assert result.amplification == 1.0
    assert result.goodput == 10.0


def test_answer_after_the_deadline_is_late() -> None:
    result = run(TEN_SECONDS, Dependency(latency=Fixed(0.51)))

    assert result.endings.late == 100
    assert result.goodput == 0.0


def test_answer_at_the_deadline_is_in_time() -> None:
    workload = Workload(arrivals=Bursts(1, 10.0), duration=1.0, deadline=0.5)

    result = run(workload, Dependency(latency=Fixed(0.5)))

    assert result.endings.good == 1


def test_retries_are_calls_of_the_dependency() -> None:
    retry = Retry(DependencyError, attempts=3, backoff=Constant(0.01), jitter=Jitter.NONE)

    result = run(TEN_SECONDS, Dependency(latency=Fixed(0.1), error_rate=1.0), retry)

    assert result.amplification == 3.0
    assert result.endings.failed == 100


def test_breaker_is_seen_to_open_and_close() -> None:
    breaker = CircuitBreaker("db", on=DependencyError, recovery_time=1.0)

    result = run(TEN_SECONDS, DOWN, breaker, bucket=0.5)

    told = [(change.new, change.at) for change in result.breaker_changes]
    assert [state for state, _ in told] == [
        *(BreakerState.OPEN, BreakerState.HALF_OPEN),
        *(BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED),
    ]
    assert 3.0 < told[0][1] < 4.0
    assert told[-1][1] > 5.0
    assert result.endings.refused == 20
    assert dict(result.kinds)["CircuitOpenError"] == result.endings.refused


def test_several_policies_are_clients_that_calls_are_dealt_to() -> None:
    clients = [Plain(), Plain(), Plain()]

    run(TEN_SECONDS, WELL, clients)

    assert [client.calls for client in clients] == [34, 33, 33]


def test_arrivals_are_the_same_whatever_the_policy() -> None:
    workload = Workload(arrivals=Poisson(50.0), duration=10.0)
    noisy = Dependency(latency=Memoryless(0.1), error_rate=0.3)

    bare, retried = (
        run(workload, noisy, policy, seed=5) for policy in ((), Retry(DependencyError))
    )

    assert [b.arrivals for b in bare.buckets][:10] == [b.arrivals for b in retried.buckets][:10]
    assert retried.calls > bare.calls


def test_another_seed_gives_another_result() -> None:
    workload = Workload(arrivals=Poisson(50.0), duration=10.0)

    assert run(workload, WELL, seed=1) != run(workload, WELL, seed=2)


def test_policies_of_a_bus_of_their_own_are_heard_on_it() -> None:
    bus = EventBus()
    breaker = CircuitBreaker("db", on=DependencyError, recovery_time=1.0, bus=bus)

    result = run(TEN_SECONDS, DOWN, breaker, bus=bus)

    assert result.breaker_changes[0].policy == "db"


def test_what_other_threads_tell_is_not_of_the_simulation() -> None:
    class Telling(Plain):
        async def acall(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            event = BreakerStateChanged("other", 0.0, BreakerState.CLOSED, BreakerState.OPEN)
            thread = threading.Thread(target=default_bus.emit, args=(event,))
            thread.start()
            thread.join()
            return await fn(*args, **kwargs)

    result = run(Workload(arrivals=Bursts(1, 10.0), duration=1.0), WELL, Telling())

    assert result.breaker_changes == ()


def test_lots_that_other_threads_draw_are_not_of_the_simulation() -> None:
    class Drawing(Plain):
        async def acall(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            thread = threading.Thread(target=default_clock.clock.random)
            thread.start()
            thread.join()
            return await fn(*args, **kwargs)

    def result(*outermost: Plain) -> Result:
        return run(TEN_SECONDS, DOWN, Pipeline(*outermost, Retry(DependencyError)))

    assert result(Drawing()) == result()


@pytest.mark.usefixtures("_nobody_listens")
def test_nobody_listens_after_a_run() -> None:
    run(TEN_SECONDS, WELL)

    assert not default_bus.wants(BreakerStateChanged)


def test_simulation_may_run_inside_an_asyncio_task() -> None:
    async def main() -> Any:
        return run(TEN_SECONDS, Dependency(latency=Fixed(2.0)), Timeout(1.0))

    assert virtual_time.run(main).kinds == (("TimedOutError", 100),)


def test_faults_of_a_chaos_are_to_be_expected() -> None:
    chaos = Chaos(fault=ConnectionError, fault_rate=1.0, seed=1)

    result = run(TEN_SECONDS, WELL, chaos, expected=ConnectionError)

    assert result.kinds == (("ConnectionError", 100),)
    assert result.calls == 0


def test_error_that_nobody_expects_comes_out() -> None:
    class Mistaken(Plain):
        async def acall(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            raise AttributeError("mistake")

    with pytest.raises(AttributeError, match="mistake"):
        run(TEN_SECONDS, WELL, Mistaken())


def test_call_that_waits_for_what_never_happens_is_an_error() -> None:
    class Lost(Plain):
        async def acall(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            from uat_resilience.waiting import world  # noqa: PLC0415 - what a policy uses

            await world().waiter().wait(FakeClock(), None)

    with pytest.raises(RuntimeError, match="100 calls wait for something that never happens"):
        run(TEN_SECONDS, WELL, Lost())


def test_refusals_are_told_apart_from_failures() -> None:
    breaker = CircuitBreaker("db", on=DependencyError)
    breaker.force_open()

    result = run(TEN_SECONDS, WELL, Pipeline(breaker))

    assert result.endings.refused == 100
    assert result.kinds == ((CircuitOpenError.__name__, 100),)
    assert result.calls == 0


def test_pipeline_of_nothing_is_nothing() -> None:
    assert run(TEN_SECONDS, WELL, Pipeline()).endings.good == 100


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (5, "policy must have name, call and acall, not 5"),
        ([Timeout], "policy must have name, call and acall, not <class"),
    ],
    ids=["number", "class"],
)
def test_what_is_no_policy_is_refused(policy: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        run(TEN_SECONDS, WELL, policy)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"arrivals": 5}, TypeError, "arrivals must be Steady, Poisson, Bursts or Ramp, not 5"),
        ({"duration": 0.0}, ValueError, "duration must be a finite number of seconds above 0"),
        ({"deadline": 0.0}, ValueError, "deadline must be a finite number of seconds above 0"),
    ],
)
def test_bad_workloads_are_refused_with_their_rule(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Workload(**{"arrivals": Steady(1.0), "duration": 1.0, **arguments})


def test_bad_bucket_is_refused_with_its_rule() -> None:
    with pytest.raises(ValueError, match="bucket must be a finite number of seconds above 0"):
        run(TEN_SECONDS, WELL, bucket=0.0)
