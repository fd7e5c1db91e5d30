"""What the service is made of, put together in one place."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from litestar import Litestar

from uat_platform.metrics_aggregator.alerts.rule import Rule, read
from uat_platform.metrics_aggregator.alerts.watch import Watch
from uat_platform.metrics_aggregator.alerts.webhooks import Webhooks
from uat_platform.metrics_aggregator.archive.archive import Archive
from uat_platform.metrics_aggregator.archive.chunks import Tier
from uat_platform.metrics_aggregator.promql.engine import Limits
from uat_platform.metrics_aggregator.querying import Queries
from uat_platform.metrics_aggregator.repeating import repeating
from uat_platform.metrics_aggregator.scraping.discovery import Discovery
from uat_platform.metrics_aggregator.scraping.fetching import Fetcher
from uat_platform.metrics_aggregator.scraping.registrations import Registrations
from uat_platform.metrics_aggregator.scraping.roster import Roster
from uat_platform.metrics_aggregator.scraping.scrape import Cadence
from uat_platform.metrics_aggregator.scraping.target import Target
from uat_platform.metrics_aggregator.series.memory import Memory
from uat_platform.metrics_aggregator.settings import MetricsSettings
from uat_resilience import Bulkhead
from uat_resilience.clock import wall_time
from uat_service.settings import ConfigurationError
from uat_service.store import Store, StoreUnavailableError

__all__ = ["Parts"]

_MIGRATIONS = Path(__file__).parent / "migrations"
_RULES = Path(__file__).parent / "alerts" / "default.toml"
_FINE, _COARSE = 10_000, 60_000
_FLUSH, _FLUSH_COARSE = 60_000, 600_000
_SECOND = 1_000


class Parts:
    """Everything that requests need. Belongs to one event loop; made without one.

    Args:
        settings: What the service was told.
        now: Returns seconds since 1970.
    """

    def __init__(self, settings: MetricsSettings, *, now: Callable[[], float] = wall_time) -> None:
        self.settings = settings
        self.now = now
        self.store = Store(settings.database_url)
        span = round(settings.memory_span * _SECOND)
        self.memory = Memory(span=span, most=settings.series_limit)
        self.archive = Archive(
            self.store,
            fine=Tier(_FINE, _FLUSH, round(settings.archive_fine_span * _SECOND)),
            coarse=Tier(_COARSE, _FLUSH_COARSE, round(settings.archive_span * _SECOND)),
            prepare=self.prepare,
        )
        self.scrape_slots = Bulkhead(
            settings.scrape_slots,
            name="scrapes",
            queue=1_000,
            max_wait=settings.scrape_interval,
        )
        self.query_slots = Bulkhead(settings.query_slots, name="queries", queue=50, max_wait=5.0)
        self.fetcher = Fetcher(caller=settings.service_name, most=settings.scrape_bytes)
        self.roster = Roster(
            self.memory,
            fetcher=self.fetcher,
            cadence=Cadence(settings.scrape_interval, settings.scrape_timeout),
            slots=self.scrape_slots,
            series=settings.series_per_target,
        )
        self.discovery = Discovery(
            self.fetcher,
            url=settings.discovery_url,
            fixed=settings.targets,
            seconds=settings.scrape_timeout,
        )
        self.queries = Queries(
            self.memory,
            self.archive,
            slots=self.query_slots,
            limits=Limits(lookback=round(settings.lookback * _SECOND)),
            seconds=settings.query_timeout,
            most=settings.query_samples,
            span=span,
            began=self.milliseconds(),
        )
        self.webhooks = Webhooks(settings.webhooks, sender=settings.service_name)
        self.watch = Watch(_rules(settings), queries=self.queries, webhooks=self.webhooks, now=now)
        self.registrations = Registrations(self.store)
        self._preparing = asyncio.Lock()
        self._prepared = False

    def milliseconds(self) -> int:
        """Return the time in milliseconds since 1970."""
        return round(self.now() * _SECOND)

    def extent(self) -> dict[str, int]:
        """Return how many services are asked, and how many metrics they have."""
        return {"services": len(self.roster), "metrics": len(self.memory.metrics)}

    async def prepare(self) -> None:
        """Bring the database up to date, once, and learn who has registered.

        Raises:
            StoreUnavailableError: The database is away; the next time it is tried again.
        """
        async with self._preparing:
            if not self._prepared:
                await self.store.migrate(_MIGRATIONS)
                self.discovery.registered.update(await self.registrations.read())
                self._prepared = True

    async def database(self) -> None:
        """Prepare the database, and ask it for a sign of life: for health checks."""
        await self.prepare()
        await self.store.check()

    async def register(self, service: str, target: Target, labels: dict[str, str]) -> None:
        """Ask a service from now on, also after a restart."""
        await self.prepare()
        await self.registrations.write(service, target, labels)
        self.discovery.registered[service] = target
        self.roster.update(self.discovery.targets)

    async def discover(self) -> bool:
        """Look for targets; return whether the load balancer has answered."""
        answered = await self.discovery.refresh()
        self.roster.update(self.discovery.targets)
        return answered

    async def keep(self) -> None:
        """Write down-samples, and forget what is too old."""
        now = self.milliseconds()
        try:
            await self.prepare()
            await self.archive.flush(self.memory, now)
            await self.archive.forget(now)
        except StoreUnavailableError as error:
            _logger.warning("samples were not written", error=str(error))
        self.memory.forget(now - round(self.settings.memory_span * _SECOND))

    @asynccontextmanager
    async def lifespan(self, _: Litestar) -> AsyncGenerator[None]:
        """Scrape, keep and judge while the service runs; write the rest when it ends."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(repeating(self.discover, self.settings.discovery_interval)),
                    group.create_task(repeating(self.keep, _FLUSH / _SECOND)),
                    group.create_task(repeating(self.watch.once, self.settings.alert_interval)),
                ]
                yield
                for task in tasks:
                    task.cancel()
        finally:
            await self.roster.aclose()
            await self._last()
            await self.fetcher.aclose()
            await self.webhooks.aclose()
            await self.store.close()

    async def _last(self) -> None:
        if not self._prepared:
            return
        try:
            await self.archive.end(self.memory, self.milliseconds())
        except StoreUnavailableError as error:
            _logger.warning("samples were not written", error=str(error))


def _rules(settings: MetricsSettings) -> list[Rule]:
    path = Path(settings.alert_rules) if settings.alert_rules else _RULES
    try:
        return read(path.read_text(encoding="utf-8"))
    except (OSError, TypeError, ValueError) as error:
        raise ConfigurationError({"ALERT_RULES": f"must name a file of rules: {error}"}) from error


_logger = structlog.get_logger("uat_platform.metrics_aggregator")
