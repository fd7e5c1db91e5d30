"""A retry in async code, on time that runs by itself: cancelled, shared by tasks, or called the wrong way."""

from itertools import count

import anyio
import anyio.lowlevel
import pytest
from tests.policies.script import Script

from uat_resilience import Constant, Jitter, Retry


async def test_a_call_cancelled_in_its_body_is_not_retried() -> None:
    calls = count(1)

    async def hang() -> None:
        next(calls)
        await anyio.sleep_forever()

    with anyio.move_on_after(1) as scope:
        await Retry(on=Exception).acall(hang)

    assert scope.cancelled_caught
    assert next(calls) == 2


async def test_a_call_cancelled_in_its_pause_is_not_retried() -> None:
    calls = count(1)

    async def fail() -> None:
        next(calls)
        raise ConnectionError

    with anyio.move_on_after(1) as scope:
        await Retry(on=Exception, backoff=Constant(2.0), jitter=Jitter.NONE).acall(fail)

    assert scope.cancelled_caught
    assert next(calls) == 2


async def test_one_retry_serves_many_tasks_and_each_has_its_own_run() -> None:
    retry = Retry(on=ConnectionError, attempts=3)
    calls: list[int] = []

    @retry
    async def fetch(script: Script) -> None:
        await anyio.lowlevel.checkpoint()
        script()

    async def work() -> None:
        script = Script(ConnectionError, ConnectionError, "row")
        await fetch(script)
        calls.append(script.calls)

    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(work)

    assert calls == [3] * 100


async def test_a_sync_pause_in_an_event_loop_is_refused_with_the_async_spelling() -> None:
    with pytest.raises(
        RuntimeError, match=r"^retry would block the event loop .*acall\(\)"
    ) as caught:
        Retry(on=ConnectionError).call(Script(ConnectionError))

    assert isinstance(caught.value.__context__, ConnectionError)


async def test_a_sync_retry_in_an_event_loop_works_as_long_as_it_need_not_wait() -> None:
    eager = Retry(on=ConnectionError, backoff=Constant(0.0))

    assert eager.call(Script(ConnectionError, "row")) == "row"


async def test_a_result_whose_closing_is_cancelled_is_not_followed_by_another_call() -> None:
    class Response:
        async def aclose(self) -> None:
            await anyio.sleep_forever()

    calls = count(1)

    async def fetch() -> Response:
        next(calls)
        return Response()

    with anyio.move_on_after(1) as scope:
        await Retry(on=(), on_result=lambda _: True).acall(fetch)

    assert scope.cancelled_caught
    assert next(calls) == 2
