"""What is asked of a dependency: how many calls, when, and how long each of their callers waits."""

from dataclasses import dataclass

from uat_resilience._core.arguments import seconds
from uat_resilience.simulate.arrivals import Arrivals

__all__ = ["Workload"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Calls that arrive for some time, each with a caller who waits so long and no longer.

    Calls arrive whether or not the earlier ones have ended, as users do. An answer after the deadline is worth
    nothing to its caller and is counted as late. Nothing is cut at the deadline: that is what a `Timeout` is for.

    Args:
        arrivals: `Steady`, `Poisson`, `Bursts`, `Ramp`, or anything with `times(duration, draw)`.
        duration: Seconds that calls arrive for, above 0. Those under way are waited for.
        deadline: Seconds within which an answer counts, above 0, or None for no limit.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    arrivals: Arrivals
    duration: float
    deadline: float | None = None

    def __post_init__(self) -> None:
        if not callable(getattr(self.arrivals, "times", None)):
            raise TypeError(
                f"arrivals must be Steady, Poisson, Bursts or Ramp, not {self.arrivals!r}"
            )
        seconds("duration", self.duration)
        if self.deadline is not None:
            seconds("deadline", self.deadline)
