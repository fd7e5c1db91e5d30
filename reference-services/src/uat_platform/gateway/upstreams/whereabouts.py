"""Where instances are: as the load balancer knows, else whoever started us, else the routes file."""

from collections.abc import Mapping

from uat_platform.gateway.routes import UpstreamDefinition
from uat_service.resolver import BalancerSource, Instance, RefreshedResolver, StaticResolver

__all__ = ["Whereabouts"]


class Whereabouts:
    """Find instances. Belongs to one event loop.

    Args:
        load_balancer: Its URL, or empty for none.
        variables: The environment, in which an orchestrator says where services are.
    """

    def __init__(self, *, load_balancer: str, variables: Mapping[str, str]) -> None:
        self._source = BalancerSource(load_balancer) if load_balancer else None
        self._registry = (
            None if self._source is None else RefreshedResolver(self._source, interval=2.0)
        )
        self._told = StaticResolver.from_environment(variables)

    async def find(self, name: str, definition: UpstreamDefinition) -> list[Instance]:
        """Return the instances of an upstream; after the first look, if nobody else knows any."""
        service = definition.service or name
        otherwise = self._told.resolve(service) or [Instance(url) for url in definition.urls]
        if self._registry is None:
            return otherwise
        if otherwise:
            return self._registry.resolve(service) or otherwise
        return await self._registry.find(service)

    async def close(self) -> None:
        """Stop looking, and close the connections."""
        if self._registry is not None:
            await self._registry.close()
        if self._source is not None:
            await self._source.close()
