"""Every guard also works on a block of code, where a decorator does not fit."""

import asyncio

from uat_resilience import Bulkhead, CircuitBreaker, Retry, TimedOutError, deadline
from uat_resilience.testing import FakeClock, virtual_time

retry = Retry(ConnectionError, attempts=3)
breaker = CircuitBreaker("mail")
bulkhead = Bulkhead(10, name="mail-slots")


def send(attempt: int) -> str:
    """Fail twice, then succeed."""
    if attempt < 3:
        raise ConnectionError(f"connection lost in attempt {attempt}")
    return "250 OK"


def blocks_in_sync_code() -> None:
    """Retry a block; then decide by hand what a result means to the breaker."""
    for attempt in retry:
        with attempt:
            print(f"attempt {attempt.number}, before it: {attempt.previous_error!r}")
            print(f"  sent: {send(attempt.number)}")

    with breaker.permit() as permit:
        permit.failure()  # no exception, but the reply says that the server is not well
    print(f"failures seen by the breaker: {breaker.snapshot().failures}")


async def blocks_in_async_code() -> None:
    """Use the same objects with `async for` and `async with`, where something may wait."""
    async for attempt in retry:
        with attempt:
            async with bulkhead.permit(), deadline(5.0):
                with breaker.permit():
                    print(f"sent: {send(attempt.number)}")
    print(f"slots taken afterwards: {bulkhead.snapshot().running}")
    try:
        async with deadline(2.0):
            await asyncio.sleep(60.0)
    except TimedOutError as error:
        print(error)


def main() -> None:
    """Run both on fake time."""
    with FakeClock(auto=True):
        blocks_in_sync_code()
    virtual_time.run(blocks_in_async_code)


if __name__ == "__main__":
    main()
