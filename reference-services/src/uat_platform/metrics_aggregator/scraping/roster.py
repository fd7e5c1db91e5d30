"""Who is asked: a task for each target, as long as it is known."""

import asyncio
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from contextvars import Context

import structlog

from uat_platform.metrics_aggregator.scraping.fetching import Fetcher
from uat_platform.metrics_aggregator.scraping.ledger import Ledger
from uat_platform.metrics_aggregator.scraping.scrape import Cadence, Scrape
from uat_platform.metrics_aggregator.scraping.target import Target
from uat_platform.metrics_aggregator.series.memory import Memory
from uat_resilience import BreakerState, Bulkhead
from uat_resilience.clock import default_clock, wall_time
from uat_resilience.waiting import world

__all__ = ["Roster"]


class Roster:
    """Ask every target at its own times. Belongs to one event loop.

    Times are spread over the interval by the target's address, so that they stay the same. Nothing that comes of a
    scrape is the end of it: the next one is at its time.

    Args:
        memory: Where samples go.
        fetcher: Asks.
        cadence: How.
        slots: Scrapes at once.
        series: Of one target at most.
        told: Called after each scrape.
    """

    def __init__(
        self,
        memory: Memory,
        *,
        fetcher: Fetcher,
        cadence: Cadence,
        slots: Bulkhead,
        series: int,
        told: Callable[[], object] = lambda: None,
    ) -> None:
        self._memory = memory
        self._fetcher = fetcher
        self._cadence = cadence
        self._slots = slots
        self._series = series
        self._told = told
        self._tasks: dict[Target, tuple[Scrape, asyncio.Task[None]]] = {}

    def __iter__(self) -> Iterator[Scrape]:
        """Return the scrapes, by service and instance."""
        return iter(
            sorted(
                (scrape for scrape, _ in self._tasks.values()),
                key=lambda scrape: (scrape.target.job, scrape.target.instance),
            )
        )

    def __len__(self) -> int:
        return len(self._tasks)

    def update(self, targets: Iterable[Target]) -> None:
        """Begin to ask those that are new, and stop asking those that are gone, whose series end.

        A target that is left alone, and is another process than before, is new: it is asked at once.
        """
        wanted = {each: each for each in targets}
        for target, (scrape, task) in [*self._tasks.items()]:
            if target not in wanted or _replaced(scrape, wanted[target]):
                del self._tasks[target]
                task.cancel()
                scrape.ledger.down(round(wall_time() * 1000))
        for target in wanted:
            if target not in self._tasks:
                scrape = self.made(target)
                # In a context of its own: it is no part of the request by which somebody has registered.
                task = asyncio.create_task(self._run(scrape), context=Context())
                self._tasks[target] = scrape, task

    async def aclose(self) -> None:
        """Stop asking. Series do not end by that: the next process goes on with them."""
        tasks = [task for _, task in self._tasks.values()]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    def made(self, target: Target) -> Scrape:
        """Return what asks a target; nobody lets it ask yet."""
        ledger = Ledger(self._memory, dict(target.labels), self._series)
        return Scrape(
            target,
            ledger,
            fetcher=self._fetcher,
            cadence=self._cadence,
            slots=self._slots,
        )

    async def _run(self, scrape: Scrape) -> None:
        time = default_clock.clock
        interval = self._cadence.interval
        await self._asked(scrape)
        spread = (zlib.crc32(scrape.target.url.encode()) % 997) / 997 * interval
        # The next moment of the grid that is at least half an interval away.
        due = time.now() + interval - (time.now() - spread - interval / 2) % interval
        while True:
            await world().pause(time, max(0.0, due - time.now()), None)
            await self._asked(scrape)
            late = max(0.0, time.now() - due)
            due += interval * (1 + late // interval)

    async def _asked(self, scrape: Scrape) -> None:
        try:
            await scrape.once()
        except Exception as error:
            _logger.exception("a scrape failed", url=scrape.target.url, exc_info=error)
        self._told()


def _replaced(scrape: Scrape, target: Target) -> bool:
    """Return whether a target is left alone for what another process has done that had its address."""
    return (
        scrape.breaker.state is not BreakerState.CLOSED
        and scrape.target.discovered != target.discovered
    )


_logger = structlog.get_logger("uat_platform.metrics_aggregator")
