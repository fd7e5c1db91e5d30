import asyncio
import sys

import pytest
import trio

from uat_resilience import waiting
from uat_resilience.waiting import refuse_to_block, running_task, world


def test_without_any_event_loop_library_a_thread_may_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncio", None)
    monkeypatch.setitem(sys.modules, "trio", None)

    refuse_to_block("bulkhead", "use acall()")


def test_the_world_that_runs_is_found_wherever_it_is_first_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def found() -> str:
        return getattr(world(), "__name__", "")

    monkeypatch.setattr(waiting, "_entered", [])

    assert trio.run(found) == "uat_resilience.waiting.trio"
    assert asyncio.run(found()) == "uat_resilience.waiting.asyncio"


def test_a_program_without_trio_is_told_that_no_task_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_entered", [])
    monkeypatch.delitem(sys.modules, "trio")

    with pytest.raises(RuntimeError, match="no asyncio or trio task"):
        world()


def test_the_running_task_is_found_in_every_world_that_was_entered() -> None:
    found: list[object] = []

    async def look() -> None:
        world()
        found.append(running_task())

    asyncio.run(look())
    trio.run(look)
    asyncio.run(look())

    assert [type(task) for task in found] == [asyncio.Task, trio.lowlevel.Task, asyncio.Task]
    assert running_task() is None
