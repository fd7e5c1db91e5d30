"""What the transports for httpx and httpx2 share: one attempt after the other, each within what is left."""

from collections.abc import Awaitable, Callable
from ssl import SSLContext
from typing import Any, Generic, TypeVar, cast

from uat_resilience.ambient import current_deadline
from uat_resilience.integrations.http.answer import Answer
from uat_resilience.integrations.http.call import Call
from uat_resilience.integrations.http.deadlines import awithin, within
from uat_resilience.integrations.http.exchange import AsyncExchange, Exchange, PolicyChoice
from uat_resilience.integrations.pool.attempt import Attempt
from uat_resilience.integrations.pool.connections import AsyncConnections, Connections
from uat_resilience.integrations.pool.library import Library, LibraryLimits, Limits
from uat_resilience.integrations.pool.request import Request

__all__ = ["AsyncTransport", "Transport"]

Q = TypeVar("Q", bound=Request)
R = TypeVar("R")


class Transport(Generic[Q, R]):
    """Guard every request of a client in sync code."""

    _deliver: Callable[[Attempt[Q]], R]

    def __init__(
        self,
        library: Library[Q, R],
        policy: PolicyChoice[Q],
        *,
        inner: Any,  # noqa: ANN401 - a transport of the library's, or None
        limits: LibraryLimits | None,
        verify: SSLContext | str | bool,
    ) -> None:
        allowed = Limits.given(inner, limits, verify, sends="handle_request")
        self._library = library
        self._kinship = library.dialect.kinship
        if inner is None:
            pool = Connections(library, library.context(verify), allowed)
            self._deliver, self._close = pool.deliver, pool.close
        else:
            self._deliver = lambda attempt: inner.handle_request(
                _made(library, attempt, attempt.bounded())
            )
            self._close = inner.close
        self._exchange = Exchange(policy, library.dialect, self._send)

    def handle_request(self, request: Q) -> R:
        """Send a request under its policy.

        Raises:
            CallRefusedError: It was not sent; also a `TransportError` of the library.
            TimedOutError: A deadline has passed; also a `TimeoutException` of the library.
        """
        return self._exchange.send(request)

    def close(self) -> None:
        """Close the connections."""
        self._close()

    def _send(self, call: Call[Q]) -> R:
        deadline, kinship = current_deadline.get(), self._kinship
        attempt = Attempt(call, deadline)
        response: Any = within(deadline, kinship.timed_out, self._deliver, attempt)
        response.stream = self._library.body(
            response.stream, Answer(deadline), headers=response.headers, kinship=kinship
        )
        return cast("R", response)


class AsyncTransport(Generic[Q, R]):
    """Guard every request of a client on asyncio and trio."""

    _deliver: Callable[[Attempt[Q]], Awaitable[R]]

    def __init__(
        self,
        library: Library[Q, R],
        policy: PolicyChoice[Q],
        *,
        inner: Any,  # noqa: ANN401 - a transport of the library's, or None
        limits: LibraryLimits | None,
        verify: SSLContext | str | bool,
    ) -> None:
        allowed = Limits.given(inner, limits, verify, sends="handle_async_request")
        self._library = library
        self._kinship = library.dialect.kinship
        if inner is None:
            pool = AsyncConnections(library, library.context(verify), allowed)
            self._deliver, self._close = pool.deliver, pool.aclose
        else:
            self._deliver = lambda attempt: inner.handle_async_request(
                _made(library, attempt, dict(attempt.request.extensions))
            )
            self._close = inner.aclose
        self._exchange = AsyncExchange(policy, library.dialect, self._send)

    async def handle_async_request(self, request: Q) -> R:
        """Send a request under its policy.

        Raises:
            CallRefusedError: It was not sent; also a `TransportError` of the library.
            TimedOutError: A deadline has passed; also a `TimeoutException` of the library.
        """
        return await self._exchange.send(request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._close()

    async def _send(self, call: Call[Q]) -> R:
        deadline, kinship = current_deadline.get(), self._kinship
        attempt = Attempt(call, deadline)
        response: Any = await awithin(deadline, lambda: self._deliver(attempt))
        response.stream = self._library.abody(
            response.stream, Answer(deadline), headers=response.headers, kinship=kinship
        )
        return cast("R", response)


def _made(library: Library[Q, R], attempt: Attempt[Q], extensions: dict[str, Any]) -> Q:
    """Make a request of an attempt, for a transport of the user's."""
    request = attempt.request
    return library.request(
        request.method,
        request.url,
        headers=attempt.headers,
        stream=request.stream,
        extensions=extensions,
    )
