"""Run a workload against a modelled dependency through real policies."""

from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from itertools import cycle
from random import Random  # noqa: TID251 - drawn from a seed
from threading import get_ident
from typing import TypeVar

from uat_resilience._core.arguments import seconds
from uat_resilience.policies.policy import Guard, Policy
from uat_resilience.simulate.dependency import Dependency
from uat_resilience.simulate.kernel import Kernel
from uat_resilience.simulate.recorder import Call, Recorder
from uat_resilience.simulate.result import Result
from uat_resilience.simulate.service import Service
from uat_resilience.simulate.workload import Workload
from uat_resilience.simulate.world import inhabited
from uat_resilience.telemetry.bus import EventBus, default_bus
from uat_resilience.telemetry.events import BreakerStateChanged, LimitChanged

__all__ = ["run"]

E = TypeVar("E", BreakerStateChanged, LimitChanged)
Attempt = Callable[[], Coroutine[object, None, object]]


def run(
    workload: Workload,
    dependency: Dependency,
    policy: Policy | Sequence[Policy] = (),
    *,
    seed: object = 0,
    bucket: float = 1.0,
    title: str = "simulation",
    expected: type[Exception] | tuple[type[Exception], ...] = (),
    bus: EventBus = default_bus,
) -> Result:
    """Run a workload against a dependency through real policies, on virtual time, and return what came of it.

    The policies are those of any program, unchanged, on their async path. Those that were given no clock go by the
    simulation's time, in this thread; in other threads they go on as before. They keep their state, so make new
    ones for each run. The same seed gives the same result; calls arrive at the same times and policies or no.

    Args:
        workload: What is asked, and when.
        dependency: What is called.
        policy: The policy around each call, such as a `Pipeline`. Several are several clients, each with one
            policy of its own, and calls are dealt to them in turn. None at all calls without protection.
        seed: Where all drawing of lots begins: anything with a `str` of its own.
        bucket: Seconds that are counted together, above 0.
        title: What the result is called.
        expected: What calls may end with besides `DependencyError` and the errors of this library, such as the
            faults of a `Chaos`. Any other error is a mistake in a policy, and comes out of the run.
        bus: Where the policies tell what changes. Default: `default_bus`, as theirs.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
        RuntimeError: Calls wait for something that never happens, such as a policy with a clock of its own.
    """
    kernel = Kernel(seed)
    service = Service(dependency, kernel, seed)
    recorder = Recorder(
        kernel, service, workload, seconds=seconds("bucket", bucket), expected=expected
    )
    guarded = cycle(_clients(policy, service.attempt))
    lots = Random(f"{seed}/arrivals")  # noqa: S311 - lots, not secrets

    def arrive() -> None:
        kernel.resume(Call(next(guarded)(), recorder))

    with (
        _heard(bus, BreakerStateChanged, recorder.breaker_changes),
        _heard(bus, LimitChanged, recorder.limit_changes),
        inhabited(kernel),
    ):
        kernel.run(workload.arrivals.times(workload.duration, lots.random), arrive)
    if recorder.under_way:
        raise RuntimeError(
            f"{recorder.under_way} calls wait for something that never happens: "
            "leave out clock= in the policies"
        )
    return recorder.result(title)


@contextmanager
def _heard(bus: EventBus, kind: type[E], heard: list[E]) -> Generator[None]:
    """Keep the events of one kind that this thread's policies tell."""
    thread = get_ident()

    def listen(event: E) -> None:
        if get_ident() == thread:
            heard.append(event)

    unsubscribe = bus.subscribe(listen, kind)
    try:
        yield
    finally:
        unsubscribe()


def _clients(policy: Policy | Sequence[Policy], attempt: Attempt) -> list[Attempt]:
    policies = policy if isinstance(policy, Sequence) else (policy,)
    return [_around(each, attempt) for each in policies] or [attempt]


def _around(policy: object, attempt: Attempt) -> Attempt:
    if isinstance(policy, Guard):
        return policy(attempt)
    if isinstance(policy, type) or not isinstance(policy, Policy):
        raise TypeError(f"policy must have name, call and acall, not {policy!r}")
    return lambda: policy.acall(attempt)
