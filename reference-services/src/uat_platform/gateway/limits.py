"""How much one client may ask for: `rate` in a time, `burst` at once, told in every answer.

    RateLimit-Policy: "default";q=200;w=2
    RateLimit: "default";r=199;t=1

A caller who has shown who it is has a limit of its own; all others share that of their address. With a Redis the
gateways of a fleet count together; while it is away each counts for itself.
"""

from ipaddress import IPv6Address, ip_address
from math import ceil

from uat_platform.gateway.routes import Limit
from uat_resilience import RateLimiter
from uat_resilience.integrations.headers import RATE_LIMIT, RATE_LIMIT_POLICY
from uat_resilience.integrations.redis import RedisLink, RedisRateLimiter
from uat_resilience.integrations.serving.asgi_types import RawHeaders, Scope, encoded
from uat_resilience.registry import Keyed

__all__ = ["DEFAULT", "Limits", "address_of"]

DEFAULT = Limit(rate=100.0, burst=200)
"""What holds when the routes file says nothing else: as the gateway always had it."""

_SHORT = 64  # Bits of an IPv6 address that a provider hands out to one client.


class Limits:
    """Bound what each client asks for. Belongs to one event loop.

    Args:
        clients: Whose rates are kept apart, by limit.
        link: The Redis that counts for all gateways, or None.
    """

    def __init__(self, *, clients: int, link: RedisLink | None = None) -> None:
        self._clients = clients
        self._link = link
        self._kept: dict[str, tuple[Limit, Keyed[str, RateLimiter]]] = {}

    def take(self, limits: dict[str, Limit]) -> None:
        """Go by these limits from now on. Those that have not changed go on counting."""
        limits = {"default": DEFAULT, **limits}
        self._kept = {
            name: self._kept[name]
            if name in self._kept and self._kept[name][0] == limit
            else (limit, self._made(name, limit))
            for name, limit in limits.items()
        }

    async def spend(self, name: str, client: str) -> RawHeaders:
        """Count one request; return the headers that tell the client how it stands.

        Raises:
            RateLimitedError: It is one too many.
        """
        limit, limiters = self._kept.get(name) or self._kept["default"]
        limiter = limiters[client]
        async with limiter.permit():
            pass
        left = limiter.snapshot().available
        per_second = limit.rate / limit.per
        window = max(1, ceil(limit.burst / per_second))
        refill = ceil((limit.burst - left) / per_second)
        return encoded(
            [
                (RATE_LIMIT_POLICY, f'"{name}";q={limit.burst};w={window}'),
                (RATE_LIMIT, f'"{name}";r={max(0, int(left))};t={max(0, refill)}'),
            ]
        )

    def _made(self, name: str, limit: Limit) -> Keyed[str, RateLimiter]:
        link = self._link

        def made(client: str) -> RateLimiter:
            if link is None:
                return RateLimiter(limit.rate, limit.per, burst=limit.burst, name=name)
            # Each client has a bucket in Redis under a name of its own.
            return RedisRateLimiter(
                limit.rate,
                limit.per,
                burst=limit.burst,
                client=link,
                name=f"gateway/{name}/{client}",
            )

        return Keyed(made, maximum=self._clients, name=f"clients/{name}")


def address_of(scope: Scope) -> str:
    """Return by what an unknown client is counted: its address, or its network for IPv6."""
    client: tuple[str, int] | None = scope.get("client")
    if client is None:
        return "address/unknown"
    try:
        address = ip_address(client[0].partition("%")[0])
    except ValueError:
        return "address/unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return f"address/{IPv6Address(int(address) >> _SHORT << _SHORT)}"
        address = address.ipv4_mapped
    return f"address/{address}"
