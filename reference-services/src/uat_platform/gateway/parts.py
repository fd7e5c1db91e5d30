"""The parts of a gateway, made once and handed to whoever needs them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2

from uat_platform.gateway.callers.api_keys import ApiKeys
from uat_platform.gateway.callers.bearer import Bearers
from uat_platform.gateway.callers.callers import Callers
from uat_platform.gateway.callers.identity import Identities, read_key
from uat_platform.gateway.limits import Limits
from uat_platform.gateway.routes.files import RouteFiles
from uat_platform.gateway.routes.live import LiveRoutes, Version
from uat_platform.gateway.settings import GatewaySettings
from uat_platform.gateway.upstreams.checking import Checking
from uat_platform.gateway.upstreams.upstream import Defaults
from uat_platform.gateway.upstreams.upstreams import Upstreams
from uat_platform.gateway.upstreams.whereabouts import Whereabouts
from uat_resilience.clock import default_clock, wall_time
from uat_resilience.integrations.redis import RedisLink
from uat_service.client import Services
from uat_service.redis_client import redis_client
from uat_service.resolver import StaticResolver
from uat_service.tokens import KeySet, Verifier

__all__ = ["Parts"]


class Parts:
    """Everything a gateway is made of.

    Args:
        settings: What it was told.
        variables: The environment, in which an orchestrator says where services are.

    Raises:
        ConfigurationError: The key of identities is none.
        RoutesError: The routes file is wrong.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        variables: Mapping[str, str],
    ) -> None:
        self.settings = settings
        self.whereabouts = Whereabouts(
            load_balancer=settings.load_balancer_url, variables=variables
        )
        self.upstreams = Upstreams(
            defaults=Defaults(
                attempts=settings.retry_max_attempts,
                failures=settings.circuit_breaker_failure_threshold,
                slots=settings.bulkhead_size,
                timeout=settings.timeout_duration,
            ),
            whereabouts=self.whereabouts,
        )
        self.redis = redis_client(settings)
        self.limits = Limits(
            clients=settings.clients,
            link=None if self.redis is None else RedisLink(self.redis, prefix="uat:gateway"),
        )
        self.services = Services(StaticResolver({"auth": settings.auth_url}), caller="api-gateway")
        self.keys = KeySet(self._fetch_keys, name="auth")
        verifier = Verifier(self.keys, issuer=settings.token_issuer, audience=settings.jwt_audience)
        self.callers = Callers(
            Bearers(verifier, most=settings.token_memory, wall=wall_time),
            ApiKeys(
                self._auth,
                lifetime=settings.api_key_lifetime,
                most=settings.token_memory,
                wall=_now,
            ),
        )
        self.identities = Identities(
            read_key(settings.identity_key.get_secret_value(), Path(settings.identity_file)),
            issuer=settings.service_name,
            lifetime=settings.identity_lifetime,
            wall=wall_time,
        )
        self.checking = Checking(self.upstreams.all, interval=settings.health_interval)
        files = RouteFiles(Path(settings.routes_file), Path(settings.routes_put_file))
        self.routes = LiveRoutes(files, self._take)
        self.routes.load()

    async def close(self) -> None:
        """Close all connections, and stop looking around."""
        await self.keys.close()
        await self.services.close()
        await self.whereabouts.close()
        self.upstreams.close()
        if self.redis is not None:
            await self.redis.aclose()

    def _take(self, version: Version) -> None:
        self.upstreams.take(dict(version.table.upstreams))
        self.limits.take(dict(version.table.limits))

    def _auth(self) -> httpx2.AsyncClient:
        return self.services["auth"]

    async def _fetch_keys(self) -> Mapping[str, Any]:
        answer = await self._auth().get("/.well-known/jwks.json")
        answer.raise_for_status()
        keys: Mapping[str, Any] = answer.json()
        return keys


def _now() -> float:
    return default_clock.clock.now()
