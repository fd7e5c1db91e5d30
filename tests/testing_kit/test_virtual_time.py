import asyncio
import threading
from typing import Any

import anyio
import pytest
from tests.pausing import pause

from uat_resilience import Constant, Jitter, Retry
from uat_resilience.clock import default_clock
from uat_resilience.testing import virtual_time

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@BACKENDS
def test_an_hour_takes_no_time(backend: Any) -> None:
    async def poll(hours: int) -> float:
        began = anyio.current_time()
        for _ in range(hours):
            await pause(3600.0)
        return anyio.current_time() - began

    assert virtual_time.run(poll, 3, backend=backend) == 3 * 3600.0


@BACKENDS
def test_policies_go_by_the_loops_time(backend: Any) -> None:
    retry = Retry(KeyError, attempts=3, backoff=Constant(600.0), jitter=Jitter.NONE)

    async def fail() -> None:
        raise KeyError

    async def main() -> float:
        with pytest.raises(KeyError):
            await retry.acall(fail)
        return anyio.current_time()

    before = default_clock.clock
    assert virtual_time.run(main, backend=backend) == 1200.0
    assert default_clock.clock is before


@BACKENDS
def test_threads_wait_on_the_loops_time_too(backend: Any) -> None:
    retry = Retry(KeyError, attempts=2, backoff=Constant(600.0), jitter=Jitter.NONE)
    waits: list[bool] = []

    def block() -> None:
        with pytest.raises(KeyError):
            retry.call({}.__getitem__, "x")
        clock = default_clock.clock
        is_set = threading.Event()
        is_set.set()
        waits.append(clock.wait(is_set, clock.now() + 5.0))
        waits.append(clock.wait(is_set, None))
        waits.append(clock.wait(threading.Event(), clock.now() + 5.0))

    async def main() -> float:
        await anyio.to_thread.run_sync(block)
        await pause(30.0)
        return anyio.current_time()

    assert virtual_time.run(main, backend=backend) >= 600.0
    assert waits == [True, True, False]


def test_time_passes_for_a_loop_that_never_rests() -> None:
    async def clean_up_late() -> None:
        try:
            await pause(9.0)
        finally:
            await pause(0.1)

    async def main() -> float:
        # The scope cancels the waiting task at every turn, for as long as it waits on.
        with anyio.move_on_after(1.0):
            async with asyncio.TaskGroup() as group:
                group.create_task(clean_up_late())
        return anyio.current_time()

    assert virtual_time.run(main) == pytest.approx(1.1, abs=0.001)


def test_a_busy_loop_has_its_turns_at_one_moment() -> None:
    async def main() -> float:
        for _ in range(9_000):
            await anyio.lowlevel.checkpoint()
        return anyio.current_time()

    assert virtual_time.run(main) == 0.0


def test_another_backend_is_refused() -> None:
    async def main() -> None: ...

    backend: Any = "curio"
    with pytest.raises(ValueError, match="backend"):
        virtual_time.run(main, backend=backend)


def test_what_was_called_already_is_refused() -> None:
    async def main() -> None: ...

    called: Any = main()
    with pytest.raises(TypeError, match="async_fn must be an async function, not <coroutine"):
        virtual_time.run(called)
    called.close()
