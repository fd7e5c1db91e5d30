"""WebSockets: the id of the request, no deadline, no permit, and an end with 1012."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from tests.integrations.server.asking import answering, ask
from tests.integrations.server.serving import PATIENCE, serving
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from uat_resilience import Bulkhead, GracefulShutdown, remaining
from uat_resilience.ambient import current_drain
from uat_resilience.integrations.asgi import ResilienceMiddleware
from uat_resilience.integrations.headers import current_correlation
from uat_resilience.integrations.serving.asgi_types import App, Message


class Client:
    """A client of a WebSocket application in this process, and the server between the two."""

    def __init__(self, **scope: Any) -> None:
        self.sent: list[Message] = []
        self._scope = {"type": "websocket", "path": "/", "headers": [], **scope}
        self._closed = anyio.Event()
        self._connected = False

    async def to(self, app: App) -> "Client":
        await app(self._scope, self._receive, self._send)
        return self

    @property
    def codes(self) -> list[int]:
        return [each["code"] for each in self.sent if each["type"] == "websocket.close"]

    async def _receive(self) -> Message:
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        await self._closed.wait()
        return {"type": "websocket.disconnect", "code": self.codes[0]}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)
        if message["type"] == "websocket.close":
            self._closed.set()


async def listening(scope: Any, receive: Any, send: Any) -> None:
    """Accept, and listen until the connection is gone."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


def after_accepting(then: Callable[[Any, Any], Any]) -> App:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await then(receive, send)

    return app


async def test_connection_gets_the_id_and_no_deadline() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.extend((remaining(), current_correlation.get()))
        await receive()
        await send({"type": "websocket.accept", "headers": [(b"a", b"b")]})
        await send({"type": "websocket.send", "text": "hello"})
        await send({"type": "websocket.close", "code": 1000})

    headers = [(b"x-request-timeout-ms", b"100"), (b"x-request-id", b"abc")]
    client = await Client(headers=headers).to(ResilienceMiddleware(app, default_timeout=1.0))

    assert seen[0] is None
    assert seen[1].request_id == "abc"
    assert client.sent[0]["headers"] == [(b"a", b"b"), (b"x-request-id", b"abc")]
    assert client.sent[1] == {"type": "websocket.send", "text": "hello"}


async def test_connection_takes_no_permit() -> None:
    slots = Bulkhead(1)
    app = ResilienceMiddleware(listening, limiter=slots)

    async with anyio.create_task_group() as group:
        group.start_soon(Client().to, app)
        await anyio.wait_all_tasks_blocked()
        running = slots.snapshot().running
        group.cancel_scope.cancel()

    assert running == 0


async def test_drain_closes_open_connections_with_1012() -> None:
    shutdown, client = GracefulShutdown(), Client()
    app = ResilienceMiddleware(listening, shutdown=shutdown)

    async with anyio.create_task_group() as group:
        group.start_soon(client.to, app)
        await anyio.wait_all_tasks_blocked()
        running = shutdown.running
        drained = await shutdown.adrained()

    assert running == 1
    assert drained
    assert client.codes == [1012]


async def test_application_that_only_sends_learns_it_by_an_error() -> None:
    shutdown, client = GracefulShutdown(), Client()

    async def talk(receive: Any, send: Any) -> None:
        drain = current_drain.get()
        assert drain is not None
        shutdown.begin()
        await anyio.wait_all_tasks_blocked()
        await send({"type": "websocket.send", "text": "still here"})

    with pytest.raises(OSError, match="shutting down"):
        await client.to(ResilienceMiddleware(after_accepting(talk), shutdown=shutdown))

    assert client.codes == [1012]
    assert await shutdown.adrained()


async def test_connection_that_the_application_closed_is_not_closed_again() -> None:
    shutdown, client = GracefulShutdown(), Client()

    async def bye(receive: Any, send: Any) -> None:
        await send({"type": "websocket.close", "code": 1000})
        shutdown.begin()
        await anyio.wait_all_tasks_blocked()

    await client.to(ResilienceMiddleware(after_accepting(bye), shutdown=shutdown))

    assert client.codes == [1000]


async def test_error_of_the_application_comes_out_as_itself() -> None:
    async def fail(receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    app = ResilienceMiddleware(after_accepting(fail), shutdown=GracefulShutdown())

    with pytest.raises(ZeroDivisionError):
        await Client().to(app)


async def test_draining_service_refuses_connections() -> None:
    shutdown = GracefulShutdown()
    shutdown.begin()
    app = ResilienceMiddleware(listening, shutdown=shutdown)

    plain = await Client().to(app)
    told = await Client(extensions={"websocket.http.response": {}}).to(app)

    assert plain.codes == [1012]
    assert [each["type"] for each in told.sent] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
    assert told.sent[0]["status"] == 503
    assert (b"retry-after", b"1") in told.sent[0]["headers"]


def test_real_client_is_refused_and_closed() -> None:
    shutdown = GracefulShutdown()
    with serving(ResilienceMiddleware(listening, shutdown=shutdown)) as served:
        address = f"ws://127.0.0.1:{served.port}/"
        with connect(address, additional_headers={"X-Request-ID": "abc"}) as client:
            response = client.response
            shutdown.begin()
            with pytest.raises(ConnectionClosed) as closed:
                client.recv(PATIENCE)
        with pytest.raises(InvalidStatus) as refused:
            connect(address)
        drained = shutdown.drained()

    assert response is not None
    assert response.headers["x-request-id"] == "abc"
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert refused.value.response.status_code == 503
    assert refused.value.response.headers["retry-after"] == "1"
    assert drained


async def test_http_is_served_beside_them() -> None:
    reply = await ask(ResilienceMiddleware(answering(), shutdown=GracefulShutdown()))

    assert reply.status == 200
