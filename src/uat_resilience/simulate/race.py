"""Copies of one call inside a simulation: what a `Hedge` runs."""

from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context, copy_context
from types import TracebackType
from typing import Self

from uat_resilience.clock import Clock
from uat_resilience.simulate.kernel import TURN, Cut, Kernel, Task, running

__all__ = ["Race"]


class Copy(Task):
    """One of the copies of a race."""

    __slots__ = ("_tell",)

    def __init__(
        self,
        coroutine: Coroutine[object, None, object],
        context: Context,
        tell: Callable[["Copy"], object],
    ) -> None:
        super().__init__(coroutine, context)
        self._tell = tell

    def ended(self, error: BaseException | None) -> None:
        """Tell the race. Copies keep their errors to themselves, so another one is a mistake in the policy."""
        if error is not None and not isinstance(error, Cut):
            raise error
        self._tell(self)


class Race:
    """Copies of one call, the first of them in the caller's own task."""

    __slots__ = ("_context", "_copies", "_inline", "_kernel", "_owner")

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._owner = running(kernel)
        self._context = copy_context()
        self._copies: dict[Copy, None] = {}
        self._inline = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait until all copies have ended; by an exception, or a cut while waiting, cut them first."""
        cut: Cut | None = None
        if error is not None:
            self._cut_copies()
        while self._copies:
            self._owner.blocked_on = self
            try:
                await TURN
            except Cut as another:
                cut = another
                self._cut_copies()
        if cut is not None:
            raise cut

    async def inline(self, copy: Callable[[], Awaitable[None]]) -> None:
        """Run a copy in the caller's task; returns early when `stop` cuts it."""
        self._inline = True
        try:
            await copy()
        except Cut as cut:
            if cut.owner is not self:
                raise
        finally:
            self._inline = False

    def spawn(self, copy: Callable[[], Coroutine[object, None, None]]) -> None:
        """Start a copy in a task of its own."""
        task = Copy(copy(), self._context.copy(), self._ended)
        self._copies[task] = None
        self._kernel.soon(task)

    def later(
        self,
        clock: Clock,  # noqa: ARG002 - there is one clock
        seconds: float,
        fire: Callable[[], object],
    ) -> Callable[[], object]:
        """Call `fire` after `seconds`; return what calls that off."""
        return self._kernel.arm(self._kernel.at + seconds, fire)

    def stop(self) -> None:
        """Cut every copy that still runs, but for the one that says so."""
        self._cut_copies()
        if self._inline and self._owner is not self._kernel.current:
            self._kernel.cut(self._owner, self)

    def _cut_copies(self) -> None:
        for task in list(self._copies):
            if task is not self._kernel.current:
                self._kernel.cut(task, self)

    def _ended(self, task: Copy) -> None:
        del self._copies[task]
        self._kernel.wake(self._owner, self)
