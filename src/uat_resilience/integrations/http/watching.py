"""A watch over one async step: it is cut at a deadline, if it has to wait at all.

Most reads of a body find what they look for and never suspend, and a timer costs more than such a read. So on
asyncio the watch begins just before the step first waits. Trio's own scopes are nested, and those of the step come
first: there it begins before the step.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Token  # noqa: TC003 - read by those who ask for type hints
from types import coroutine
from typing import Any, TypeVar

from uat_resilience.ambient import Deadline, EnforcedDeadline, current_deadline
from uat_resilience.errors import TimedOutError
from uat_resilience.policies.deadline import tell_missed
from uat_resilience.telemetry.bus import default_bus
from uat_resilience.waiting import AsyncWorld

__all__ = ["Watch"]

T = TypeVar("T")


class Watch:
    """Cut one step of the running task at a deadline.

    Args:
        deadline: When it must have ended.
        here: The world of the running task.
    """

    __slots__ = ("_deadline", "_entered", "_here")

    def __init__(self, deadline: Deadline, here: AsyncWorld) -> None:
        self._deadline = deadline
        self._here = here
        self._entered: tuple[EnforcedDeadline, Token[Deadline | None]] | None = None

    async def over(self, step: Callable[[], Awaitable[T]]) -> T:
        """Do the step.

        Raises:
            TimedOutError: The deadline has passed.
        """
        try:
            if isinstance(self._here.running_task(), asyncio.Task):
                result = await _warned(_begun(step), self._enter)
            else:
                self._enter()
                result = await step()
        except BaseException as error:
            ours = self._leave(error)
            if ours is not None:
                tell_missed(default_bus, ours)
                raise TimedOutError(ours.policy, after=ours.after) from error
            raise
        self._leave(None)
        return result

    def _enter(self) -> None:
        deadline = self._deadline
        alarm = self._here.single_alarm(deadline.clock)
        scope = alarm.enter(deadline.until, deadline.policy, deadline.after)
        self._entered = scope, current_deadline.set(scope)

    def _leave(self, error: BaseException | None) -> EnforcedDeadline | None:
        """End the watch; return the deadline that `error` is the cancellation of, or None."""
        if self._entered is None:
            return None
        scope, token = self._entered
        current_deadline.reset(token)
        return scope if scope.leave(error) else None


async def _begun(step: Callable[[], Awaitable[T]]) -> T:
    return await step()


@coroutine
def _warned(step: Coroutine[Any, Any, T], waits: Callable[[], object]) -> Generator[Any, Any, T]:
    """Do a step, and call `waits` just before it first does."""
    try:
        waited = step.send(None)
        waits()
        while True:
            try:
                sent = yield waited
            except BaseException as error:  # noqa: BLE001 - handed on
                waited = step.throw(error)
            else:
                waited = step.send(sent)
    except StopIteration as done:
        result: T = done.value
        return result
