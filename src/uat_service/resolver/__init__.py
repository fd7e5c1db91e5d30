"""Where the instances of other services are.

What asks through a client of its own is imported when it is asked for: those for Redis and for HTTP take half a
second to import, and few look there.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from uat_service.resolver.dns import DnsSource
from uat_service.resolver.instance import Instance
from uat_service.resolver.refreshed import RefreshedResolver
from uat_service.resolver.resolver import Resolver, Source
from uat_service.resolver.static import StaticResolver

if TYPE_CHECKING:
    from uat_service.resolver.balancer import BalancerSource
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

_HOMES = {"BalancerSource": "balancer", "RedisRegistry": "registry"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
