"""How the bodies of async tests let time pass, without the policies' own means."""

import asyncio

import trio

__all__ = ["pause"]


async def pause(seconds: float) -> None:
    """Suspend the task once, for so many seconds of its loop, which a test's loop jumps over."""
    if trio.lowlevel.in_trio_run():
        with trio.move_on_after(seconds):
            await trio.sleep_forever()
        return
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()
    timer = loop.call_later(seconds, over.set_result, None)
    try:
        await over
    finally:
        timer.cancel()
