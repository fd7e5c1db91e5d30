"""The four services as they are made, without a process of their own."""

from collections.abc import Iterator
from pathlib import Path

from uat_platform.auth.parts import Parts as AuthParts
from uat_platform.auth.settings import AuthSettings
from uat_platform.auth.wiring import serving as auth
from uat_platform.gateway.settings import GatewaySettings
from uat_platform.gateway.wiring import serving as gateway
from uat_platform.load_balancer.app import serving as balancer
from uat_platform.load_balancer.parts import Parts as BalancerParts
from uat_platform.load_balancer.settings import BalancerSettings
from uat_platform.metrics_aggregator.app import made as aggregator
from uat_platform.metrics_aggregator.settings import MetricsSettings
from uat_service.app import Service

__all__ = ["services"]


def services(directory: Path) -> Iterator[tuple[str, Service]]:
    """Make each service, which keeps what it knows in a directory; return its package's name too."""
    database = {"DATABASE_URL": f"sqlite:///{directory}/state.db"}
    routes = directory / "gateway.toml"
    routes.touch()
    at = {"ROUTES_FILE": str(routes), "IDENTITY_FILE": str(directory / "identity.pem")}
    yield "auth", auth(AuthParts(AuthSettings.read("auth", database)))
    yield "gateway", gateway(GatewaySettings.read("api-gateway", at), {})
    settings = BalancerSettings.read("load-balancer", database)
    yield "load_balancer", balancer(BalancerParts(settings))
    yield "metrics_aggregator", aggregator(MetricsSettings.read("metrics-aggregator", database))
