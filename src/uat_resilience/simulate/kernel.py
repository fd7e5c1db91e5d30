"""A small event kernel that drives the coroutines of the policies on virtual time.

An event loop does more for a task than a simulation needs: here there are no files, no threads and no signals.
What is left is a heap of timers and a queue of tasks that can go on. The policies do not know the difference:
they ask `waiting.world()` who runs them, and a kernel is an answer like asyncio and trio are (see `world`).

    time moves      only when nobody can go on: to the next timer or the next arrival, whichever is first
    a task blocks   on one object at a time, and a wake-up that names another object comes too late and is ignored
    a cut           is thrown into a task where it is blocked, and knows who asked for it, so nobody else takes it

Single-threaded. One kernel is for one run. While it is everybody's clock, other threads go on by the one there was
before: a heartbeat in the background neither stands still nor draws one of the simulation's lots.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextvars import Context
from heapq import heappop, heappush
from itertools import count
from math import inf
from random import Random  # noqa: TID251 - a clock deals out chance, and this one the same each time
from threading import Event, get_ident
from typing import cast

from uat_resilience.clock import default_clock

__all__ = ["TURN", "Cut", "Kernel", "Task", "running"]


class Cut(BaseException):
    """Thrown into a task to end what it does; `owner` asked for it."""

    def __init__(self, owner: object) -> None:
        super().__init__()
        self.owner = owner


class Task(ABC):
    """A coroutine on its way through a kernel, with context variables of its own.

    Attributes:
        blocked_on: What it waits for; None while it runs and when it has ended.
        cut: What is to be thrown into it when it goes on.
    """

    __slots__ = ("blocked_on", "context", "coroutine", "cut")

    def __init__(self, coroutine: Coroutine[object, None, object], context: Context) -> None:
        self.coroutine = coroutine
        self.context = context
        self.blocked_on: object = None
        self.cut: Cut | None = None

    @abstractmethod
    def ended(self, error: BaseException | None) -> None:
        """Take note that the coroutine has returned, or of what it raised."""


class _Turn:
    """Awaited by a task that has said what it is blocked on."""

    __slots__ = ()
    _yield_once = (None,)

    def __await__(self) -> Iterator[None]:
        return iter(self._yield_once)


# The interpreter takes any iterator here, and one made of C is quickest; the type system asks for a generator.
TURN = cast("Awaitable[None]", _Turn())


class Kernel:
    """Timers and tasks, and the clock that the policies go by while they run here.

    Args:
        seed: Where the random numbers of the policies begin.

    Attributes:
        at: Seconds since the beginning.
        current: The task that runs, or None between two steps.
    """

    def __init__(self, seed: object = 0) -> None:
        self.at = 0.0
        self.current: Task | None = None
        self._draw = Random(f"{seed}/policies").random  # noqa: S311 - lots, not secrets
        self._thread = get_ident()
        self._outside = default_clock.clock
        self._timers: list[tuple[float, int, Callable[..., object], object]] = []
        self._ready: deque[tuple[Task, object]] = deque()
        self._order = count()

    @property
    def idle(self) -> bool:
        """True when no timer is set: only another arrival can make something happen."""
        return not self._timers

    def now(self) -> float:
        """Return seconds since the beginning."""
        return self.at if get_ident() == self._thread else self._outside.now()

    def random(self) -> float:
        """Return a uniform number from [0, 1): the same ones in each run."""
        return self._draw() if get_ident() == self._thread else self._outside.random()

    def wait(self, event: Event, until: float | None) -> bool:
        """Refuse: one thread runs all calls.

        Raises:
            RuntimeError: Always.
        """
        if get_ident() != self._thread:
            return self._outside.wait(event, until)
        raise RuntimeError("a simulated call cannot block its thread: guard async functions")

    def arm(self, until: float, fire: Callable[[], object]) -> Callable[[], object]:
        """Call `fire` at `until`; return what calls that off."""
        if get_ident() != self._thread:
            return self._outside.arm(until, fire)
        armed = [fire]
        self.at_time(until, _fire, armed)
        return armed.clear

    def at_time(self, until: float, fire: Callable[..., object], argument: object) -> None:
        """Call `fire(argument)` at `until`; nothing calls that off, and so it costs less."""
        heappush(self._timers, (until, next(self._order), fire, argument))

    def at_edge(self, until: float, fire: Callable[..., object], argument: object) -> None:
        """Call `fire(argument)` at `until`, before everything else of that moment."""
        heappush(self._timers, (until, next(self._order) - _EDGE, fire, argument))

    def run(self, arrivals: Iterable[float], arrive: Callable[[], object]) -> None:
        """Call `arrive` at each of the times given, in order, and go on until nothing is left to happen."""
        timers, ready, times = self._timers, self._ready, iter(arrivals)
        arrival = next(times, inf)
        while timers or arrival < inf:
            if timers and timers[0][0] <= arrival:
                self.at, _, fire, argument = heappop(timers)
                fire(argument)
            else:
                self.at = arrival
                arrive()
                arrival = next(times, inf)
            while ready:
                task, token = ready.popleft()
                if task.blocked_on is token or task.cut is token:
                    self.resume(task)

    def sleep(self, task: Task, seconds: float) -> None:
        """Block the running task for some seconds, unless it is cut."""
        task.blocked_on = token = object()
        self.wake_at(self.at + seconds, task, token)

    def soon(self, task: Task) -> None:
        """Run a new task, or one that has nothing to wait for, in its turn."""
        task.blocked_on = token = object()
        self._ready.append((task, token))

    def wake(self, task: Task, token: object) -> None:
        """Let a task that is blocked on `token` go on, in its turn."""
        self._ready.append((task, token))

    def wake_at(self, until: float, task: Task, token: object) -> None:
        """Let a task go on at `until` if it is blocked on `token` then."""
        self.at_time(until, self._due, (task, token))

    def cut(self, task: Task, owner: object) -> None:
        """Throw a `Cut` into a blocked task: now between two steps, and in its turn when a task asks for it."""
        task.cut = Cut(owner)
        if self.current is None:
            self.resume(task)
        else:
            self._ready.append((task, task.cut))

    def _due(self, blocked: tuple[Task, object]) -> None:
        task, token = blocked
        if task.blocked_on is token:
            self.resume(task)

    def resume(self, task: Task) -> None:
        """Let a task begin or go on, until it blocks or ends. Never called by a task."""
        task.blocked_on = None
        self.current = task
        try:
            if task.cut is None:
                task.context.run(task.coroutine.send, None)
            else:
                cut, task.cut = task.cut, None
                task.context.run(task.coroutine.throw, cut)
        except StopIteration:
            self.current = None
            task.ended(None)
        except (Exception, Cut) as error:  # noqa: BLE001 - how a call ends is what a simulation is about
            self.current = None
            task.ended(error)
        else:
            self.current = None


_EDGE = 2**62  # More than there ever are timers.


def running(kernel: Kernel) -> Task:
    """Return the task that runs."""
    task = kernel.current
    assert task is not None, "called by a task"  # noqa: S101 - for the type checkers
    return task


def _fire(armed: list[Callable[[], object]]) -> None:
    if armed:
        armed[0]()
