"""What is made for a request, or for a service, is gone when that is over."""

import gc
from collections.abc import Generator
from weakref import ref

import pytest
from litestar import get

from uat_resilience.integrations.serving.asgi_types import App, Message, Scope
from uat_resilience.telemetry import CallSucceeded, default_bus
from uat_service.app import Service

pytestmark = pytest.mark.usefixtures("_loggers")


@get("/hello")
async def hello() -> str:
    return "hello"


class Connection:
    """Holds the scope, as with any server, and answers by a method of its own."""

    def __init__(self, path: str) -> None:
        self.status = 0
        self._scope: Scope = {
            "type": "http",
            "method": "GET",
            "http_version": "1.1",
            "path": path,
            "query_string": b"",
            "headers": [],
        }

    async def serve(self, app: App) -> None:
        await app(self._scope, self._receive, self._send)

    async def _receive(self) -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Message) -> None:
        self.status = message.get("status", self.status)


@pytest.fixture
def _uncollected() -> Generator[None]:
    """Let nothing go but what nobody refers to."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_silent", "_uncollected")
@pytest.mark.parametrize(("path", "status"), [("/hello", 200), ("/health", 503)])
async def test_request_leaves_nothing_to_the_garbage_collector(path: str, status: int) -> None:
    service = Service("orders", routes=[hello])
    connection = Connection(path)
    await connection.serve(service)
    answered, gone = connection.status, ref(connection)

    # What the scope leads to must not lead back to the connection.
    del connection

    assert gone() is None
    assert answered == status


@pytest.mark.usefixtures("capfd", "_nobody_listens")
async def test_service_that_is_over_counts_no_more() -> None:
    service = Service("orders", routes=[hello])
    began = default_bus.wants(CallSucceeded), default_bus.outcomes_wanted

    async with service.litestar.lifespan():
        assert default_bus.outcomes_wanted

    assert not default_bus.outcomes_wanted
    assert began == (False, True)
