"""Something that is done again and again, whatever comes of it."""

from collections.abc import Awaitable, Callable

import structlog

from uat_resilience.clock import default_clock
from uat_resilience.waiting import world

__all__ = ["repeating"]


async def repeating(work: Callable[[], Awaitable[object]], interval: float) -> None:
    """Do something, and again after a while, until cancelled; a failure is logged, and is not the end.

    Args:
        work: What to do.
        interval: Seconds from the end of one time to the beginning of the next.
    """
    while True:
        try:
            await work()
        except Exception as error:
            _logger.exception("a round failed", exc_info=error)
        await world().pause(default_clock.clock, interval, None)


_logger = structlog.get_logger("uat_platform.metrics_aggregator")
