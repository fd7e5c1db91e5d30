"""Waiting by suspending a trio task. Loaded only where trio already is."""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import trio
from trio.lowlevel import Task, TrioToken, current_task, current_trio_token

from uat_resilience.ambient import DrainSignal, EnforcedDeadline
from uat_resilience.clock import Clock, SystemClock
from uat_resilience.switches import switches
from uat_resilience.waiting import announce

__all__ = [
    "Alarm",
    "Race",
    "Scope",
    "TrioWaiter",
    "alarm",
    "pause",
    "race",
    "running_task",
    "single_alarm",
    "waiter",
]


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
        with _cut_at(clock, until):
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
        with _cut_at(clock, until):
            await draining.wait()
    finally:
        if unsubscribe is not None:
            unsubscribe()
    return not draining.is_set()


class Scope(EnforcedDeadline):
    """A deadline that cuts one task: a cancel scope, entered when it is made and left exactly once."""

    __slots__ = ("_disarm", "_scope")

    def __init__(self, clock: Clock, until: float, policy: str, after: float) -> None:
        super().__init__(clock, until, policy=policy, after=after, task=current_task())
        self.fired = False
        self._scope, self._disarm = _cutting(clock, until)
        self._scope.__enter__()

    def leave(self, error: BaseException | None) -> bool:
        """Close the cancel scope; True when `error` is its own cancellation."""
        if self._disarm is not None:
            self._disarm()
        self.fired = self._scope.cancel_called
        trace = None if error is None else error.__traceback__
        ended = bool(self._scope.__exit__(type(error) if error else None, error, trace))
        return ended and error is not None  # It says so of a body that just returned, too.


class Alarm:
    """Sets deadlines in one trio run, on one clock. Trio keeps the time itself."""

    __slots__ = ("_token", "clock")

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._token = current_trio_token()

    def enter(self, until: float, policy: str, after: float) -> Scope | None:
        """Cut the running task at `until`; None when this alarm's run is not the one that runs here."""
        try:
            here = current_trio_token() is self._token
        except RuntimeError:
            return None
        return Scope(self.clock, until, policy, after) if here else None


class Race:
    """Copies of one call, the first of them in the caller's own task."""

    __slots__ = ("_copies", "_manager", "_nursery")

    def __init__(self) -> None:
        self._manager = trio.open_nursery()
        # Each copy that runs, with the task it runs in.
        self._copies: dict[trio.CancelScope, Task] = {}

    async def __aenter__(self) -> Self:
        self._nursery = await self._manager.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> object:
        try:
            return await self._manager.__aexit__(kind, error, trace)
        except BaseExceptionGroup as group:
            # What stops the program is never replaced, and the copies leave nothing else to be told of.
            thrown = next((e for e in group.exceptions if not isinstance(e, trio.Cancelled)), None)
            if thrown is None:
                raise
        if thrown is error:
            return None
        raise thrown

    async def inline(self, copy: Callable[[], Awaitable[None]]) -> None:
        """Run a copy in the caller's task; returns early when `stop` cancels it."""
        with trio.CancelScope() as scope:
            self._copies[scope] = current_task()
            try:
                await copy()
            finally:
                del self._copies[scope]

    def spawn(self, copy: Callable[[], Coroutine[object, object, None]]) -> None:
        """Start a copy in a task of its own."""
        self._nursery.start_soon(self.inline, copy)

    def later(
        self, clock: Clock, seconds: float, fire: Callable[[], object]
    ) -> Callable[[], object]:
        """Call `fire` after `seconds`, in the event loop; return what calls that off."""
        until, off = clock.now() + seconds, trio.CancelScope()

        async def fire_then() -> None:
            with off:
                with _cut_at(clock, until):
                    await trio.Event().wait()
                fire()

        self._nursery.start_soon(fire_then)
        return off.cancel

    def stop(self) -> None:
        """Cancel every copy that still runs, but for the one that says so."""
        here = running_task()
        for scope, task in self._copies.items():
            if task is not here:
                scope.cancel()


race = Race
alarm = single_alarm = Alarm


@contextmanager
def _cut_at(clock: Clock, until: float | None) -> Generator[None]:
    """End the body at `until`, on any clock, and go on after it."""
    if until is None:
        yield
        return
    scope, disarm = _cutting(clock, until)
    try:
        with scope:
            yield
    finally:
        if disarm is not None:
            disarm()


def _cutting(clock: Clock, until: float) -> tuple[trio.CancelScope, Callable[[], object] | None]:
    """Return a cancel scope that ends at `until`, and what calls that off where trio does not do so itself."""
    if isinstance(clock, SystemClock):
        # Real time, or the run's own virtual time: trio keeps it best. The seconds left come first: to add up two
        # times and take one away may round to now, where virtual time stands still for ever.
        left = until - clock.now()
        return trio.CancelScope(deadline=trio.current_time() + left), None
    scope, token = trio.CancelScope(), current_trio_token()
    return scope, clock.arm(until, lambda: _run_in(token, scope.cancel))


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
