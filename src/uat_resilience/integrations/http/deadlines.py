"""Do one step of an exchange within a deadline: send the request, or read the next part of the answer.

In async code the step is cut. In sync code it is told, by the ambient deadline, and waits no longer than that at
each turn; an error of the library that comes out after the deadline is taken for the deadline's.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import ParamSpec, TypeVar

from uat_resilience.ambient import Deadline, current_deadline
from uat_resilience.errors import TimedOutError
from uat_resilience.integrations.http.watching import Watch
from uat_resilience.waiting import running_task, world

__all__ = ["Late", "awithin", "bounded", "capped", "within"]

P = ParamSpec("P")
T = TypeVar("T")
Late = type[Exception] | tuple[type[Exception], ...]
"""The errors of a library that mean that it waited for too long."""


def within(
    deadline: Deadline | None, late: Late, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Do a sync step that goes by the ambient deadline.

    Args:
        deadline: When it must have ended, or None.
        late: Errors of the library that mean that it waited for too long.
        step: What to do.
        *args: Its arguments.
        **kwargs: Those by keyword.

    Raises:
        TimedOutError: The deadline has passed.
    """
    if deadline is None:
        return step(*args, **kwargs)
    before, token = current_deadline.get(), None
    if before is not deadline:
        left = deadline.until - deadline.clock.now()
        if left <= 0:
            raise TimedOutError(deadline.policy, after=deadline.after)
        if before is None or left < before.remaining():
            token = current_deadline.set(deadline)
    try:
        return step(*args, **kwargs)
    except late as error:
        if deadline.remaining() > _ROUNDING:
            raise
        raise TimedOutError(deadline.policy, after=deadline.after) from error
    finally:
        if token is not None:
            current_deadline.reset(token)


async def awithin(deadline: Deadline | None, step: Callable[[], Awaitable[T]]) -> T:
    """Do an async step, and cut it at a deadline unless the running task is cut at that already.

    Of a deadline that is over nothing is left but what the step does before it first waits.

    Raises:
        TimedOutError: The deadline has passed.
    """
    if deadline is None:
        return await step()
    task = deadline.task
    if task is not None and deadline is current_deadline.get() and task is running_task():
        return await step()
    return await Watch(deadline, world()).over(step)


def capped(seconds: float | None, deadline: Deadline | None) -> float | None:
    """Return a timeout of the library's, not longer than what is left of a deadline."""
    if deadline is None:
        return seconds
    left = max(_ROUNDING, deadline.until - deadline.clock.now())
    return left if seconds is None or seconds > left else seconds


def bounded(timeouts: Mapping[str, float | None], deadline: Deadline) -> dict[str, float | None]:
    """Return the timeouts of httpx, none of them longer than what is left of a deadline."""
    left = max(_ROUNDING, deadline.remaining())
    told: dict[str, float | None] = dict.fromkeys(_PHASES, left)
    told |= {
        phase: seconds
        for phase, seconds in timeouts.items()
        if seconds is not None and seconds < left
    }
    return told


_PHASES: tuple[str, ...] = ("connect", "read", "write", "pool")
_ROUNDING = 0.001  # Timers of the operating system may fire this much before their time.
