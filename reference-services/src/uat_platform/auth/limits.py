"""How often one address may try what takes a password or a secret."""

from ipaddress import IPv6Address, ip_address

from uat_platform.auth.settings import AuthSettings
from uat_resilience import Keyed, RateLimiter
from uat_resilience.integrations.redis import RedisLink, RedisRateLimiter
from uat_service.redis_client import redis_client

__all__ = ["AddressLimits"]

_NETWORK = 64
_MINUTE = 60.0


class AddressLimits:
    """Limit requests by address; in Redis, where there is one, for all processes together.

    While Redis is away each process counts for itself. Belongs to one event loop.

    Args:
        settings: How often, and where Redis is.
    """

    def __init__(self, settings: AuthSettings) -> None:
        self._rate = settings.requests_per_minute
        self._client = redis_client(settings)
        self.link = None if self._client is None else RedisLink(self._client)
        self._limiters: Keyed[str, RateLimiter] = Keyed(
            self._limiter, maximum=10_000, name="addresses"
        )

    async def pass_or_refuse(self, address: str) -> None:
        """Count a request of an address.

        Raises:
            RateLimitedError: There were too many. Answered with 429 and `Retry-After`.
        """
        async with self._limiters[_network(address)].permit():
            return

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._client is not None:
            await self._client.aclose()

    def _limiter(self, network: str) -> RateLimiter:
        # The name is shown to whoever is refused, so it is the same for all; the key in Redis is not.
        if self.link is None:
            return RateLimiter(self._rate, _MINUTE, burst=self._rate, name="address")
        return RedisRateLimiter(
            self._rate, _MINUTE, burst=self._rate, client=self.link, name=f"address/{network}"
        )


def _network(address: str) -> str:
    """Return what one customer has: an address of IPv4, and of IPv6 a network of 64 bits."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return (parsed.ipv4_mapped or IPv6Address(int(parsed) >> _NETWORK << _NETWORK)).compressed
    return parsed.compressed
