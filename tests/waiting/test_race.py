import asyncio
from contextlib import suppress

import anyio
from tests.pausing import pause

from uat_resilience.waiting import world
from uat_resilience.waiting.asyncio_race import Race


async def test_a_copy_that_shrugs_off_being_stopped_leaves_no_cancellation_behind() -> None:
    race = world().race()

    async def stubborn() -> None:
        race.spawn(stop)
        try:
            await pause(60.0)
        except anyio.get_cancelled_exc_class():
            done.append(1)

    async def stop() -> None:
        race.stop()

    done: list[int] = []
    async with race:
        await race.inline(stubborn)
    await pause(1.0)

    assert done == [1]


def test_an_inline_copy_that_swallows_its_stop_is_uncancelled() -> None:
    async def main() -> int:
        race = Race()

        async def copy() -> None:
            asyncio.get_running_loop().call_soon(race.stop)
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

        async with race:
            await race.inline(copy)
        task = asyncio.current_task()
        return -1 if task is None else task.cancelling()

    assert asyncio.run(main()) == 0
