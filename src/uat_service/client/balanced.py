"""Attempts, each at an instance of the service: below the policies, so that a retry goes somewhere else."""

import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

import httpx2

from uat_resilience.ambient import Deadline, current_deadline
from uat_resilience.integrations.http.repeating import Repeat, repeat_of
from uat_service.client.instances import Instances
from uat_service.resolver.instance import Instance
from uat_service.resolver.resolver import Resolver

__all__ = ["PATIENCE", "TRIED", "Balanced", "NoInstanceError"]

TRIED = "uat.tried"
"""Extension of a request: the ids of instances that have had a go at it, shared by its attempts."""

PATIENCE = "uat.patience"
"""Extension of a request: the `Deadline` of whoever makes it, or None."""

_SERVER_ERRORS = 500
_NOT_IMPLEMENTED = 501
_KEPT = 4.0
_FRESH = 0.5


class NoInstanceError(httpx2.ConnectError):
    """Nobody knows of an instance of the service: nothing was sent.

    Attributes:
        service: Its name.
    """

    def __init__(self, service: str) -> None:
        super().__init__(f"no instance of {service} is known")
        self.service = service


class Balanced(httpx2.AsyncBaseTransport):
    """Send each attempt to an instance of one service, over connections that are the service's own.

    Args:
        name: The service.
        resolver: Where its instances are.
        tls: How certificates are checked.
    """

    def __init__(self, name: str, resolver: Resolver, *, tls: ssl.SSLContext) -> None:
        self._name = name
        self._resolver = resolver
        self._instances = Instances()
        # Servers close idle connections after some seconds, and a request that meets that closing is lost. What
        # must not be sent twice gets none that was idle for longer than half a second.
        self._any, self._fresh = _pool(tls, _KEPT), _pool(tls, _FRESH)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one attempt.

        Raises:
            NoInstanceError: Nobody knows where.
            httpx2.UnsupportedProtocol: It is for another host, which is not ours to call.
        """
        if request.url.host != self._name:
            raise httpx2.UnsupportedProtocol(
                f"this client calls {self._name} only, not {request.url.host}"
            )
        known = await self._resolver.find(self._name)
        if not known:
            raise NoInstanceError(self._name)
        tried: list[str] = request.extensions.setdefault(TRIED, [])
        instance = self._instances.pick(known, tried=tried)
        tried.append(instance.id)
        try:
            response = await self._sent(request, instance)
        except BaseException as error:
            if not isinstance(error, Exception) and _silent(request):
                self._instances.failed(instance)
            self._instances.over(instance)
            raise
        body: Any = response.stream
        response.stream = _Body(body, lambda: self._instances.over(instance))
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._any.aclose()
        await self._fresh.aclose()

    async def _sent(self, request: httpx2.Request, instance: Instance) -> httpx2.Response:
        try:
            pool = self._fresh if _once(request) else self._any
            response = await pool.handle_async_request(_addressed(request, instance))
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            self._instances.failed(instance, unreachable=True)
            raise
        except httpx2.TransportError:
            self._instances.failed(instance)
            raise
        status = response.status_code
        if status >= _SERVER_ERRORS and status != _NOT_IMPLEMENTED:
            self._instances.failed(instance)
        else:
            self._instances.succeeded(instance)
        return response


class _Body(httpx2.AsyncByteStream):
    """A body; when it is closed, the request does not run any more."""

    def __init__(self, stream: httpx2.AsyncByteStream, over: Callable[[], None]) -> None:
        self._stream = stream
        self._over: Callable[[], None] | None = over

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        over, self._over = self._over, None
        try:
            await self._stream.aclose()
        finally:
            if over is not None:
                over()


def _pool(tls: ssl.SSLContext, expiry: float) -> httpx2.AsyncHTTPTransport:
    # Slots are counted by the policies: who waited for a connection as well would wait twice.
    limits = httpx2.Limits(
        max_connections=None, max_keepalive_connections=None, keepalive_expiry=expiry
    )
    return httpx2.AsyncHTTPTransport(verify=tls, limits=limits, trust_env=False)


def _addressed(request: httpx2.Request, instance: Instance) -> httpx2.Request:
    """Return a request as it goes to one instance, its path as it is."""
    parts = urlsplit(instance.url)
    headers = request.headers.copy()
    headers["Host"] = parts.netloc
    return httpx2.Request(
        request.method,
        request.url.copy_with(scheme=parts.scheme, host=parts.hostname, port=parts.port),
        headers=headers,
        stream=request.stream,
        extensions=request.extensions,
    )


def _silent(request: httpx2.Request) -> bool:
    """Return whether an attempt was cut because it took too long by our measure, and not by its caller's alone."""
    ours: Deadline | None = current_deadline.get()
    theirs: Deadline | None = request.extensions.get(PATIENCE)
    if ours is None or ours.remaining() > 0:
        return False
    return theirs is None or ours.until < theirs.until


def _once(request: httpx2.Request) -> bool:
    """Return whether a request must not be sent twice."""
    replayable = isinstance(request.stream, httpx2.ByteStream)
    repeat = repeat_of(request.method, request.headers.get, replayable=replayable)
    return repeat is not Repeat.FREELY
