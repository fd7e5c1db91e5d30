import asyncio

import pytest

from uat_resilience.testing.settling import settle


async def test_settling_gives_up_on_tasks_that_never_rest(anyio_backend_name: str) -> None:
    if anyio_backend_name == "trio":
        return

    async def restless() -> None:
        while True:  # noqa: ASYNC110 - it must not rest
            await asyncio.sleep(0)  # noqa: TID251 - a turn, over and over

    task = asyncio.ensure_future(restless())
    with pytest.raises(RuntimeError, match="did not come to rest"):
        await settle()
    task.cancel()
