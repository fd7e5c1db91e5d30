"""Services that the load balancer knows: `GET /services/{name}`."""

from typing import Any, cast

import httpx2

from uat_resilience.integrations.cookies import no_cookies
from uat_service.addresses import http_url
from uat_service.resolver.instance import Instance

__all__ = ["BalancerSource"]

_NOT_FOUND = 404


class BalancerSource:
    """Look instances up at a load balancer's registry. Belongs to one event loop.

    Args:
        url: Where the load balancer is.

    Raises:
        TypeError, ValueError: The URL is none.
    """

    def __init__(self, url: str) -> None:
        self._client = httpx2.AsyncClient(
            base_url=http_url("url", url), trust_env=False, cookies=no_cookies()
        )

    async def look_up(self, name: str) -> list[Instance]:
        """Return the instances that are fit to be called.

        Raises:
            httpx2.HTTPError, LookupError, TypeError, ValueError: It is away, or answers something else.
        """
        response = await self._client.get(f"/services/{name}")
        if response.status_code == _NOT_FOUND:
            return []
        response.raise_for_status()
        body: Any = response.json()
        return [_instance(each) for each in body["instances"] if each.get("healthy", True)]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _instance(told: object) -> Instance:
    fields = cast("dict[str, Any]", told)
    return Instance(
        str(fields["url"]),
        id=str(fields.get("id", "")),
        version=str(fields.get("version", "")),
        zone=str(fields.get("zone", "")),
        weight=int(fields.get("weight", 1)),
    )
