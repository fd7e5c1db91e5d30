import asyncio
import sys

import pytest
import trio

from uat_resilience import waiting
from uat_resilience.waiting import refuse_to_block, world


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
