"""A clock that stands still until it is told to move."""

import random  # noqa: TID251 - a clock deals out chance, and this one the same each time
from collections.abc import Callable
from contextlib import ExitStack
from heapq import heappop, heappush
from itertools import count
from threading import Event, RLock
from types import TracebackType
from typing import Self

from uat_resilience._core.arguments import flag, non_negative, number
from uat_resilience.clock import default_clock
from uat_resilience.testing.settling import settle

__all__ = ["FakeClock"]


class FakeClock:
    """A clock that stands still until it is told to move, for every wait of every policy.

    Given as `clock=`, or installed for all policies that were given none:

        with FakeClock() as clock:
            ...
            clock.advance(30.0)

    Installing nests, and puts back what was there before on the way out. Thread-safe.

    Args:
        start: Seconds it shows at first.
        auto: True to let a pause move the clock itself, and in sync code the wait for a slot as well, so
            that single-threaded code never hangs.
        seed: Where the random numbers of `random()` start.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.

    Attributes:
        sleeps: The pauses that were asked for, in seconds, in order.
    """

    def __init__(self, start: float = 0.0, *, auto: bool = False, seed: int = 0) -> None:
        self._now = number("start", start, "a finite number of seconds")
        self._auto = flag("auto", auto)
        self._lots = random.Random(seed)  # noqa: S311 - for tests
        self._lock = RLock()
        self._armed: list[tuple[float, int]] = []
        self._fires: dict[int, Callable[[], object]] = {}
        self._order = count()
        self._installed: list[ExitStack] = []
        self.sleeps: list[float] = []

    def now(self) -> float:
        """Return the seconds it shows."""
        return self._now

    def random(self) -> float:
        """Return the next number from [0, 1), the same sequence for the same seed."""
        return self._lots.random()

    def pausing(self, seconds: float) -> None:
        """Take note of a pause that is about to begin; with `auto`, let it be over at once."""
        self.sleeps.append(seconds)
        if self._auto:
            self.advance(seconds)

    def wait(self, event: Event, until: float | None) -> bool:
        """Block this thread until `event` is set (True), or until the clock shows `until` (False).

        With `auto`, a wait that has an end moves the clock there itself.
        """
        if until is None:
            return event.wait()
        if event.is_set():
            return True
        rung = Event()

        def ring() -> None:
            rung.set()
            event.set()

        disarm = self.arm(until, ring)
        if self._auto:
            self.advance(max(0.0, until - self._now))
        event.wait()
        disarm()
        return not rung.is_set()

    def arm(self, until: float, fire: Callable[[], object]) -> Callable[[], object]:
        """Call `fire` when the clock shows `until` (at once if it does); return what calls that off."""
        with self._lock:
            if until > self._now:
                key = next(self._order)
                self._fires[key] = fire
                heappush(self._armed, (until, key))
                return lambda: self._fires.pop(key, None)
        fire()
        return lambda: None

    def advance(self, seconds: float) -> None:
        """Move the clock, and fire what falls due on the way, in order.

        Sync code and threads see every due time exactly. Tasks that are woken run later, when their event loop
        gets its turn; in async code `aadvance` waits for that.

        Raises:
            TypeError, ValueError: `seconds` is not a finite number of 0 or more.
        """
        target = self._now + non_negative("seconds", seconds)
        while self._fire_next(target):
            pass

    async def aadvance(self, seconds: float) -> None:
        """Move the clock; before each due time, and at the end, let woken tasks run until they block.

        Raises:
            TypeError, ValueError: `seconds` is not a finite number of 0 or more.
        """
        target = self._now + non_negative("seconds", seconds)
        await settle()
        while self._fire_next(target):
            await settle()

    def __enter__(self) -> Self:
        stack = ExitStack()
        stack.enter_context(default_clock.replaced(self))
        self._installed.append(stack)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._installed.pop().close()

    def _fire_next(self, target: float) -> bool:
        """Move to the next due time up to `target` and fire it; False at `target`."""
        with self._lock:
            due, fire = self._pop_due(target)
            self._now = max(self._now, due)
        if fire is None:
            return False
        fire()
        return True

    def _pop_due(self, target: float) -> tuple[float, Callable[[], object] | None]:
        while self._armed and self._armed[0][0] <= target:
            due, key = heappop(self._armed)
            fire = self._fires.pop(key, None)
            if fire is not None:  # It was not called off.
                return due, fire
        return target, None
