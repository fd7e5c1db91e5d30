"""The middleware by itself, on asyncio and trio, on virtual time."""

import json
from typing import Any

import anyio
import pytest
from tests.integrations.server.asking import Asked, answer, answering, ask, raising

from uat_resilience import (
    AIMD,
    AdaptiveLimiter,
    Bulkhead,
    DrainingError,
    GracefulShutdown,
    LoadShedder,
    Priority,
)
from uat_resilience.integrations.asgi import ResilienceMiddleware


async def hanging(scope: Any, receive: Any, send: Any) -> None:
    await anyio.sleep_forever()


# --- deadlines


class Gate:
    """An application that holds its requests until it is opened."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.open = anyio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.open.wait()
        await answer(send, self.status)


@pytest.mark.parametrize(
    ("limiter", "kind"),
    [
        (Bulkhead(2), "bulkhead-full"),
        (AdaptiveLimiter(AIMD(initial=2)), "overloaded"),
        (LoadShedder(2, queue=0), "overloaded"),
    ],
    ids=["bulkhead", "adaptive", "shedder"],
)
async def test_requests_beyond_the_limit_are_refused_and_probes_are_not(
    limiter: Any, kind: str
) -> None:
    gate = Gate()
    app = ResilienceMiddleware(gate, limiter=limiter, exempt=["/health/live"])
    held = [Asked(), Asked(), Asked("/health/live")]

    async with anyio.create_task_group() as group:
        for each in held:
            group.start_soon(each.to, app)
        await anyio.wait_all_tasks_blocked()
        refused = await ask(app)
        gate.open.set()

    assert refused.status == 503
    assert refused.headers["retry-after"] == "1"
    assert json.loads(refused.body)["type"] == f"urn:uat-resilience:problem:{kind}"
    assert [each.reply.status for each in held] == [200, 200, 200]
    assert limiter.snapshot().running == 0


async def test_important_requests_go_before_others() -> None:
    gate = Gate()
    app = ResilienceMiddleware(
        gate,
        limiter=AdaptiveLimiter(AIMD(initial=1), queue=1),
        priority=lambda scope: Priority.HIGH if scope["path"] == "/pay" else Priority.LOW,
    )
    inside, report, pay = Asked(), Asked("/report"), Asked("/pay")

    async with anyio.create_task_group() as group:
        for each in (inside, report, pay):
            group.start_soon(each.to, app)
            await anyio.wait_all_tasks_blocked()
        gate.open.set()

    assert [each.reply.status for each in (inside, report, pay)] == [200, 503, 200]


@pytest.mark.parametrize(("status", "limit"), [(500, 9), (503, 10), (200, 10)])
async def test_failed_answers_lower_an_adaptive_limit_and_refusals_do_not(
    status: int, limit: int
) -> None:
    limiter = AdaptiveLimiter(AIMD(initial=10))
    app = ResilienceMiddleware(answering(status), limiter=limiter)

    await ask(app)

    assert limiter.snapshot().limit == limit


async def test_cancelled_request_gives_its_permit_back() -> None:
    slots = Bulkhead(1)
    shutdown = GracefulShutdown()
    app = ResilienceMiddleware(hanging, limiter=slots, shutdown=shutdown)

    with anyio.move_on_after(1.0):
        await Asked().to(app)

    assert slots.snapshot().running == 0
    assert shutdown.running == 0


# --- draining


async def test_draining_service_finishes_what_runs_and_refuses_the_rest() -> None:
    gate, shutdown = Gate(), GracefulShutdown()
    app = ResilienceMiddleware(gate, shutdown=shutdown, exempt=["/health/live"])
    running, probe = Asked(), Asked("/health/live")

    async with anyio.create_task_group() as group:
        group.start_soon(running.to, app)
        await anyio.wait_all_tasks_blocked()
        shutdown.begin()
        refused = await ask(app)
        group.start_soon(probe.to, app)
        await anyio.wait_all_tasks_blocked()
        gate.open.set()

    assert refused.status == 503
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["connection"] == "close"
    assert running.reply.status == 200
    assert running.reply.headers["connection"] == "close"
    assert probe.reply.status == 200
    assert await shutdown.adrained()


async def test_probe_behind_a_prefix_is_served_while_draining() -> None:
    shutdown = GracefulShutdown()
    shutdown.begin()
    app = ResilienceMiddleware(answering(), shutdown=shutdown, limiter=Bulkhead(1))

    probe = await Asked("/api/health/live", scope={"root_path": "/api"}).to(app)
    other = await Asked("/api/orders", scope={"root_path": "/api"}).to(app)

    assert [probe.reply.status, other.reply.status] == [200, 503]


async def test_connections_of_http_2_are_not_told_to_close() -> None:
    shutdown = GracefulShutdown()
    shutdown.begin()
    app = ResilienceMiddleware(answering(), shutdown=shutdown)

    asked = await Asked(scope={"http_version": "2"}).to(app)

    assert asked.reply.status == 503
    assert "connection" not in asked.reply.headers


async def test_refusal_of_an_application_that_drains_itself_is_answered_too() -> None:
    reply = await ask(ResilienceMiddleware(raising(DrainingError("inner")), retry_after=5.0))

    assert reply.status == 503
    assert reply.headers["retry-after"] == "5"


# --- other scopes, arguments
