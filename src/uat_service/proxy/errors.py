"""What goes wrong between a proxy and an upstream, and how it is answered.

    ProxyError
    ├── RefusedRequestError   400  the request cannot be passed on without being misread
    ├── NowhereError          404  the request is for no upstream
    ├── UnreachableError      502  no connection: nothing was sent
    ├── BrokenAnswerError     502  the answer ended early, or is no HTTP
    └── SilentUpstreamError   504  nothing came for too long

Once an answer has begun it cannot be taken back. Then the error goes on to the server, which breaks the connection
off, so that nobody takes half an answer for a whole one.
"""

from http import HTTPStatus

from uat_resilience.integrations.headers import current_correlation
from uat_resilience.integrations.serving.asgi_types import Send, encoded
from uat_resilience.integrations.serving.problem import MEDIA_TYPE, Problem

__all__ = [
    "BrokenAnswerError",
    "NowhereError",
    "ProxyError",
    "RefusedRequestError",
    "SilentUpstreamError",
    "UnreachableError",
    "told",
]


class ProxyError(Exception):
    """Something went wrong between a proxy and an upstream.

    Attributes:
        status: Of the answer, when none has begun.
        kind: Last part of the type of the problem.
        title: The same in words. It never names the upstream: strangers read it.
    """

    status = HTTPStatus.BAD_GATEWAY
    kind = "bad-gateway"
    title = "Something behind the service did not answer properly"


class RefusedRequestError(ProxyError):
    """The request cannot be passed on without being misread."""

    status = HTTPStatus.BAD_REQUEST
    kind = "bad-request"
    title = "The request is not well-formed"


class NowhereError(ProxyError):
    """The request is for no upstream."""

    status = HTTPStatus.NOT_FOUND
    kind = "not-found"
    title = "There is nothing here"


class UnreachableError(ProxyError):
    """There is no connection to the upstream: nothing was sent."""

    kind = "upstream-unreachable"
    title = "Something behind the service cannot be reached"


class BrokenAnswerError(ProxyError):
    """The answer of the upstream ended early, or is no HTTP."""


class SilentUpstreamError(ProxyError):
    """Nothing came from the upstream for too long."""

    status = HTTPStatus.GATEWAY_TIMEOUT
    kind = "gateway-timeout"
    title = "Something behind the service did not answer in time"


async def told(error: ProxyError, send: Send) -> None:
    """Answer a request with what went wrong, as problem details (RFC 9457)."""
    correlation = current_correlation.get()
    body = Problem(error.status, error.kind, error.title).body(
        None if correlation is None else correlation.request_id
    )
    headers = encoded([("Content-Type", MEDIA_TYPE), ("Content-Length", str(len(body)))])
    await send({"type": "http.response.start", "status": int(error.status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
