"""A deadline is the time that is left for everything inside it; the earliest one wins."""

import asyncio
from collections.abc import Awaitable

from uat_resilience import Retry, TimedOutError, Timeout, deadline, remaining, single_try
from uat_resilience.testing import virtual_time

retry = Retry(ConnectionError, attempts=100)


@Timeout(2.0, name="each")
async def query(seconds: float) -> None:
    """Take so long, but never more than two seconds."""
    print(f"  query of {seconds} s, time left: {remaining() or 0:.1f} s")
    await asyncio.sleep(seconds)


async def failing_query() -> None:
    """Take a second, and fail."""
    await query(1.0)
    raise ConnectionError("lost")


async def nested() -> None:
    """Run two queries in three seconds: the second gets less than its own timeout."""
    async with deadline(3.0):
        await query(1.5)
        await query(1.8)


async def hurried() -> None:
    """Retry as long as there is time: no attempt starts, and no pause ends, past the deadline."""
    async with deadline(2.5):
        await retry.acall(failing_query)


async def show(title: str, attempt: Awaitable[None]) -> None:
    """Wait for it, and print how it ended."""
    print(f"{title}:")
    try:
        await attempt
    except (ConnectionError, TimedOutError) as error:
        print(f"  {type(error).__name__}: {error}")


async def story() -> None:
    """Show each rule once."""
    await show("a timeout around one call", query(60.0))
    await show("two calls under one deadline", nested())
    await show("a hundred attempts under a deadline", hurried())
    with single_try():  # somebody further out retries already
        await show("a hundred attempts inside single_try", retry.acall(failing_query))


if __name__ == "__main__":
    virtual_time.run(story)  # a minute in milliseconds
