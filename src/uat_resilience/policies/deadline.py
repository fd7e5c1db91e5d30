"""A deadline for a block: `async with deadline(2.0):` cuts it, `with deadline(2.0):` tells what is inside."""

from contextvars import Token  # noqa: TC003 - read by those who ask for type hints
from types import TracebackType
from typing import Self

from uat_resilience._core.arguments import seconds as checked
from uat_resilience.ambient import Deadline, EnforcedDeadline, current_deadline, put_back
from uat_resilience.clock import Clock, default_clock
from uat_resilience.errors import TimedOutError
from uat_resilience.switches import switches
from uat_resilience.telemetry.bus import EventBus, default_bus
from uat_resilience.telemetry.events import DeadlineMissed
from uat_resilience.waiting import world

__all__ = ["deadline", "enforce", "governing", "left", "tell_missed"]

KIND = "deadline"


class deadline:  # noqa: N801 - reads as a block, like `asyncio.timeout`
    """Give a block of work this many seconds, everything it calls included.

    In async code (`async with`) the block is cancelled at the deadline and `TimedOutError` comes out. In sync
    code (`with`) nothing is cut: policies, pauses and integrations inside see the deadline and do not wait
    past it, and `remaining()` tells what is left. Nested deadlines: the earliest wins. `deadline(None)`
    detaches a block from what it inherited, for work that outlives its caller (a scope that already
    cuts the task still does).

    One object is for one block, left in the task that entered it. Carried by tasks, `asyncio.to_thread` and
    anyio's threads, not by bare threads and executors.

    Args:
        seconds: Seconds above 0, or None to detach.
        clock: Time source. Default: the replaceable system clock.

    Raises:
        TypeError, ValueError: `seconds` is no such number.
        TimedOutError: On entering, when nothing is left of an outer deadline; on leaving, when an async block
            was cut.
    """

    __slots__ = ("_clock", "_scope", "_seconds", "_token")

    def __init__(self, seconds: float | None, *, clock: Clock | None = None) -> None:
        self._seconds = None if seconds is None else checked("seconds", seconds)
        self._clock = clock
        self._scope: EnforcedDeadline | None = None
        self._token: Token[Deadline | None] | None = None

    def __enter__(self) -> Self:
        if self._seconds is None:
            self._token = current_deadline.set(None)
        elif switches.guarding and governing(self._seconds) is None:
            clock = self._clock or default_clock.clock
            until = clock.now() + self._seconds
            self._token = current_deadline.set(
                Deadline(clock, until, policy=KIND, after=self._seconds)
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            put_back(current_deadline, self._token)
            self._token = None

    async def __aenter__(self) -> Self:
        if self._seconds is None:
            return self.__enter__()
        if switches.guarding:
            outer = governing(self._seconds)
            clock = self._clock or default_clock.clock
            scope = enforce(outer, clock, self._seconds, KIND)
            if scope is not None:
                self._scope = scope
                self._token = current_deadline.set(scope)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        scope = self._scope
        self.__exit__(kind, error, trace)
        if scope is None:
            return
        ours = scope.leave(error)
        if scope.fired:
            tell_missed(default_bus, scope)
        if ours:
            raise TimedOutError(scope.policy, after=scope.after) from error


def governing(seconds: float) -> Deadline | None:
    """Return the deadline around this call when it leaves no more than `seconds`, or None.

    Raises:
        TimedOutError: It leaves nothing at all.
    """
    outer = current_deadline.get()
    if outer is None:
        return None
    left = outer.remaining()
    if left <= 0:
        raise TimedOutError(outer.policy, after=outer.after)
    return outer if left <= seconds else None


def enforce(
    outer: Deadline | None, clock: Clock, seconds: float, policy: str
) -> EnforcedDeadline | None:
    """Cut the running task after `seconds`, or at `outer` if that governs; None when it does so by itself."""
    here = world()
    if outer is None:
        return here.single_alarm(clock).enter(clock.now() + seconds, policy, seconds)
    if outer.task is not None and outer.task is here.running_task():
        return None
    # Inherited from another task or from sync code: it says when, but nothing cuts this task yet.
    return here.single_alarm(outer.clock).enter(outer.until, outer.policy, outer.after)


def tell_missed(bus: EventBus, missed: Deadline) -> None:
    """Tell that a deadline passed before its body ended."""
    if bus.wants(DeadlineMissed):
        bus.emit(DeadlineMissed(missed.policy, missed.clock.now(), missed.after))


def left(
    bus: EventBus, scope: EnforcedDeadline | None, error: BaseException
) -> TimedOutError | None:
    """Leave a scope; return the error to raise in place of its own cancellation, or None."""
    if scope is None:
        return None
    ours = scope.leave(error)
    if scope.fired:
        tell_missed(bus, scope)
    return TimedOutError(scope.policy, after=scope.after) if ours else None
