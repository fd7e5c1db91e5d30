"""The HTTP libraries in their worlds, with one spelling for all of them.

A driver owns a guarded client, and one event loop for as long as it lives if its library is async.
"""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol, Self

import httpx
import httpx2
from anyio.from_thread import start_blocking_portal

import uat_resilience.integrations.httpx as for_httpx
import uat_resilience.integrations.httpx2 as for_httpx2
from uat_resilience import deadline

Body = bytes | Iterable[bytes] | None


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: list[tuple[str, str]]


class Driver(Protocol):
    """One library in one world. `errors` has its base error and its error for what took too long."""

    name: str
    error: type[Exception]
    late: type[Exception]

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
        def make() -> Any:
            transport = self.module.AsyncResilientTransport(policy, **settings)
            return self.library.AsyncClient(transport=transport, timeout=5.0)

        return _AsyncHttpxClient(self.backend, make)


class _AsyncHttpxClient:
    def __init__(self, backend: str, make: Callable[[], Any]) -> None:
        self.backend, self.make = backend, make

    def __enter__(self) -> Self:
        self.stack = ExitStack()
        self.portal = self.stack.enter_context(start_blocking_portal(self.backend))
        self.client = self.portal.call(self.run, self.make)
        return self

    def __exit__(self, *_: object) -> None:
        self.portal.call(self.client.aclose)
        self.stack.close()

    async def run(self, make: Callable[[], Any]) -> Any:
        return make()

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


async def _streamed(parts: Iterable[bytes]) -> Any:
    for part in parts:
        yield part


DRIVERS: list[Any] = [
    SyncHttpx(httpx, for_httpx),
    AsyncHttpx(httpx, for_httpx, "asyncio"),
    AsyncHttpx(httpx, for_httpx, "trio"),
    SyncHttpx(httpx2, for_httpx2),
    AsyncHttpx(httpx2, for_httpx2, "asyncio"),
]
