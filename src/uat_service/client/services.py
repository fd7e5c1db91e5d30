"""Clients for other services, by their names.

services = Services(StaticResolver({"shop": "http://127.0.0.1:8001"}))
response = await services["shop"].get("/orders/7")
"""

import ssl
from collections.abc import Callable
from functools import cache

import httpx2

from uat_resilience._core.arguments import callback_or_none, text
from uat_resilience.ambient import current_deadline
from uat_resilience.integrations.cookies import no_cookies
from uat_resilience.integrations.httpx2 import AsyncResilientTransport, per_host
from uat_resilience.policies.policy import Policy
from uat_service.client.balanced import PATIENCE, TRIED, Balanced
from uat_service.resolver.resolver import Resolver

__all__ = ["Services"]


class Services:
    """Keep a client for each service that is called: `services["shop"]` is an `httpx2.AsyncClient`.

    Each has connections and a pipeline of its own, so that a service that is down takes nothing from the others.
    A request carries what it inherits here: the time that is left, which request it belongs to, and who repeats
    it. Each attempt goes to the less busy of two instances; a retry to another one than before, if there is one.

    No cookie is kept, so that none gets from one user to another. Proxies of the environment are not used.

    Belongs to one event loop. What a cancelled request holds is given back.

    Args:
        resolver: Where services are.
        policy: Makes the pipeline of a service from its name. Default: `per_host()` with the numbers below.
        caller: What this service is called; goes out as `User-Agent`.
        total: Seconds for a call with its retries, above 0.
        each: Seconds for an attempt, above 0.
        attempts: Attempts at most, at least 1.
        slots: Requests to one service at once, at least 1.
        verify: How certificates are checked: True for the usual authorities, or an `ssl.SSLContext`.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(
        self,
        resolver: Resolver,
        *,
        policy: Callable[[str], Policy] | None = None,
        caller: str = "uat-service",
        total: float = 30.0,
        each: float = 10.0,
        attempts: int = 3,
        slots: int = 100,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        if not isinstance(resolver, Resolver):
            raise TypeError(f"resolver must have resolve() and find(), not {resolver!r}")
        self._resolver = resolver
        self._policy = callback_or_none("policy", policy)
        self._hosts = per_host(total=total, each=each, attempts=attempts, slots=slots)
        self._caller = text("caller", caller)
        # No timeouts of the library's own: attempts have theirs, and a stream may rest for longer.
        self._timeout = httpx2.Timeout(None)
        self._tls = verify if isinstance(verify, ssl.SSLContext) else _context(verify)
        self._clients: dict[str, httpx2.AsyncClient] = {}

    def __getitem__(self, name: str) -> httpx2.AsyncClient:
        """Return the client of a service. Its base URL is `http://NAME`, whatever instances there are.

        Raises:
            ValueError: The name cannot be the host of a URL.
        """
        client = self._clients.get(name)
        if client is None:
            client = self._clients[name] = self._made(name)
        return client

    async def close(self) -> None:
        """Close all connections."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    def _made(self, name: str) -> httpx2.AsyncClient:
        if not name or httpx2.URL(f"http://{name}").host != name:
            raise ValueError(f"name must be a host name in lower case, not {name!r}")
        inner = Balanced(name, self._resolver, tls=self._tls)
        policy = self._hosts if self._policy is None else self._policy(name)
        return httpx2.AsyncClient(
            base_url=f"http://{name}",
            transport=_Call(AsyncResilientTransport(policy, inner=inner)),
            cookies=no_cookies(),
            headers={"User-Agent": self._caller},
            timeout=self._timeout,
            trust_env=False,
        )


@cache
def _context(verify: bool) -> ssl.SSLContext:  # noqa: FBT001 - httpx2's own
    # It takes longer to make one than to make a hundred requests.
    return httpx2.create_ssl_context(verify)


class _Call(httpx2.AsyncBaseTransport):
    """Lets the attempts of one call know of each other, and of how long their caller waits."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        known = {TRIED: list[str](), PATIENCE: current_deadline.get()}
        request.extensions = {**request.extensions, **known}
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()
