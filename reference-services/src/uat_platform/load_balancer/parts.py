"""What the load balancer is made of, put together in one place."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from litestar import Litestar

from uat_platform.load_balancer.balancing.group import Group
from uat_platform.load_balancer.fleet import Fleet
from uat_platform.load_balancer.registry.registration import Registration
from uat_platform.load_balancer.registry.registry import Change, Registry
from uat_platform.load_balancer.registry.snapshot import Snapshot
from uat_platform.load_balancer.settings import BalancerSettings
from uat_platform.load_balancer.shared import Shared
from uat_platform.load_balancer.traffic.affinity import Affinity
from uat_platform.load_balancer.traffic.checks import Checks
from uat_platform.load_balancer.traffic.front import Front
from uat_platform.load_balancer.traffic.meters import Meters
from uat_platform.load_balancer.traffic.path import Addresses
from uat_platform.load_balancer.traffic.services import Services
from uat_platform.load_balancer.watchers import Watchers
from uat_resilience import RetryBudget
from uat_resilience.clock import default_clock
from uat_resilience.integrations.serving.asgi_types import App
from uat_resilience.waiting import world
from uat_service.proxy import Pools
from uat_service.redis_client import redis_client
from uat_service.resolver import Instance
from uat_service.store import Store, StoreUnavailableError

__all__ = ["Parts"]

_SWEEPING = 0.5


class Parts:
    """Everything that requests need. Belongs to one event loop; made without one.

    Args:
        settings: What the load balancer was told.
    """

    def __init__(self, settings: BalancerSettings) -> None:
        self.settings = settings
        rules, special = settings.rules, settings.algorithm_of

        def make(service: str) -> Group:
            return Group(special.get(service, settings.algorithm), rules)

        self.fleet = Fleet(Registry(), make, _now)
        self.watchers = Watchers()
        self.meters = Meters(self.fleet)
        self.store = Store(settings.database_url)
        self.snapshot = Snapshot(self.store)
        self.redis = redis_client(settings)
        self.shared = None if self.redis is None else Shared(self.fleet, self.redis)
        self.pools = Pools(connect_timeout=settings.connect_timeout, patience=settings.patience)
        self.checks = Checks(
            self.fleet,
            draw=self.draw,
            tell=self.tell,
            interval=settings.check_interval,
            recheck=settings.recheck,
            timeout=settings.check_timeout,
        )
        self.services = Services(
            self.fleet,
            pools=self.pools,
            meters=self.meters,
            draw=self.draw,
            budget=lambda: RetryBudget(
                settings.retry_ratio, minimum_per_second=settings.retry_minimum
            ),
            suspect=self.checks.suspect,
            tell=self.tell,
            name=settings.service_name,
            absence=settings.absence,
        )
        self.fleet.listen(self.snapshot.note)
        self.fleet.listen(self._changed)

    def front(self, app: App) -> App:
        """Return what stands in front of the routes."""
        return Front(
            app,
            addresses=Addresses(self.settings.alias_of),
            services=self.services,
            affinity=Affinity(self.settings.affinity_header),
        )

    def tell(self, service: str) -> None:
        """Let watchers know that something is new about a service."""
        self.watchers.tell((service,))

    @staticmethod
    def draw() -> float:
        """Return a uniform number from [0, 1)."""
        return default_clock.clock.random()

    async def database(self) -> bool:
        """Return whether the registry is on disk as it is here: for health checks."""
        await self.store.check()
        return not self.snapshot.behind

    @asynccontextmanager
    async def lifespan(self, _: Litestar | None = None) -> AsyncGenerator[None]:
        """Know what was known before, and write down what is new, as long as the service runs."""
        self._restore(await self._loaded())
        for service, url in self.settings.static:
            static = Registration(service, Instance(url), lease=None, health="/health")
            self.fleet.register(static)
        async with AsyncExitStack() as ends:
            ends.push_async_callback(self.store.close)
            ends.push_async_callback(self.snapshot.flush)
            ends.callback(self.pools.close)
            await ends.enter_async_context(self.checks)
            works = [self.snapshot.run(), self._sweep()]
            if self.redis is not None and self.shared is not None:
                ends.push_async_callback(self.redis.aclose)
                ends.push_async_callback(self.shared.exchange)  # Who has just left, too.
                works.append(self.shared.run())
            tasks = await ends.enter_async_context(asyncio.TaskGroup())
            for work in works:
                ends.callback(tasks.create_task(work).cancel)
            yield

    async def _loaded(self) -> list[Registration]:
        try:
            return await self.snapshot.load()
        except StoreUnavailableError as error:
            _logger.warning("registry not read", error=str(error))
            return []

    def _restore(self, known: Iterable[Registration]) -> None:
        for each in known:
            self.fleet.register(each, lasts=self.settings.stale_for)

    async def _sweep(self) -> None:
        """Let watchers hear of leases that are over, even when nobody asks for the service."""
        while True:
            await world().pause(default_clock.clock, _SWEEPING, None)
            self.fleet.sweep()

    def _changed(self, changes: list[Change]) -> None:
        services = dict.fromkeys(each.registration.service for each in changes)
        self.watchers.tell(services)
        for each in services:
            if each not in self.fleet.existing:
                self.services.forget(each)


def _now() -> float:
    return default_clock.clock.now()


_logger = structlog.get_logger("load_balancer")
