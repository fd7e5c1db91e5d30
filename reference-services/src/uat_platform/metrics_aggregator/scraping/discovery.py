"""Where targets come from: the load balancer, the settings, and whoever registers."""

from collections.abc import Iterable

import httpx2
import structlog

from uat_platform.metrics_aggregator.scraping.fetching import Fetcher, ScrapeError
from uat_platform.metrics_aggregator.scraping.target import Target, from_discovery
from uat_resilience import TimedOutError, deadline

__all__ = ["Discovery"]

_MOST = 1_000


class Discovery:
    """Know the targets. When the load balancer is away, those that it told of last are still the targets.

    Args:
        fetcher: Asks.
        url: Of Prometheus' HTTP service discovery, or empty for none.
        fixed: Targets that are there anyway.
        seconds: That an answer may take.

    Attributes:
        registered: Targets that have told us of themselves, by their name.
    """

    def __init__(
        self, fetcher: Fetcher, *, url: str, fixed: Iterable[Target], seconds: float
    ) -> None:
        self._fetcher = fetcher
        self._url = url
        self._fixed = [*fixed]
        self._seconds = seconds
        self._discovered: list[Target] = []
        self._well = True
        self.registered: dict[str, Target] = {}

    @property
    def targets(self) -> list[Target]:
        """All that are known, each address once; what was fixed wins."""
        found: dict[str, Target] = {}
        for each in (*self._fixed, *self.registered.values(), *self._discovered):
            found.setdefault(each.url, each)
        return [*found.values()]

    async def refresh(self) -> bool:
        """Ask the load balancer; return whether it has answered."""
        if not self._url:
            return True
        try:
            async with deadline(self._seconds):
                found = await self._fetcher.json(self._url)
            self._discovered = from_discovery(found, most=_MOST)
        except (httpx2.HTTPError, ScrapeError, TimedOutError, OSError, ValueError) as error:
            if self._well:
                _logger.warning("discovery failed", error=type(error).__name__)
            self._well = False
            return False
        self._well = True
        return True


_logger = structlog.get_logger("uat_platform.metrics_aggregator")
