"""Where the instances of other services are."""

from uat_service.resolver.balancer import BalancerSource
from uat_service.resolver.dns import DnsSource
from uat_service.resolver.instance import Instance
from uat_service.resolver.refreshed import RefreshedResolver
from uat_service.resolver.registry import RedisRegistry
from uat_service.resolver.resolver import Resolver, Source
from uat_service.resolver.static import StaticResolver

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
