"""Where the instances of other services are."""

from typing import TYPE_CHECKING

from uat_service.resolver.balancer import BalancerSource
from uat_service.resolver.dns import DnsSource
from uat_service.resolver.instance import Instance
from uat_service.resolver.refreshed import RefreshedResolver
from uat_service.resolver.resolver import Resolver, Source
from uat_service.resolver.static import StaticResolver

if TYPE_CHECKING:
    from uat_service.resolver.registry import RedisRegistry

__all__ = [
    "BalancerSource",
    "DnsSource",
    "Instance",
    "RedisRegistry",
    "RefreshedResolver",
    "Resolver",
    "Source",
    "StaticResolver",
]


def __getattr__(name: str) -> object:
    # The client for Redis takes half a second to import, and few look there.
    if name == "RedisRegistry":
        from uat_service.resolver import registry  # noqa: PLC0415 - see above

        return registry.RedisRegistry
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
