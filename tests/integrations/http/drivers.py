"""The HTTP libraries in their worlds, with one spelling for all of them.

A driver owns a guarded client, and one event loop for as long as it lives if its library is async.
"""

import ssl
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol, Self

import aiohttp
import httpx
import httpx2
import requests
from anyio.from_thread import start_blocking_portal
from urllib3 import HTTPResponse

import uat_resilience.integrations.aiohttp as for_aiohttp
import uat_resilience.integrations.httpx as for_httpx
import uat_resilience.integrations.httpx2 as for_httpx2
import uat_resilience.integrations.requests as for_requests
from uat_resilience import deadline

Body = bytes | Iterable[bytes] | None


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: list[tuple[str, str]]


class Driver(Protocol):
    """One library in one world.

    `error` is the base of its errors, `late` its error for what took too long, `broken` for a body that breaks
    off.
    `bounds_each_wait_only` says that a server can draw out what it is waited for.
    """

    name: str
    error: type[Exception]
    late: type[Exception]
    broken: type[Exception]
    bounds_each_wait_only: bool

    def status(self, response: Any) -> int:
        """Return the status of the library's own response."""

    def response(self) -> Any:
        """Return a response of the library's with status 203, or None where only the library makes them."""

    def open(self, policy: Any = None, **settings: Any) -> AbstractContextManager["Client"]:
        """Open a guarded client."""

    def per_host(self, **settings: Any) -> Any:
        """Return the library's policies per host."""


class Client(Protocol):
    """A guarded client."""

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        content: Body = None,
        around: Callable[[], AbstractContextManager[object]] = nullcontext,
        within: float | None = None,
    ) -> Reply:
        """Send a request and read its answer: inside `around()`, and within a deadline."""

    def peek(self, url: str, look: Callable[[int], None]) -> None:
        """Open an answer, call `look(status)` with its body unread, and leave it there."""


class Httpx:
    """What the drivers for httpx and httpx2 share."""

    bounds_each_wait_only = False
    library: Any
    module: Any

    def status(self, response: Any) -> int:
        return response.status_code

    def response(self) -> Any:
        return self.library.Response(203, content=b"made here")

    def learn(self, library: Any, module: Any) -> None:
        self.library, self.module = library, module
        self.error = self.broken = library.TransportError
        self.late = library.TimeoutException
        self.per_host = module.per_host


class SyncHttpx(Httpx):
    """httpx or httpx2 in sync code."""

    def __init__(self, library: Any, module: Any) -> None:
        self.name = f"{library.__name__}-sync"
        self.learn(library, module)

    def open(self, policy: Any = None, **settings: Any) -> Any:
        _trusting(settings)
        return _SyncHttpxClient(
            self.library.Client(
                transport=self.module.ResilientTransport(policy, **settings), timeout=5.0
            )
        )


class _SyncHttpxClient:
    def __init__(self, client: Any) -> None:
        self.client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        content: Body = None,
        around: Callable[[], AbstractContextManager[object]] = nullcontext,
        within: float | None = None,
    ) -> Reply:
        with around(), deadline(within) if within else nullcontext():
            answer = self.client.request(method, url, headers=headers, content=content)
        return Reply(answer.status_code, answer.content, answer.headers.multi_items())

    def peek(self, url: str, look: Callable[[int], None]) -> None:
        with self.client.stream("GET", url) as answer:
            look(answer.status_code)


class AsyncHttpx(Httpx):
    """httpx or httpx2 on an event loop."""

    def __init__(self, library: Any, module: Any, backend: str) -> None:
        self.name = f"{library.__name__}-{backend}"
        self.backend = backend
        self.learn(library, module)

    def open(self, policy: Any = None, **settings: Any) -> Any:
        _trusting(settings)

        def make() -> Any:
            transport = self.module.AsyncResilientTransport(policy, **settings)
            return self.library.AsyncClient(transport=transport, timeout=5.0)

        return _AsyncHttpxClient(self.backend, make)


class _InPortal:
    """A client in an event loop of its own, in another thread."""

    backend = "asyncio"

    def __enter__(self) -> Self:
        # A portal that is left open is closed by the garbage collector, maybe in the loop of another one.
        with ExitStack() as stack:
            self.portal = stack.enter_context(start_blocking_portal(self.backend))
            self.client = self.portal.call(self.make)
            stack.callback(lambda: self.portal.call(self.close))
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    async def make(self) -> Any:
        """Make the client."""

    async def close(self) -> None:
        """Close the client."""


class _AsyncHttpxClient(_InPortal):
    def __init__(self, backend: str, opened: Callable[[], Any]) -> None:
        self.backend, self.opened = backend, opened

    async def make(self) -> Any:
        return self.opened()

    async def close(self) -> None:
        await self.client.aclose()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        content: Body = None,
        around: Callable[[], AbstractContextManager[object]] = nullcontext,
        within: float | None = None,
    ) -> Reply:
        sent = content if isinstance(content, bytes | None) else _streamed(content)

        async def body() -> Reply:
            with around():
                async with deadline(within) if within else nullcontext():
                    answer = await self.client.request(method, url, headers=headers, content=sent)
            return Reply(answer.status_code, answer.content, answer.headers.multi_items())

        return self.portal.call(body)

    def peek(self, url: str, look: Callable[[int], None]) -> None:
        async def body() -> None:
            async with self.client.stream("GET", url) as answer:
                look(answer.status_code)

        self.portal.call(body)

    def run_async(self, body: Callable[[Any], Awaitable[object]]) -> Any:
        """Run a coroutine function, given the library's own client, on the driver's loop."""
        return self.portal.call(body, self.client)


class Requests:
    """requests, in sync code."""

    name = "requests"
    error: type[Exception] = requests.RequestException
    late: type[Exception] = requests.Timeout
    broken: type[Exception] = requests.RequestException
    bounds_each_wait_only = True
    per_host = staticmethod(for_requests.per_host)

    def status(self, response: Any) -> int:
        return response.status_code

    def response(self) -> Any:
        made = requests.Response()
        made.status_code, made._content = 203, b"made here"
        made.request = requests.Request("GET", "http://here").prepare()
        made.raw = HTTPResponse(b"")
        return made

    def open(self, policy: Any = None, **settings: Any) -> Any:
        session = requests.Session()
        session.trust_env = False
        session.mount("http://", for_requests.ResilientAdapter(policy, **settings))
        return _RequestsClient(session)


class _RequestsClient:
    def __init__(self, session: requests.Session) -> None:
        self.client = session

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        content: Body = None,
        around: Callable[[], AbstractContextManager[object]] = nullcontext,
        within: float | None = None,
    ) -> Reply:
        with around(), deadline(within) if within else nullcontext():
            answer = self.client.request(method, url, headers=headers, data=content, timeout=5.0)
        return Reply(answer.status_code, answer.content, list(answer.headers.items()))

    def peek(self, url: str, look: Callable[[int], None]) -> None:
        with self.client.get(url, stream=True, timeout=5.0) as answer:
            look(answer.status_code)


class Aiohttp:
    """aiohttp, on asyncio."""

    name = "aiohttp"
    error: type[Exception] = aiohttp.ClientError
    late: type[Exception] = aiohttp.ServerTimeoutError
    broken: type[Exception] = aiohttp.ClientError
    bounds_each_wait_only = False
    per_host = staticmethod(for_aiohttp.per_host)

    def status(self, response: Any) -> int:
        return response.status

    def response(self) -> None:
        """Nobody but aiohttp makes its responses."""

    def open(self, policy: Any = None) -> Any:
        return _AiohttpClient(policy)


class _AiohttpClient(_InPortal):
    def __init__(self, policy: Any) -> None:
        self.policy = policy

    async def make(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(middlewares=(for_aiohttp.ResilienceMiddleware(self.policy),))

    async def close(self) -> None:
        await self.client.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        content: Body = None,
        around: Callable[[], AbstractContextManager[object]] = nullcontext,
        within: float | None = None,
    ) -> Reply:
        sent = content if isinstance(content, bytes | None) else _streamed(content)

        async def body() -> Reply:
            with around():
                async with (
                    deadline(within) if within else nullcontext(),
                    self.client.request(method, url, headers=headers, data=sent) as answer,
                ):
                    read = await answer.read()
            return Reply(answer.status, read, list(answer.headers.items()))

        return self.portal.call(body)

    def peek(self, url: str, look: Callable[[int], None]) -> None:
        async def body() -> None:
            async with self.client.get(url) as answer:
                look(answer.status)

        self.portal.call(body)


async def _streamed(parts: Iterable[bytes]) -> Any:
    for part in parts:
        yield part


TRUST = ssl.create_default_context()


def _trusting(settings: dict[str, Any]) -> None:
    """Use one context for all: making one takes longer than most tests."""
    if "inner" not in settings:
        settings.setdefault("verify", TRUST)


DRIVERS: list[Any] = [
    SyncHttpx(httpx, for_httpx),
    AsyncHttpx(httpx, for_httpx, "asyncio"),
    AsyncHttpx(httpx, for_httpx, "trio"),
    SyncHttpx(httpx2, for_httpx2),
    AsyncHttpx(httpx2, for_httpx2, "asyncio"),
    Requests(),
    Aiohttp(),
]
