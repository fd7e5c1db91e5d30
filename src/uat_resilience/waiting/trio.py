"""Waiting by suspending a trio task. Loaded only where trio already is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio
from trio.lowlevel import Task, TrioToken, current_task, current_trio_token

from uat_resilience.ambient import DrainSignal
from uat_resilience.clock import Clock, SystemClock
from uat_resilience.switches import switches
from uat_resilience.waiting import announce

__all__ = ["TrioWaiter", "cut_at", "pause", "running_task", "waiter"]


def running_task() -> Task | None:
    """Return the trio task that runs this code, or None."""
    try:
        return current_task()
    except RuntimeError:
        return None


class TrioWaiter:
    """A task in a queue."""

    __slots__ = ("_granted", "_token")

    def __init__(self) -> None:
        self._token = current_trio_token()
        self._granted = trio.Event()

    def grant(self) -> bool:
        """Wake the task, from any thread; False when its run is finished."""
        return _run_in(self._token, self._granted.set)

    async def wait(self, clock: Clock, until: float | None) -> bool:
        """Suspend until granted (True), or until `until` (False)."""
        with cut_at(clock, until):
            await self._granted.wait()
        return self._granted.is_set()


waiter = TrioWaiter


async def pause(clock: Clock, seconds: float, drain: DrainSignal | None) -> bool:
    """Suspend for `seconds` (at least for one checkpoint); False when the drain signal cut it short."""
    if drain is not None and drain.is_set:
        return False
    if seconds <= 0 or not switches.pausing:
        await trio.lowlevel.checkpoint()
        return True
    until = clock.now() + seconds
    announce(clock, seconds)
    token, draining = current_trio_token(), trio.Event()
    unsubscribe = None
    if drain is not None:
        unsubscribe = drain.subscribe(lambda: _run_in(token, draining.set))
    try:
        with cut_at(clock, until):
            await draining.wait()
    finally:
        if unsubscribe is not None:
            unsubscribe()
    return not draining.is_set()


@contextmanager
def cut_at(clock: Clock, until: float | None) -> Iterator[trio.CancelScope]:
    """Open a cancel scope that ends its body at `until` on any clock."""
    if until is None:
        with trio.CancelScope() as scope:
            yield scope
        return
    if isinstance(clock, SystemClock):
        # Real (or the loop's own virtual) time: trio keeps it best.
        with trio.CancelScope(deadline=trio.current_time() + until - clock.now()) as scope:
            yield scope
        return
    with trio.CancelScope() as scope:
        token = current_trio_token()
        disarm = clock.arm(until, lambda: _run_in(token, scope.cancel))
        try:
            yield scope
        finally:
            disarm()


def _run_in(token: TrioToken, action: Callable[[], object]) -> bool:
    """Run an action inside a trio run: now when we are in it, soon otherwise; False when it is finished."""
    try:
        if current_trio_token() is token:
            action()
            return True
    except RuntimeError:
        pass  # We are in no trio run, so in another thread than that one.
    try:
        token.run_sync_soon(action)
    except trio.RunFinishedError:
        return False
    return True
