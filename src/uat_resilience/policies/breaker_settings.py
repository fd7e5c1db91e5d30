"""What a breaker goes by: checked when it is made, and again when it is changed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from uat_resilience._core.arguments import at_least, callback, callback_or_none, flag, seconds
from uat_resilience._core.breaker import BreakerMachine
from uat_resilience._core.ramp import Ramp
from uat_resilience._core.trip import TripRule
from uat_resilience.policies.matching import ExceptionSpec, Judgement

__all__ = ["DEFAULT_RECOVERY", "BreakerSettings"]

DEFAULT_RECOVERY = 30.0
"""Seconds an opening lasts by default, and when a callable recovery time fails."""


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
        Judgement(on=self.on, ignore=self.ignore)
        callback_or_none("on_result", self.on_result)
        if callable(self.recovery_time):
            callback("recovery_time", self.recovery_time)
        else:
            seconds("recovery_time", self.recovery_time)
        at_least("probes", self.probes, 1)
        at_least("close_after", self.close_after, 1)
        if self.probe_lease is not None:
            seconds("probe_lease", self.probe_lease)
        flag("observe", self.observe)

    def machine(self, ramp: Ramp | None) -> BreakerMachine:
        """Return a machine that goes by them.

        Args:
            ramp: How the load is given back after a recovery, or None for all at once.

        Raises:
            TypeError: `ramp` is neither.
        """
        if ramp is not None and not isinstance(ramp, Ramp):
            raise TypeError(f"ramp must be a Ramp or None, not {ramp!r}")
        return BreakerMachine(
            self.trip,
            open_for=DEFAULT_RECOVERY if callable(self.recovery_time) else self.recovery_time,
            probes=self.probes,
            close_after=self.close_after,
            lease=self.probe_lease,
            ramp=ramp,
        )

    def govern(self, machine: BreakerMachine) -> None:
        """Let a machine go by them from now on, but for the trip rule, which it replaces itself."""
        if not callable(self.recovery_time):
            machine.open_for = self.recovery_time
        machine.probes = self.probes
        machine.close_after = self.close_after
        machine.lease = self.probe_lease
