"""Ask services whether they are ready, and what they are busy with."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

import httpx2

from uat_service.stack.definition import Service
from uat_service.stack.sockets import reachable
from uat_service.stack.traffic import Sample, breakers, sampled

__all__ = ["Prober"]

_PATIENCE = 2.0
_OK = 200


class Prober:
    """Ask over HTTP, on a new connection each time: replicas share a port, and none shall be kept from draining.

    Args:
        host: Where services listen.
    """

    def __init__(self, host: str) -> None:
        self._host = reachable(host)
        self._client = httpx2.AsyncClient(
            timeout=_PATIENCE,
            trust_env=False,
            limits=httpx2.Limits(max_keepalive_connections=0),
            headers={"Connection": "close", "User-Agent": "uat"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def problem(self, service: Service, port: int | None) -> str | None:
        """Return why the process behind a port is not ready; None when it is."""
        if port is None:
            return None
        if service.ready_path is None:
            return await self._refused(port)
        try:
            answer = await self._get(port, service.ready_path)
        except (httpx2.HTTPError, ValueError) as error:
            return f"{service.ready_path}: {type(error).__name__}"
        if answer.status_code != _OK:
            return f"{service.ready_path} answers {answer.status_code}"
        return None

    async def sample(self, port: int) -> Sample | None:
        """Return what a service counts; None when it does not tell."""
        at = asyncio.get_running_loop().time()
        with suppress(httpx2.HTTPError, ValueError):
            answer = await self._get(port, "/metrics")
            if answer.status_code == _OK:
                return sampled(answer.text, at=at)
        return None

    async def breakers(self, port: int) -> dict[str, str]:
        """Return the states of its breakers; none when it does not tell."""
        with suppress(httpx2.HTTPError, ValueError):
            answer = await self._get(port, "/resilience")
            if answer.status_code == _OK:
                return breakers(answer.json())
        return {}

    async def _get(self, port: int, path: str) -> httpx2.Response:
        host = f"[{self._host}]" if ":" in self._host else self._host
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._client.get(f"http://{host}:{port}{path}")
        except TimeoutError:
            # The client's own limit is for each step; this one is for the whole answer.
            raise httpx2.ReadTimeout("too slow") from None

    async def _refused(self, port: int) -> str | None:
        try:
            async with asyncio.timeout(_PATIENCE):
                _, writer = await asyncio.open_connection(self._host, port)
        except (OSError, TimeoutError) as error:
            return f"port {port}: {type(error).__name__}"
        writer.close()
        return None
