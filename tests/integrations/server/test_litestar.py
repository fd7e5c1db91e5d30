"""The Litestar plugin."""

import asyncio
import json
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from litestar import Litestar, Request, Response, get
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp
from litestar.types import Receive as LitestarReceive
from litestar.types import Scope as LitestarScope
from litestar.types import Send as LitestarSend
from tests.integrations.server.serving import serving

from uat_resilience import CircuitOpenError, GracefulShutdown, HealthRegistry, TimedOutError
from uat_resilience.integrations.asgi import ResilienceReport
from uat_resilience.integrations.litestar import ResiliencePlugin

Served = httpx.Client


@get("/refused")
async def refused() -> None:
    raise CircuitOpenError("orders-db", retry_after=3.0)


@get("/late")
async def late() -> None:
    raise TimedOutError("orders-db", after=1.0)


def litestar(**options: Any) -> Litestar:
    given = {"logging_config": None, "openapi_config": None, "route_handlers": [refused, late]}
    return Litestar(**{**given, **options})


class Guarded(ASGIMiddleware):
    """Authentication that lets nobody in, except where a route says so."""

    exclude_opt_key = "exclude_from_auth"

    async def handle(
        self,
        scope: LitestarScope,
        receive: LitestarReceive,
        send: LitestarSend,
        next_app: ASGIApp,
    ) -> None:
        headers: Any = []
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def test_routes_of_operators_are_there_and_need_no_credentials() -> None:
    health = HealthRegistry()

    @health.check("database")
    async def database() -> None: ...

    plugin = ResiliencePlugin(health=health, report=ResilienceReport("orders"))
    app = litestar(plugins=[plugin], middleware=[Guarded()])
    with serving(app, lifespan="on") as served, Served(base_url=served.url) as client:
        paths = ("/health/live", "/health/startup", "/resilience", "/refused")
        statuses = [client.get(path).status_code for path in paths]
        report = client.get("/resilience")

    assert statuses == [200, 200, 200, 401]
    assert report.headers["content-type"] == "application/json"
    assert report.headers["cache-control"] == "no-store"
    assert report.json()["service"] == "orders"


def test_checks_run_while_the_application_does() -> None:
    health = HealthRegistry()
    ran: list[str] = []

    @health.check("database")
    async def database() -> None:
        ran.append("database")

    with (
        serving(litestar(plugins=[ResiliencePlugin(health=health)]), lifespan="on") as served,
        Served(base_url=served.url) as client,
    ):
        ready = client.get("/health/ready")

    assert ran == ["database"]
    assert ready.json()["checks"]["database"]["status"] == "healthy"


def test_routes_are_not_there_unless_they_are_asked_for() -> None:
    app = litestar(plugins=[ResiliencePlugin()])
    with serving(app, lifespan="on") as served, Served(base_url=served.url) as client:
        statuses = [client.get(path).status_code for path in ("/health/live", "/resilience")]

    assert statuses == [404, 404]


def test_refusals_are_answered_where_the_middleware_is_not(caplog: Any) -> None:
    app = litestar(plugins=[ResiliencePlugin()])
    with serving(app, lifespan="off") as served, Served(base_url=served.url) as client:
        answers = [client.get(path) for path in ("/refused", "/late")]

    assert [each.status_code for each in answers] == [503, 504]
    assert {each.headers["content-type"] for each in answers} == {"application/problem+json"}
    assert answers[0].headers["retry-after"] == "3"
    assert "request_id" not in answers[0].json()


def test_handlers_of_the_application_come_first() -> None:
    def mine(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
        return Response("mine", status_code=418)

    app = litestar(plugins=[ResiliencePlugin()], exception_handlers={CircuitOpenError: mine})
    with serving(app, lifespan="on") as served, Served(base_url=served.url) as client:
        answer = client.get("/refused")

    assert (answer.status_code, answer.text) == (418, "mine")


def test_drain_comes_before_the_rest_of_the_lifespan_ends() -> None:
    ended: list[str] = []
    shutdown = GracefulShutdown()
    shutdown.on_close(lambda: ended.append("closers"))

    @asynccontextmanager
    async def database(app: Litestar) -> AsyncGenerator[None]:
        yield
        ended.append("database")

    app = litestar(plugins=[ResiliencePlugin(shutdown=shutdown)], lifespan=[database])
    with serving(app, lifespan="on"):
        pass

    assert ended == ["closers", "database"]


def test_signal_begins_the_shutdown_while_the_application_runs() -> None:
    shutdown = GracefulShutdown()
    app = litestar(plugins=[ResiliencePlugin(shutdown=shutdown)])

    async def main() -> None:
        async with app.lifespan():
            signal.raise_signal(signal.SIGTERM)
            await shutdown.arequested()

    before = signal.getsignal(signal.SIGTERM)
    asyncio.run(main())

    assert not shutdown.ready
    assert signal.getsignal(signal.SIGTERM) is before


def test_application_that_starts_again_is_wrapped_once() -> None:
    app = litestar(plugins=[ResiliencePlugin()])
    before = app.asgi_handler

    for _ in range(2):
        with serving(app, lifespan="on") as served, Served(base_url=served.url) as client:
            answer = client.get("/refused", headers={"X-Request-ID": "abc"})

    assert app.asgi_handler is before
    assert answer.headers.get_list("x-request-id") == ["abc"]
    assert json.loads(answer.content)["request_id"] == "abc"


def test_bad_argument_is_told_when_the_plugin_is_made() -> None:
    with pytest.raises(ValueError, match="max_timeout must be a finite number"):
        ResiliencePlugin(max_timeout=0.0)
    with pytest.raises(ValueError, match="report needs health, which is None"):
        ResiliencePlugin(report=ResilienceReport("orders"))
