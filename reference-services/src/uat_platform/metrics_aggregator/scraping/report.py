"""What a service says of itself besides its metrics: `/health` and `/resilience`."""

from dataclasses import dataclass
from typing import Any, cast

import httpx2

from uat_platform.metrics_aggregator.scraping.fetching import Fetcher, ScrapeError
from uat_platform.metrics_aggregator.scraping.target import Target
from uat_resilience import TimedOutError, deadline

__all__ = ["Json", "Report", "reported"]

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """What a service says of itself.

    Attributes:
        health: Its state and its dependencies; empty when it has no such page.
        resilience: What its policies have seen; empty when it has no such page.
    """

    health: Json
    resilience: Json


async def reported(fetcher: Fetcher, target: Target, *, seconds: float) -> Report:
    """Return what a service says of itself; pages that it does not have are empty.

    Args:
        fetcher: Asks.
        target: Whom.
        seconds: For each page at most.
    """
    health = await _page(fetcher, f"{target.base}/health", seconds)
    resilience = await _page(fetcher, f"{target.base}/resilience", seconds)
    return Report(health, resilience)


async def _page(fetcher: Fetcher, url: str, seconds: float) -> Json:
    try:
        async with deadline(seconds):
            found = await fetcher.json(url)
    except (httpx2.HTTPError, ScrapeError, TimedOutError, OSError):
        return {}
    return cast("Json", found) if isinstance(found, dict) else {}
