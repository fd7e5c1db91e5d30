"""The only module that knows what time it is, waits, or draws lots.

A `Clock` offers four things, and everything that waits in this library is built on them. Policies that are
given no `clock=` use one replaceable default, looked up at each use, so that a test can move the time of
policies that were made at import (see `uat_resilience.testing.FakeClock`).

Times are float seconds on a scale of the clock's own; they never cross from one clock to another. What
crosses is a number of remaining seconds.
"""

import random as _random
import time as _time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Event
from typing import Protocol, runtime_checkable

from uat_resilience._core.layers import Layers

__all__ = ["Clock", "SystemClock"]


@runtime_checkable
class Clock(Protocol):
    """Time and chance, as the policies see them. Implementations must be thread-safe."""

    def now(self) -> float:
        """Return seconds on a scale that never goes backwards and knows no wall clock."""
        ...

    def random(self) -> float:
        """Return a uniform number from [0, 1)."""
        ...

    def wait(self, event: Event, until: float | None) -> bool:
        """Block this thread until `event` is set (True), or until `until` (False)."""
        ...

    def arm(self, until: float, fire: Callable[[], object]) -> Callable[[], object]:
        """Call `fire` at `until`, from the running event loop; return what calls that off.

        May be early by the loop's resolution, and may be called off more than once.
        """
        ...


class SystemClock:
    """The machine's monotonic clock and Python's random numbers."""

    now = staticmethod(_time.monotonic)
    random = staticmethod(_random.random)

    def wait(self, event: Event, until: float | None) -> bool:
        """Block this thread until `event` is set (True), or until `until` (False)."""
        return event.wait(None if until is None else max(0.0, until - self.now()))

    def arm(self, until: float, fire: Callable[[], object]) -> Callable[[], object]:
        """Call `fire` at `until` from the running asyncio loop; return what calls that off."""
        # Whoever gets here runs on asyncio, so the module is loaded already; importing it at the top
        # would make every sync user pay for it. (On trio the drivers use trio's own deadlines.)
        from asyncio import get_running_loop  # noqa: PLC0415 - see above

        return get_running_loop().call_later(until - self.now(), fire).cancel


class DefaultClock:
    """Holds the clock of every policy that was given none."""

    __slots__ = ("_layers", "clock")

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._layers: Layers[Clock] = Layers(clock)

    @contextmanager
    def replaced(self, clock: Clock) -> Generator[None]:
        """Use another clock inside the block; then the newest of those whose block has not ended."""
        key = self._layers.put_on(clock)
        self.clock = clock
        try:
            yield
        finally:
            self.clock = self._layers.take_off(key)


default_clock = DefaultClock(SystemClock())


def wall_time() -> float:
    """Return Unix time: only for reading dates that others wrote, such as an HTTP `Retry-After`."""
    return _time.time()
