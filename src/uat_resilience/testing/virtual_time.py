"""An event loop on which an hour takes milliseconds: when every task waits, time jumps to the next timer.

    virtual_time.run(main)

Everything that asks the loop what time it is sees the jump: `asyncio.sleep`, `trio.sleep`, and the policies of
this library. What waits for the outside world (a socket, a thread) does not hold time back.
"""

import asyncio
import random  # noqa: TID251 - the clock made here deals out chance, the same each time
import selectors
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from threading import Event
from typing import Literal, TypeVar, TypeVarTuple, Unpack

from uat_resilience.clock import SystemClock, default_clock

__all__ = ["VirtualClock", "VirtualLoop", "installed", "run"]

# A loop that has not rested for so many turns is not working on something: it waits for time to pass.
_RESTLESS = 10_000
_TURN = 1e-5  # Seconds that a turn takes from then on, as on a real clock.

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def run(
    async_fn: Callable[[Unpack[Ts]], Awaitable[T]],
    *args: *Ts,
    backend: Literal["asyncio", "trio"] = "asyncio",
) -> T:
    """Run an async function to its end on virtual time, and return what it returns.

    Args:
        async_fn: What to run.
        args: Its arguments.
        backend: The event loop to run it on.

    Raises:
        TypeError: It is not an async function.
        ValueError: There is no such backend.
    """
    if not callable(async_fn):
        raise TypeError(
            f"async_fn must be an async function, not {async_fn!r}: pass the function itself, uncalled"
        )

    async def main() -> T:
        with installed():
            return await async_fn(*args)

    if backend == "asyncio":
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(main())
    if backend == "trio":
        import trio.testing  # noqa: PLC0415 - only where it is asked for

        return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    raise ValueError(f"backend must be 'asyncio' or 'trio', not {backend!r}")


def installed() -> AbstractContextManager[None]:
    """Make policies that were given no clock go by the running loop's time, inside the block."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        return default_clock.replaced(_trio_clock())
    loop = asyncio.get_running_loop()

    def call_at(until: float, fire: Callable[[], object]) -> None:
        loop.call_soon_threadsafe(loop.call_at, until, fire)

    return default_clock.replaced(VirtualClock(loop.time, call_at))


class VirtualClock(SystemClock):
    """The clock of one event loop, for its tasks and for the threads they start. Its chance is seeded.

    Args:
        now: Tells the loop's time.
        call_at: Calls something at a time of the loop; may be called from any thread.
    """

    def __init__(
        self, now: Callable[[], float], call_at: Callable[[float, Callable[[], object]], None]
    ) -> None:
        self.now = now
        self.random = random.Random(0).random  # noqa: S311 - for tests
        self._call_at = call_at

    def wait(self, event: Event, until: float | None) -> bool:
        """Block this thread until `event` is set (True), or until `until` on the loop's clock (False)."""
        if until is None:
            return event.wait()
        rung = Event()

        def ring() -> None:
            if not event.is_set():
                rung.set()
                event.set()

        self._call_at(until, ring)
        event.wait()
        return not rung.is_set()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop whose time moves only when there is nothing else to do.

    Or when that never comes: a cancelled scope of anyio tells tasks that wait on, such as an `asyncio.TaskGroup`
    whose tasks clean up, so at every turn. After ten thousand turns without a rest each takes 10 µs.
    """

    def __init__(self) -> None:
        self._shows = 0.0
        super().__init__(_JumpingSelector(self._jump))

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._shows

    def _jump(self, seconds: float) -> None:
        self._shows += seconds


class _JumpingSelector(selectors.DefaultSelector):
    """Looks at files without waiting for them, and lets time jump when there is nothing to see."""

    def __init__(self, jump: Callable[[float], None]) -> None:
        super().__init__()
        self._jump = jump
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._turns = self._turns + 1 if timeout == 0 else 0
        if timeout is None:  # No timer is set: only the outside world can wake anybody.
            return super().select(None)
        ready = super().select(0)
        if self._turns > _RESTLESS:
            timeout = _TURN
        if not ready:
            self._jump(timeout)
        return ready


def _trio_clock() -> VirtualClock:
    import trio  # noqa: PLC0415 - only where it runs already

    token = trio.lowlevel.current_trio_token()
    clock = trio.lowlevel.current_clock()

    async def fire_at(until: float, fire: Callable[[], object]) -> None:
        await trio.sleep_until(until)
        fire()

    def call_at(until: float, fire: Callable[[], object]) -> None:
        token.run_sync_soon(trio.lowlevel.spawn_system_task, fire_at, until, fire)

    return VirtualClock(clock.current_time, call_at)
