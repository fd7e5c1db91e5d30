"""Waiting for the first of several things."""

import asyncio
from collections.abc import Coroutine

__all__ = ["first"]


async def first(*waits: Coroutine[object, object, object], within: float | None = None) -> bool:
    """Wait until one of them is done; the others are cancelled.

    Args:
        waits: What to wait for. What one of them raises is raised here.
        within: Seconds to wait at most.

    Returns:
        False when the time was over first.
    """
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    for task in done:
        await task
    return bool(done)
