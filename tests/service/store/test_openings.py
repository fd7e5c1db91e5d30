"""A connection to PostgreSQL whose caller was cancelled is opened to its end, dropped, and waited for."""

import asyncio
import gc
import socket
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from uat_service.store import Store

POINTS = 80  # A check is suspended about 60 times.


async def cancelled_check(store: Store, *, after: int) -> None:
    check = asyncio.create_task(store.check())
    for _ in range(after):
        await asyncio.sleep(0)  # noqa: TID251 - goes on to the next point where it can be cancelled
    check.cancel()
    await asyncio.wait((check,))


@contextmanager
def only_what_is_new_is_collected() -> Generator[None]:
    """Leave out what was there before: after thousands of tests, to look through it takes half a second a time."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def test_wherever_a_check_is_cancelled_nothing_is_left_behind(server: str) -> None:
    left: list[Any] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: left.append(context))
        for point in range(POINTS):
            store = Store(server)
            await cancelled_check(store, after=point)
            await store.close()
            left.extend(asyncio.all_tasks() - {asyncio.current_task()})
            gc.collect()

    with only_what_is_new_is_collected(), warnings.catch_warnings(record=True) as unclosed:
        warnings.simplefilter("always")
        asyncio.run(main())
        gc.collect()

    assert left == []
    assert unclosed == []


def test_a_server_that_never_answers_is_waited_for_no_longer_than_the_patience() -> None:
    async def main(port: int) -> None:
        store = Store(f"postgresql://shop@127.0.0.1:{port}/shop", patience=0.1)
        await cancelled_check(store, after=10)
        await store.close()

    with socket.create_server(("127.0.0.1", 0)) as silent:
        asyncio.run(main(silent.getsockname()[1]))
