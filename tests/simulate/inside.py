"""Run async functions inside a kernel, all of them from time 0 on."""

from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass
from typing import Any

from uat_resilience.clock import default_clock
from uat_resilience.simulate.kernel import Cut, Kernel, Task
from uat_resilience.simulate.world import inhabited
from uat_resilience.waiting import world

AsyncFn = Callable[[], Awaitable[Any]]


@dataclass(frozen=True)
class End:
    """How a function ended, and when."""

    at: float
    result: Any = None
    error: BaseException | None = None


class Probe(Task):
    """A task that remembers its end."""

    def __init__(self, kernel: Kernel, fn: AsyncFn) -> None:
        super().__init__(self.body(fn), Context())
        self.kernel = kernel
        self.result: Any = None
        self.end: End | None = None

    async def body(self, fn: AsyncFn) -> None:
        self.result = await fn()

    def ended(self, error: BaseException | None) -> None:
        self.end = End(round(self.kernel.at, 9), self.result, error)


def inside(*fns: AsyncFn) -> list[End | None]:
    """Return how each function ended; None for one that still waits when nothing is left to happen."""
    kernel = Kernel()
    probes = [Probe(kernel, fn) for fn in fns]
    left = iter(probes)
    with inhabited(kernel):
        kernel.run([0.0] * len(probes), lambda: kernel.resume(next(left)))
    return [probe.end for probe in probes]


def one(fn: AsyncFn) -> End:
    """Return how one function ended."""
    (end,) = inside(fn)
    assert end is not None
    return end


async def sleep(seconds: float) -> None:
    """Suspend for some seconds of the kernel."""
    await world().pause(default_clock.clock, seconds, None)


def now() -> float:
    return round(default_clock.clock.now(), 9)


async def forever() -> None:
    await sleep(1e9)


def cut_of(end: End) -> bool:
    return isinstance(end.error, Cut)
