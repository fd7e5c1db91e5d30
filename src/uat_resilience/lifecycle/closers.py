"""What runs at the very end of a shutdown: closers, the last registered first, each under a timeout."""

import sys
from collections.abc import Awaitable, Callable
from threading import Lock
from typing import cast

import anyio

from uat_resilience._core.drain import reserve_of
from uat_resilience.ambient import current_deadline
from uat_resilience.clock import Clock, default_clock
from uat_resilience.policies.bulkhead import Bulkhead
from uat_resilience.policies.callables import is_async
from uat_resilience.policies.timeout import Timeout
from uat_resilience.telemetry.bus import EventBus
from uat_resilience.telemetry.events import CallbackFailed

__all__ = ["Closers"]

_Closer = Callable[[], object]


class Closers:
    """Run each closer once, whoever asks first. What one raises is told, and the next one runs.

    Attributes:
        taken: True while somebody runs them.
    """

    def __init__(self, clock: Clock | None, bus: EventBus) -> None:
        self._clock = clock
        self._bus = bus
        self._lock = Lock()
        self._waiting: list[tuple[_Closer, float]] = []
        self.taken = False

    def reserve(self, rest: float) -> float:
        """Return how much of this many seconds is kept for what is left when work hangs."""
        with self._lock:
            return min(sum(timeout for _, timeout in self._waiting), reserve_of(rest))

    def take(self) -> bool:
        """Return True for the one who is to run them; the others wait until that one gives them back."""
        with self._lock:
            taken, self.taken = self.taken, True
        return not taken

    def give_back(self) -> None:
        """Let another run what is left: all have run, or who ran them was cancelled."""
        self.taken = False

    def add(self, fn: _Closer, timeout: float) -> None:
        """Register a closer with its seconds."""
        with self._lock:
            self._waiting.append((fn, timeout))

    def run(self, until: float) -> None:
        """Run what is left, from a thread, none past `until`."""
        while (closer := self._next()) is not None:
            fn, limit = closer[0], self._limit(closer[1], until)
            if limit is None:
                return
            detached = current_deadline.set(None)
            try:
                limit.call(_blocking, fn)
            except Exception as error:  # noqa: BLE001 - told, and the next one runs
                self._tell(error)
            except BaseException as error:
                if not _is_cancelled(error):
                    raise
                self._tell(_of_its_own(error))
            finally:
                current_deadline.reset(detached)

    async def arun(self, until: float) -> None:
        """Run what is left, from a task, none past `until`."""
        while (closer := self._next()) is not None:
            fn, limit = closer[0], self._limit(closer[1], until)
            if limit is None:
                return
            detached, asked = current_deadline.set(None), _asked_to_end()
            try:
                if is_async(fn):
                    await limit.acall(_awaited, fn)
                else:
                    await anyio.to_thread.run_sync(limit.call, fn, abandon_on_cancel=True)
            except Exception as error:  # noqa: BLE001 - told, and the next one runs
                self._tell(error)
            except BaseException as error:
                if not _is_cancelled(error) or _asked_to_end() > asked:
                    raise
                self._tell(_of_its_own(error))
            finally:
                current_deadline.reset(detached)

    def _next(self) -> tuple[_Closer, float] | None:
        with self._lock:
            return self._waiting.pop() if self._waiting else None

    def _limit(self, timeout: float, until: float) -> Timeout | None:
        left = min(timeout, until - self._now())
        if left <= 0:
            self._tell(TimeoutError("no time was left of the grace for a closer"))
            return None
        worker = Bulkhead(1, clock=self._clock, bus=self._bus)
        return Timeout(
            left, name="shutdown/closer", thread=worker, clock=self._clock, bus=self._bus
        )

    def _tell(self, error: Exception) -> None:
        if self._bus.wants(CallbackFailed):
            self._bus.emit(CallbackFailed("shutdown", self._now(), "on_close", error))

    def _now(self) -> float:
        return (self._clock or default_clock.clock).now()


def _is_cancelled(error: BaseException) -> bool:
    asyncio = sys.modules.get("asyncio")  # It need not be there, and is not imported for this.
    return asyncio is not None and isinstance(error, asyncio.CancelledError)


def _asked_to_end() -> int:
    """Return how often this asyncio task was asked to end; 0 anywhere else."""
    asyncio = sys.modules.get("asyncio")
    try:
        task = None if asyncio is None else asyncio.current_task()
    except RuntimeError:
        return 0  # Nothing of asyncio runs here.
    return 0 if task is None else task.cancelling()


def _of_its_own(cancelled: BaseException) -> RuntimeError:
    """Return what is told of a closer that came upon something cancelled, while nobody cancelled the closer."""
    error = RuntimeError("a closer waited for something that was cancelled")
    error.__cause__ = cancelled
    return error


async def _awaited(fn: _Closer) -> object:
    result = fn()
    return await cast("Awaitable[object]", result) if isinstance(result, Awaitable) else result


def _blocking(fn: _Closer) -> object:
    return anyio.run(_awaited, fn) if is_async(fn) else fn()
