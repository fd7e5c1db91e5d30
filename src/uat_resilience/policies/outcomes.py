"""Tell how the calls through one policy end. Only made use of while somebody listens."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from uat_resilience.clock import Clock, default_clock
from uat_resilience.errors import CallRefusedError
from uat_resilience.policies.matching import says_nothing
from uat_resilience.policies.permit import Verdict
from uat_resilience.switches import switches
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.telemetry.events import (
    CallAbandoned,
    CallFailed,
    CallRefused,
    CallSucceeded,
)

__all__ = ["Outcomes"]

P = ParamSpec("P")
T = TypeVar("T")
Refused = TypeVar("Refused", bound=CallRefusedError)


class Outcomes:
    """Emits the outcome events of one policy under one name.

    A policy asks `bus.outcomes_wanted` at the start of a call and passes on the start time it then took;
    without one (None) nothing is built.
    """

    __slots__ = ("_bus", "_clock", "policy")

    def __init__(self, policy: str, bus: EventBus, clock: Clock | None) -> None:
        self.policy = policy
        self._bus = bus
        self._clock = clock

    def clock(self) -> Clock:
        """Return the policy's clock."""
        return self._clock or default_clock.clock

    def now(self) -> float:
        """Return the time on the policy's clock."""
        return (self._clock or default_clock.clock).now()

    def begin(self) -> float | None:
        """Return the start of a call, or None while nobody listens to its end."""
        if not self._bus.outcomes_wanted:
            return None
        return (self._clock or default_clock.clock).now()

    def succeeded(self, started: float) -> None:
        """Tell that the call ended well."""
        now = (self._clock or default_clock.clock).now()
        if switches.guarding and self._bus.ended(CallSucceeded, self.policy, now - started):
            self._bus.emit(CallSucceeded(self.policy, now, now - started))

    def failed(self, started: float, error: Exception | None) -> None:
        """Tell that the call failed; without an error it was the result."""
        now = self.now()
        if switches.guarding and self._bus.ended(CallFailed, self.policy, now - started):
            self._bus.emit(CallFailed(self.policy, now, now - started, error))

    def abandoned(self, started: float) -> None:
        """Tell that the call says nothing."""
        now = self.now()
        if switches.guarding and self._bus.ended(CallAbandoned, self.policy, now - started):
            self._bus.emit(CallAbandoned(self.policy, now, now - started))

    def verdict(self, error: BaseException | None) -> Verdict:
        """Return what an end says, for policies that do not judge errors themselves."""
        if error is None:
            return Verdict.SUCCESS
        return Verdict.ABANDONED if says_nothing(error) else Verdict.FAILURE

    def raised(self, started: float, error: BaseException) -> None:
        """Tell of a call that raised, for policies that do not judge errors themselves."""
        if isinstance(error, Exception) and not says_nothing(error):
            self.failed(started, error)
        else:
            self.abandoned(started)

    def settled(self, started: float, verdict: Verdict | None, error: BaseException | None) -> None:
        """Tell how a block ended: by what it said, or else by what it raised."""
        if verdict is Verdict.ABANDONED:
            self.abandoned(started)
        elif verdict is Verdict.FAILURE:
            self.failed(started, error if isinstance(error, Exception) else None)
        elif verdict is Verdict.SUCCESS or error is None:
            self.succeeded(started)
        else:
            self.raised(started, error)

    def around(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Return a sync function that also tells how its calls end."""

        def told(*args: P.args, **kwargs: P.kwargs) -> T:
            started = self.begin() if switches.guarding else None
            if started is None:
                return fn(*args, **kwargs)
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                self.raised(started, error)
                raise
            self.succeeded(started)
            return result

        return told

    def aaround(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return an async function that also tells how its calls end."""

        async def told(*args: P.args, **kwargs: P.kwargs) -> T:
            started = self.begin() if switches.guarding else None
            if started is None:
                return await fn(*args, **kwargs)
            try:
                result = await fn(*args, **kwargs)
            except BaseException as error:
                self.raised(started, error)
                raise
            self.succeeded(started)
            return result

        return told

    def refused(self, error: Refused) -> Refused:
        """Tell that the call was not made; return the error, to be raised without a name in the frame it keeps."""
        if self._bus.refusals_wanted:
            self._bus.emit(CallRefused(self.policy, self.now(), error))
        return error
