"""One answer on its way out: what each answer carries, and what is answered in place of an error."""

import sys
from collections.abc import Awaitable
from dataclasses import dataclass

from uat_resilience.integrations.headers import REQUEST_ID, SHOULD_RETRY
from uat_resilience.integrations.serving.asgi_types import (
    Message,
    RawHeaders,
    Scope,
    Send,
    encoded,
)
from uat_resilience.integrations.serving.problem import CRASH, MEDIA_TYPE, Problem, problem
from uat_resilience.integrations.serving.request_context import RequestContext
from uat_resilience.lifecycle.shutdown import GracefulShutdown

__all__ = ["Answer", "Manner"]

_REQUEST_ID = REQUEST_ID.lower().encode("ascii")
_LENGTH = len(_REQUEST_ID)  # Which is that of `content-type`, too.
_FIRST = _REQUEST_ID[:1] + _REQUEST_ID[:1].upper()
_SPENT = encoded([(SHOULD_RETRY, "false")])
_CLOSE = encoded([("Connection", "close")])
_FAILED = 500


@dataclass(frozen=True, slots=True)
class Manner:
    """What all answers of one middleware have in common.

    Attributes:
        shutdown: Connections had better end once it has begun. None if there is none.
        retry_after: Seconds to ask for where a refusal does not know any.
    """

    shutdown: GracefulShutdown | None
    retry_after: float


class Answer:
    """Pass messages on to the server, with the id of the request on the first.

    Args:
        scope: Of the request that is answered.
        send: Where messages go.
        context: What the request brings.
        manner: How it is answered.

    Attributes:
        correlation: Which request is answered.
        status: Status of the answer, or None until it has begun.
        complete: True when the server has taken all of it.
    """

    __slots__ = (
        "_context",
        "_ended",
        "_manner",
        "_scope",
        "_send",
        "complete",
        "correlation",
        "status",
    )

    def __init__(self, scope: Scope, send: Send, context: RequestContext, manner: Manner) -> None:
        self.correlation = context.correlation
        self.status: int | None = None
        self.complete = False
        self._scope = scope
        self._send = send
        self._context = context
        self._manner = manner
        self._ended = False

    def send(self, message: Message) -> Awaitable[None]:
        """Pass on a message of the application; drop it when something was answered in its place."""
        # No coroutine of its own around that of the server, but for the last: it would cost more than all that is
        # done here.
        if self._ended:
            return _drop()
        kind = message["type"]
        if kind == "http.response.body" and not message.get("more_body", False):
            return self._finish(message)
        if kind != "http.response.start":
            return self._send(message)
        # A framework that answers what came out of a handler with its own 500 does so while it handles the
        # error. For a refusal, which means something else, the answer is ours.
        error = sys.exception() if message["status"] == _FAILED else None
        return self._begin(message) if error is None else self._begin_in(error, message)

    def _begin(self, message: Message, *, crashed: bool = False) -> Awaitable[None]:
        status: int = message["status"]
        self.status = status
        headers: RawHeaders = [*message.get("headers", ())]
        for name, _ in headers:
            if len(name) == _LENGTH and name[0] in _FIRST and bytes(name).lower() == _REQUEST_ID:
                headers = [pair for pair in headers if bytes(pair[0]).lower() != _REQUEST_ID]
                break
        shutdown = self._manner.shutdown
        if status < _FAILED and not crashed and (shutdown is None or shutdown.ready):
            headers.append((_REQUEST_ID, self.correlation.request_id.encode()))  # Nearly all.
        else:
            headers += self._carried(status, crashed=crashed)
        return self._send({**message, "headers": headers})

    async def _finish(self, message: Message) -> None:
        await self._send(message)
        self.complete = True

    async def _begin_in(self, error: BaseException, message: Message) -> None:
        if not await self.explain(error):
            await self._begin(message, crashed=True)

    async def explain(self, error: BaseException | None) -> bool:
        """Answer an error of this library; False when it is none, or comes too late to be answered."""
        found = problem(error, retry_after=self._manner.retry_after)
        if found is None or (self.status is not None and not self._ended):
            return False
        if not self._ended:
            await self._give(found)
        return True

    async def apologise(self) -> None:
        """Answer an error that is nobody's plan, unless it comes too late."""
        if self.status is None:
            await self._give(CRASH, crashed=True)
        self._ended = True

    async def _give(self, found: Problem, *, crashed: bool = False) -> None:
        self._ended, self.status = True, found.status
        body = found.body(self.correlation.request_id)
        kind = [("Content-Type", MEDIA_TYPE), ("Content-Length", str(len(body)))]
        await self._send(
            {
                "type": "http.response.start",
                "status": found.status,
                "headers": encoded([*kind, *found.headers])
                + self._carried(found.status, crashed=crashed),
            }
        )
        await self._finish({"type": "http.response.body", "body": body})

    def _carried(self, status: int, *, crashed: bool) -> RawHeaders:
        carried = [(_REQUEST_ID, self.correlation.request_id.encode())]
        if status >= _FAILED and self._context.spent:
            carried += _SPENT
        # A server closes the connection when an error comes out of the application, and a caller that does not
        # know sends its next request into nothing.
        shutdown = self._manner.shutdown
        ends = crashed or (shutdown is not None and not shutdown.ready)
        if ends and self._scope["http_version"] < "2":
            carried += _CLOSE
        return carried


async def _drop() -> None:
    """Send nothing."""
