"""The pause between two rounds of what a service does for as long as it lives."""

from uat_resilience.clock import default_clock
from uat_resilience.waiting import world

__all__ = ["next_round"]


async def next_round(seconds: float) -> None:
    """Wait for as many seconds on the default clock. Cancelling ends it.

    It is no pause of a retry: tests let those take no time, and rounds would then follow each other without end.
    """
    clock = default_clock.clock
    await world().waiter().wait(clock, clock.now() + seconds)
