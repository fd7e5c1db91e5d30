"""A picture of a breaker."""

from dataclasses import dataclass

from uat_resilience._core.breaker import BreakerMachine
from uat_resilience._core.era import BreakerState

__all__ = ["BreakerSnapshot", "pictured"]


@dataclass(frozen=True, slots=True)
class BreakerSnapshot:
    """A breaker at one moment.

    Attributes:
        state: Where it stands. OPEN stays until a call arrives after the recovery time.
        generation: Number of its era; each state change and `reset()` starts a new one.
        calls: Calls the trip rule judges, or None for `ConsecutiveFailures`.
        failures: Failures the trip rule judges; kept readable while the breaker is open.
        slow: Slow calls the trip rule judges.
        probes: Probes that run now.
        times_opened: Openings since it was last closed.
        retry_after: Seconds above 0 until a call could pass, or None.
    """

    state: BreakerState
    generation: int
    calls: int | None
    failures: int
    slow: int
    probes: int
    times_opened: int
    retry_after: float | None


def pictured(machine: BreakerMachine, now: float) -> BreakerSnapshot:
    """Return the breaker at this moment, with what its window has forgotten left out. Its owner locks."""
    retry_after = machine.retry_after(now)
    era = machine.era
    era.judge.forget(now)
    return BreakerSnapshot(
        state=era.state,
        generation=era.generation,
        calls=era.judge.calls,
        failures=era.judge.failures,
        slow=era.judge.slow,
        probes=machine.probing,
        times_opened=machine.times_opened,
        retry_after=retry_after,
    )
