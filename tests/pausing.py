"""How the bodies of async tests let time pass, without the policies' own means."""

import anyio

__all__ = ["pause"]


async def pause(seconds: float) -> None:
    """Suspend the task for so many seconds of its loop, which a test's loop jumps over."""
    with anyio.move_on_after(seconds):
        await anyio.sleep_forever()
