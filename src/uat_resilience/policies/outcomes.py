"""Tell how the calls through one policy end. Only made use of while somebody listens."""

from uat_resilience.clock import Clock, default_clock
from uat_resilience.errors import CallRefusedError
from uat_resilience.policies.matching import says_nothing
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.telemetry.events import (
    CallAbandoned,
    CallFailed,
    CallRefused,
    CallSucceeded,
)

__all__ = ["Outcomes"]


class Outcomes:
    """Emits the outcome events of one policy under one name.

    A policy asks `bus.outcomes_wanted` at the start of a call and passes on the start time it then took;
    without one (None) nothing is built.
    """

    __slots__ = ("_bus", "_clock", "_policy")

    def __init__(self, policy: str, bus: EventBus, clock: Clock | None) -> None:
        self._policy = policy
        self._bus = bus
        self._clock = clock

    def now(self) -> float:
        """Return the time on the policy's clock."""
        return (self._clock or default_clock.clock).now()

    def succeeded(self, started: float) -> None:
        """Tell that the call ended well."""
        now = self.now()
        self._bus.emit(CallSucceeded(self._policy, now, now - started))

    def failed(self, started: float, error: Exception | None) -> None:
        """Tell that the call failed; without an error it was the result."""
        now = self.now()
        self._bus.emit(CallFailed(self._policy, now, now - started, error))

    def abandoned(self, started: float) -> None:
        """Tell that the call says nothing."""
        now = self.now()
        self._bus.emit(CallAbandoned(self._policy, now, now - started))

    def raised(self, started: float, error: BaseException) -> None:
        """Tell of a call that raised, for policies that do not judge errors themselves."""
        if isinstance(error, Exception) and not says_nothing(error):
            self.failed(started, error)
        else:
            self.abandoned(started)

    def refused(self, error: CallRefusedError) -> None:
        """Tell that the call was not made."""
        if self._bus.wants(CallRefused):
            self._bus.emit(CallRefused(self._policy, self.now(), error))
