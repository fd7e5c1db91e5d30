"""What a breaker goes by: checked when it is made, and again when it is changed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from uat_resilience._core.arguments import at_least, callback_or_none, flag, seconds
from uat_resilience._core.trip import TripRule
from uat_resilience.policies.matching import ExceptionSpec, Matcher

__all__ = ["BreakerSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSettings:
    """The arguments of `CircuitBreaker` that may be changed, which says what they mean."""

    trip: TripRule
    on: ExceptionSpec
    ignore: ExceptionSpec
    on_result: Callable[[Any], bool] | None
    recovery_time: float | Callable[[int], float]
    probes: int
    close_after: int
    probe_lease: float | None
    observe: bool

    def __post_init__(self) -> None:
        if not callable(getattr(self.trip, "judge", None)):
            raise TypeError(
                "trip must be a trip rule such as ConsecutiveFailures(5) "
                f"or FailureRate(0.5), not {self.trip!r}"
            )
        Matcher("on", self.on)
        Matcher("ignore", self.ignore)
        callback_or_none("on_result", self.on_result)
        if not callable(self.recovery_time):
            seconds("recovery_time", self.recovery_time)
        at_least("probes", self.probes, 1)
        at_least("close_after", self.close_after, 1)
        if self.probe_lease is not None:
            seconds("probe_lease", self.probe_lease)
        flag("observe", self.observe)
