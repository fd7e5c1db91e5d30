"""Blocks that end in another context than they began in: what is closed or collected has no context of its own.

On asyncio: Trio allows no cancel scope in an async generator, and closes generators in their own task.
"""

import asyncio
import gc
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from contextvars import copy_context
from typing import Any

import anyio
import pytest
from tests.pausing import pause

from uat_resilience import Coalesce, Priority, deadline, priority, remaining, single_try
from uat_resilience.ambient import current_priority, retries_owned
from uat_resilience.testing import virtual_time

BLOCKS = {
    "deadline": lambda: deadline(5.0),
    "detached": lambda: deadline(None),
    "priority": lambda: priority(Priority.LOW),
    "single try": single_try,
}
Block = Callable[[], AbstractAsyncContextManager[Any]]

each_block = pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": virtual_time.VirtualLoop}


def surroundings() -> tuple[float | None, Priority, bool]:
    """What calls here inherit."""
    return remaining(), current_priority(), retries_owned.get()


@each_block
async def test_stream_may_be_closed_by_another_task(block: Block) -> None:
    async def stream() -> AsyncGenerator[int]:
        async with block():
            yield 1

    items = stream()
    first: list[int] = []

    async def read() -> None:
        first.append(await anext(items))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
    await items.aclose()

    assert first == [1]
    assert surroundings() == (None, Priority.NORMAL, False)


async def test_deadline_of_a_stream_that_another_task_has_closed_cuts_nobody() -> None:
    async def stream() -> AsyncGenerator[int]:
        async with deadline(5.0):
            yield 1

    items = stream()
    steps: list[str] = []

    async def read() -> None:
        await anext(items)
        steps.append("read")
        await pause(60.0)
        steps.append("went on")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        await items.aclose()

    assert steps == ["read", "went on"]


@each_block
async def test_coroutine_that_was_abandoned_inside_ends_without_a_word(
    block: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)

    async def inside() -> None:
        async with block():
            await asyncio.Event().wait()

    abandoned = inside()
    copy_context().run(abandoned.send, None)
    del abandoned
    gc.collect()

    assert complaints == []


async def test_flight_that_was_abandoned_ends_without_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    complaints: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    abandoned = Coalesce(lambda *_: "key").acall(asyncio.Event().wait)

    copy_context().run(abandoned.send, None)
    del abandoned
    gc.collect()

    assert complaints == []
