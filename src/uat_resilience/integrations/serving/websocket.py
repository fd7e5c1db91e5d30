"""WebSockets that end when the service does: closed with 1012, service restart, so that clients come back."""

from contextlib import ExitStack

import anyio

from uat_resilience.ambient import DrainSignal
from uat_resilience.clock import default_clock
from uat_resilience.errors import DrainingError
from uat_resilience.integrations.headers import REQUEST_ID
from uat_resilience.integrations.serving.asgi_types import (
    App,
    Message,
    Receive,
    Scope,
    Send,
    encoded,
)
from uat_resilience.integrations.serving.problem import MEDIA_TYPE, refusal
from uat_resilience.lifecycle.shutdown import GracefulShutdown
from uat_resilience.waiting import world

__all__ = ["WebSocket"]

RESTARTING = 1012


class WebSocket:
    """One connection: passes messages on, and closes it when the service drains.

    Args:
        scope: The connection.
        receive: Where messages come from.
        send: Where messages go.
        request_id: The id that is echoed when the connection is accepted.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, request_id: str) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._echo = encoded([(REQUEST_ID, request_id)])
        self._request_id = request_id
        self._closed = False
        self._drained = False

    async def send(self, message: Message) -> None:
        """Pass a message on.

        Raises:
            OSError: The connection was closed because the service drains. A lost one is told in the same way.
        """
        if self._drained:
            raise OSError("the connection was closed: the service is shutting down")
        if message["type"] == "websocket.accept":
            message = {**message, "headers": [*message.get("headers", ()), *self._echo]}
        elif message["type"] != "websocket.send":
            self._closed = True
        await self._send(message)

    async def serve(self, app: App, shutdown: GracefulShutdown | None, retry_after: float) -> None:
        """Run the application, as work that a shutdown waits for."""
        if shutdown is None:
            await app(self._scope, self._receive, self.send)
            return
        with ExitStack() as work:
            tracked = shutdown.track()
            try:
                work.enter_context(tracked)
            except DrainingError as error:
                await self._refuse(error, retry_after)
                return
            await self._serve(app, tracked.signal)

    async def _serve(self, app: App, signal: DrainSignal) -> None:
        failure: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._close_when_drained, signal)
            try:
                await app(self._scope, self._receive, self.send)
            except Exception as error:  # noqa: BLE001 - comes out below, as itself and not in a group
                failure = error
            group.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _close_when_drained(self, signal: DrainSignal) -> None:
        waiter = world().waiter()
        unsubscribe = signal.subscribe(waiter.grant)
        try:
            await waiter.wait(default_clock.clock, None)
        finally:
            unsubscribe()
        if not self._closed:
            # The server then tells the application that the connection is gone, which ends it.
            self._drained = True
            await self._send({"type": "websocket.close", "code": RESTARTING})

    async def _refuse(self, error: DrainingError, retry_after: float) -> None:
        await self._receive()
        found = refusal(error, retry_after=retry_after)
        if "websocket.http.response" not in self._scope.get("extensions", {}):
            await self._send({"type": "websocket.close", "code": RESTARTING})
            return
        told = [("Content-Type", MEDIA_TYPE), *found.headers]
        start = "websocket.http.response.start"
        headers = encoded(told) + self._echo
        await self._send({"type": start, "status": found.status, "headers": headers})
        body = found.body(self._request_id)
        await self._send({"type": "websocket.http.response.body", "body": body})
