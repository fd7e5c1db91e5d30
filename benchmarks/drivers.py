"""Make calls in one of the worlds: once, a timed burst, or one that stays inside its slot."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from itertools import repeat
from time import perf_counter_ns
from types import TracebackType
from typing import ClassVar, Protocol, Self, TypeVar

from benchmarks.contenders import Call, World

__all__ = ["AsyncDriver", "Driver", "Stuck", "SyncDriver"]

T = TypeVar("T")
PATIENCE = 2.0


class Stuck(Exception):  # noqa: N818 - an observation, not an accident
    """A call had not ended, or its body had not begun, when patience was over."""


class Driver(Protocol):
    """One of the worlds, as the measurement needs it."""

    world: ClassVar[World]

    def build(self, make: Callable[[], T]) -> T:
        """Guard a function where it will be called: some contenders want a running loop."""
        ...

    def once(self, call: Call) -> object:
        """Make one call and return or raise what it does; `Stuck` when it does not end."""
        ...

    def time(self, call: Call, calls: int, *, raising: bool) -> float:
        """Return the nanoseconds per call of a burst; with `raising`, each one is caught."""
        ...

    def occupy(self, guard: Callable[[Call], Call]) -> Call:
        """Guard a body that stays until the driver is closed, enter it once, return the guarded.

        Raises:
            Stuck: The body was not entered.
        """
        ...


class SyncDriver:
    """Calls from the main thread."""

    world: ClassVar[World] = World.SYNC

    def __init__(self) -> None:
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()

    def build(self, make: Callable[[], T]) -> T:
        """Make it."""
        return make()

    def once(self, call: Call) -> object:
        """Call it in a thread of its own, which is left behind when the call hangs."""
        end: Future[object] = Future()
        threading.Thread(target=_settle, args=(end, call), daemon=True).start()
        try:
            return end.result(PATIENCE)
        except TimeoutError as error:
            if end.done():
                raise
            raise Stuck from error

    def time(self, call: Call, calls: int, *, raising: bool) -> float:
        """Time a burst."""
        return (_raising_burst if raising else _burst)(call, calls) / calls

    def occupy(self, guard: Callable[[Call], Call]) -> Call:
        """Leave a thread inside."""
        inside = threading.Event()

        def stay(order: int) -> int:
            inside.set()
            self._closing.wait()
            return order

        guarded = guard(stay)
        threading.Thread(target=guarded, args=(1,), daemon=True).start()
        if not inside.wait(PATIENCE):
            raise Stuck
        return guarded


class AsyncDriver:
    """Calls from one task at a time, on one asyncio event loop for the whole run."""

    world: ClassVar[World] = World.ASYNC

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._staying: list[asyncio.Task[object]] = []

    def __enter__(self) -> Self:
        self._runner.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Closing the runner cancels the tasks that stay inside.
        self._runner.__exit__(kind, error, traceback)

    def build(self, make: Callable[[], T]) -> T:
        """Make it on the loop."""

        async def build() -> T:
            return make()

        return self._runner.run(build())

    def once(self, call: Call) -> object:
        """Await it, in a scope that is cut when the call hangs."""
        return self._runner.run(_patiently(call))

    def time(self, call: Call, calls: int, *, raising: bool) -> float:
        """Time a burst."""
        burst = _araising_burst if raising else _aburst
        return self._runner.run(burst(call, calls)) / calls

    def occupy(self, guard: Callable[[Call], Call]) -> Call:
        """Leave a task inside."""
        return self._runner.run(self._occupied(guard))

    async def _occupied(self, guard: Callable[[Call], Call]) -> Call:
        inside = asyncio.Event()

        async def stay(order: int) -> int:
            inside.set()
            await asyncio.Event().wait()
            return order

        guarded = guard(stay)
        self._staying.append(asyncio.ensure_future(guarded(1)))
        try:
            async with asyncio.timeout(PATIENCE):
                await inside.wait()
        except TimeoutError as error:
            raise Stuck from error
        return guarded


def _settle(end: "Future[object]", call: Call) -> None:
    try:
        end.set_result(call(1))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the one who waits is told
        end.set_exception(error)


async def _patiently(call: Call) -> object:
    scope = asyncio.timeout(PATIENCE)
    try:
        async with scope:
            return await call(1)
    except TimeoutError as error:
        if not scope.expired():
            raise
        raise Stuck from error


def _burst(call: Call, calls: int) -> int:
    started = perf_counter_ns()
    for _ in repeat(None, calls):
        call(1)
    return perf_counter_ns() - started


def _raising_burst(call: Call, calls: int) -> int:
    started = perf_counter_ns()
    for _ in repeat(None, calls):
        try:  # noqa: SIM105 - entering a context manager would be timed as well
            call(1)
        except Exception:  # noqa: BLE001, S110 - of what type it is was seen before
            pass
    return perf_counter_ns() - started


async def _aburst(call: Call, calls: int) -> int:
    started = perf_counter_ns()
    for _ in repeat(None, calls):
        await call(1)
    return perf_counter_ns() - started


async def _araising_burst(call: Call, calls: int) -> int:
    started = perf_counter_ns()
    for _ in repeat(None, calls):
        try:  # noqa: SIM105 - entering a context manager would be timed as well
            await call(1)
        except Exception:  # noqa: BLE001, S110 - of what type it is was seen before
            pass
    return perf_counter_ns() - started
