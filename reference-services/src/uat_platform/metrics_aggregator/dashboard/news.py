"""What is shown, made once for all who look at the same."""

import asyncio
from collections.abc import AsyncIterator

import msgspec

from uat_platform.metrics_aggregator.dashboard.view import view
from uat_platform.metrics_aggregator.parts import Parts
from uat_platform.metrics_aggregator.promql.errors import QueryError
from uat_resilience import BulkheadFullError
from uat_resilience.clock import default_clock
from uat_resilience.waiting import world
from uat_service.events import Event

__all__ = ["News"]

_LEAST = 1.0
_FRESH = 0.8
"""Share of the interval for which a view is shown to whoever else asks."""


class News:
    """Follow a view. Belongs to one event loop.

    Args:
        parts: Of the service.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._views: dict[tuple[str, str], tuple[float, asyncio.Future[str]]] = {}

    async def follow(self, window: str, service: str) -> AsyncIterator[Event]:
        """Yield the view, and again at each interval."""
        pause = max(_LEAST, self._parts.settings.scrape_interval)
        while True:
            try:
                yield Event(await self.read(window, service), event="view", retry=2.0)
            except (QueryError, BulkheadFullError) as error:
                yield Event(type(error).__name__, event="trouble")
            await world().pause(default_clock.clock, pause, None)

    async def read(self, window: str, service: str) -> str:
        """Return the view as JSON; one that is still fresh is not made again."""
        now = default_clock.clock.now()
        fresh = self._parts.settings.scrape_interval * _FRESH
        self._views = {
            key: (at, made)
            for key, (at, made) in self._views.items()
            if now - at < fresh and not (made.done() and (made.cancelled() or made.exception()))
        }
        known = self._views.get((window, service))
        if known is None:
            made = asyncio.ensure_future(self._made(window, service))
            known = self._views[window, service] = now, made
        # Shielded: who leaves must not take the view away from the others.
        return await asyncio.shield(known[1])

    async def _made(self, window: str, service: str) -> str:
        return msgspec.json.encode(await view(self._parts, window, service)).decode()
