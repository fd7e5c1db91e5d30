"""An instance that says at a load balancer, again and again, that it is there.

    POST {balancer}/services/{name}/instances              every third of the lease
    DELETE {balancer}/services/{name}/instances/{id}       at the end, before anything is refused

Nothing of the service waits for it: while the load balancer is away there are only more tries.
"""

from collections.abc import Awaitable, Callable

import anyio
import httpx2
import structlog

from uat_resilience._core.arguments import seconds, text
from uat_resilience.integrations.cookies import no_cookies
from uat_service.addresses import http_url
from uat_service.resolver.instance import Instance
from uat_service.rounds import next_round

__all__ = ["Registration"]

_RENEWALS = 3.0  # While a lease lasts, so that two of them may be lost.
_FIRST = 0.25
_TIMEOUT = 2.0


class Registration:
    """Keep one instance registered. Belongs to one event loop.

    Args:
        balancer: URL of the load balancer.
        service: Name of the service.
        instance: Where this one is.
        lease: Seconds, above 0, after which it is forgotten when it says nothing.
        token: What the load balancer wants to see of those who register, or empty.

    Raises:
        TypeError, ValueError: An argument is of the wrong type or out of range.
    """

    def __init__(
        self,
        balancer: str,
        service: str,
        instance: Instance,
        *,
        lease: float = 15.0,
        token: str = "",
    ) -> None:
        self._lease = seconds("lease", lease)
        self._path = f"{http_url('balancer', balancer).rstrip('/')}/services/{text('service', service)}/instances"
        self._instance = instance
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._failures = 0

    async def run(self, end: Callable[[], Awaitable[object]]) -> None:
        """Stay registered until the end, and leave.

        Args:
            end: Is awaited; the end is when it returns.
        """
        timeout = httpx2.Timeout(_TIMEOUT)
        async with httpx2.AsyncClient(
            trust_env=False, cookies=no_cookies(), headers=self._headers, timeout=timeout
        ) as client:
            async with anyio.create_task_group() as group:
                group.start_soon(self._stay, client)
                await end()
                group.cancel_scope.cancel()
            await self._leave(client)

    async def _stay(self, client: httpx2.AsyncClient) -> None:
        instance = self._instance
        offer = {
            "url": instance.url,
            "id": instance.id,
            "version": instance.version,
            "zone": instance.zone,
            "weight": instance.weight,
            "lease_seconds": self._lease,
        }
        while True:
            try:
                response = await client.post(self._path, json=offer)
                response.raise_for_status()
            except httpx2.HTTPError as error:
                self._failed(error)
            else:
                if self._failures:
                    _logger.info("registered at last", instance=instance.id)
                self._failures = 0
            await next_round(self._pause())

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        if self._failures == 1:
            # Who is refused has to know how: 401 is a wrong token.
            answer = error.response if isinstance(error, httpx2.HTTPStatusError) else None
            status = {} if answer is None else {"status": answer.status_code}
            _logger.warning("not registered", error=type(error).__name__, **status)

    def _pause(self) -> float:
        renewal = self._lease / _RENEWALS
        if not self._failures:
            return renewal
        return min(renewal, _FIRST * 2.0 ** min(self._failures - 1, 10))

    async def _leave(self, client: httpx2.AsyncClient) -> None:
        try:
            await client.delete(f"{self._path}/{self._instance.id}")
        except httpx2.HTTPError as error:
            _logger.warning("not unregistered", error=type(error).__name__)


_logger = structlog.get_logger("uat_service")
