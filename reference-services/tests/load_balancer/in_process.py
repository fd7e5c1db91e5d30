"""A load balancer in the process of a test: quick to start, and its parts are at hand."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from uat_platform.load_balancer.app import serving
from uat_platform.load_balancer.parts import Parts
from uat_platform.load_balancer.settings import BalancerSettings

__all__ = ["running"]


@asynccontextmanager
async def running(place: Path, **told: str) -> AsyncGenerator[tuple[Parts, httpx2.AsyncClient]]:
    """Run one with these settings, and its registry in a directory of its own."""
    variables = {"DATABASE_URL": f"sqlite:///{place}/registry.db", "CHECK_INTERVAL": "1h", **told}
    parts = Parts(BalancerSettings.read("load-balancer", variables))
    transport = httpx2.ASGITransport(serving(parts))
    client = httpx2.AsyncClient(transport=transport, base_url="http://balancer")
    async with parts.lifespan(), client:
        yield parts, client
