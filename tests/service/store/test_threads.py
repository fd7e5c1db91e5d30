"""A store that is closed has left no thread behind, which would answer a loop that is gone."""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import text
from tests.integrations.server.serving import PATIENCE

from uat_service.store import Store, StoreUnavailableError
from uat_service.store.threads import Threads


class Gate:
    """Holds the thread that comes through, until it is opened."""

    def __init__(self) -> None:
        self._reached, self._opened = threading.Event(), threading.Event()

    def pass_through(self) -> bool:
        self._reached.set()
        return self._opened.wait(PATIENCE)

    async def reached(self) -> None:
        assert await asyncio.to_thread(self._reached.wait, PATIENCE)

    async def outwaited_by(self, end: Awaitable[None]) -> bool:
        """Return whether something waits for who stands here, who is let through then."""
        waiting = asyncio.ensure_future(end)
        await anyio.wait_all_tasks_blocked()
        waits = not waiting.done()
        self._opened.set()
        await waiting
        return waits


def working() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if "_connection_worker_thread" in each.name}


async def cancel_until_it_ends(task: "asyncio.Task[Any]") -> None:
    """Cancel as the scopes of anyio do it: again and again."""
    for _ in range(100):
        task.cancel()
        await anyio.wait_all_tasks_blocked()
        if task.done():
            return
    raise AssertionError("it goes on")


def test_a_query_that_was_cancelled_is_waited_for(tmp_path: Path) -> None:
    gate, before = Gate(), working()

    async def query(store: Store) -> None:
        async with store.read() as connection:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            await raw.create_function("pass_through", 0, gate.pass_through)
            await connection.execute(text("SELECT pass_through()"))

    async def main() -> bool:
        store = Store(f"sqlite:///{tmp_path}/store.db")
        task = asyncio.create_task(query(store))
        await gate.reached()
        await cancel_until_it_ends(task)
        return await gate.outwaited_by(store.close())

    assert asyncio.run(main())
    assert working() <= before


def test_a_connection_whose_opening_was_cancelled_is_waited_for(tmp_path: Path) -> None:
    gate, before = Gate(), working()

    class Slow(sqlite3.Connection):
        def __init__(self, *args: Any, **options: Any) -> None:
            gate.pass_through()
            super().__init__(*args, **options)

    async def main() -> bool:
        threads = Threads()
        task = asyncio.ensure_future(threads.connect(tmp_path / "store.db", factory=Slow))
        await gate.reached()
        await cancel_until_it_ends(task)
        return await gate.outwaited_by(threads.ended())

    assert asyncio.run(main())
    assert working() <= before


def test_a_file_that_cannot_be_opened_leaves_no_thread_behind(tmp_path: Path) -> None:
    before = working()

    async def main() -> set[threading.Thread]:
        store = Store(f"sqlite:///{tmp_path}")
        with pytest.raises(StoreUnavailableError):
            await store.check()
        await store.close()
        return working()

    assert asyncio.run(main()) <= before
