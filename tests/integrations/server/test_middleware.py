"""The middleware by itself, on asyncio and trio, on virtual time."""

import json
from typing import Any

import anyio
import pytest
from tests.integrations.server.asking import Asked, answer, answering, ask

from uat_resilience import (
    CircuitOpenError,
    GracefulShutdown,
    Priority,
    Retry,
    TimedOutError,
    deadline,
    priority,
    remaining,
)
from uat_resilience.ambient import (
    DrainSignal,
    current_deadline,
    current_drain,
    current_ledger,
    current_priority,
    retries_owned,
)
from uat_resilience.integrations.asgi import ResilienceMiddleware, Witness
from uat_resilience.integrations.headers import current_attempt, current_correlation

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Told:
    """An application that notes what it finds around it."""

    def __init__(self) -> None:
        self.left: list[float | None] = []
        self.owned: list[bool] = []
        self.attempts: list[int | None] = []
        self.ids: list[str] = []
        self.levels: list[Priority] = []
        self.drains: list[DrainSignal | None] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.left.append(remaining())
        self.owned.append(retries_owned.get())
        self.attempts.append(current_attempt.get())
        correlation = current_correlation.get()
        assert correlation is not None
        self.ids.append(correlation.request_id)
        self.levels.append(current_priority())
        self.drains.append(current_drain.get())
        await answer(send)


@pytest.fixture
def told() -> Told:
    return Told()


async def hanging(scope: Any, receive: Any, send: Any) -> None:
    await anyio.sleep_forever()


# --- deadlines


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        ({"x_request_timeout_ms": "1500"}, 1.5),
        ({"grpc_timeout": "2S"}, 2.0),
        ({"x_request_timeout_ms": "60000"}, 30.0),
        ({"x_request_timeout_ms": "soon"}, None),
        ({}, None),
    ],
)
async def test_deadline_comes_from_the_header_and_is_clamped(
    told: Told, headers: dict[str, str], left: float | None
) -> None:
    app = ResilienceMiddleware(told, max_timeout=30.0)

    await ask(app, **headers)

    assert told.left == [left if left is None else pytest.approx(left)]


async def test_request_that_names_no_deadline_gets_the_default(told: Told) -> None:
    app = ResilienceMiddleware(told, default_timeout=5.0)

    await ask(app)

    assert told.left == [pytest.approx(5.0)]


@pytest.mark.parametrize("spent", ["0", "-5"])
async def test_spent_deadline_is_answered_without_calling_the_application(
    told: Told, spent: str
) -> None:
    app = ResilienceMiddleware(told)

    reply = await ask(app, x_request_timeout_ms=spent)

    assert reply.status == 504
    assert told.left == []


async def test_request_is_cut_at_its_deadline_and_answered_with_504() -> None:
    app = ResilienceMiddleware(hanging)
    began = anyio.current_time()

    reply = await ask(app, x_request_timeout_ms="2000")

    assert reply.status == 504
    assert reply.headers["content-type"] == "application/problem+json"
    assert json.loads(reply.body)["type"] == "urn:uat-resilience:problem:deadline-exceeded"
    assert anyio.current_time() - began == pytest.approx(2.0)


async def test_error_after_the_answer_has_begun_goes_on() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await anyio.sleep_forever()

    asked = Asked("/", {"X-Request-Timeout-Ms": "100"})

    with pytest.raises(TimedOutError):
        await asked.to(ResilienceMiddleware(app))

    assert [each["type"] for each in asked.sent] == ["http.response.start"]


async def test_application_that_answers_after_all_is_not_heard_any_more() -> None:
    late: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        late.append(send)
        raise CircuitOpenError("db")

    asked = await Asked().to(ResilienceMiddleware(app))
    await answer(late[0], 200)

    assert asked.reply.status == 503


# --- what a request brings, and what it does not


async def test_nothing_of_an_earlier_request_is_left(told: Told) -> None:
    app = ResilienceMiddleware(told)

    async def in_the_context_of_another(scope: Any, receive: Any, send: Any) -> None:
        with priority(Priority.LOW):
            await ask(app)
        await answer(send)

    async with deadline(60.0):
        await ask(
            ResilienceMiddleware(in_the_context_of_another, shutdown=GracefulShutdown()),
            x_request_timeout_ms="1000",
            x_retry_attempt="2",
            x_request_id="first",
        )

    assert told.left == [None]
    assert told.owned == [False]
    assert told.attempts == [None]
    assert told.levels == [Priority.NORMAL]
    assert told.drains == [None]
    assert told.ids != ["first"]


async def test_work_that_a_shutdown_waits_for_hears_of_it_and_an_exempt_path_does_not(
    told: Told,
) -> None:
    shutdown = GracefulShutdown()
    app = ResilienceMiddleware(told, shutdown=shutdown)

    await Asked("/work").to(app)
    await Asked("/metrics").to(app)

    assert told.drains == [shutdown.signal, None]


async def test_context_is_as_before_once_the_request_is_over(told: Told) -> None:
    app = ResilienceMiddleware(told)

    await ask(app, x_request_timeout_ms="1000", x_retry_attempt="1", x_request_id="a")

    assert remaining() is None
    assert not retries_owned.get()
    assert current_attempt.get() is None
    assert current_correlation.get() is None
    assert (current_deadline.get(), current_drain.get(), current_ledger.get()) == (None,) * 3


async def test_caller_that_repeats_calls_owns_the_retries() -> None:
    calls: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await Retry(on=ConnectionError, attempts=5).acall(failing)

    async def failing() -> None:
        calls.append(1)
        raise ConnectionError

    asked = Asked("/", {"X-Retry-Attempt": "0"})

    with pytest.raises(ConnectionError):
        await asked.to(ResilienceMiddleware(app))

    assert len(calls) == 1
    assert "x-should-retry" not in asked.reply.headers


async def test_failed_answer_says_that_tries_are_spent() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await Retry(on=ConnectionError, attempts=2).acall(failing)

    async def failing() -> None:
        raise ConnectionError

    asked = Asked()

    with pytest.raises(ConnectionError):
        await asked.to(ResilienceMiddleware(app))

    assert asked.reply.status == 500
    assert asked.reply.headers["x-should-retry"] == "false"


async def test_good_answer_after_spent_tries_says_nothing_of_them() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await Retry(on=ConnectionError, attempts=2).acall(failing)
        except ConnectionError:
            await answer(send)

    async def failing() -> None:
        raise ConnectionError

    reply = await ask(ResilienceMiddleware(app))

    assert reply.status == 200
    assert "x-should-retry" not in reply.headers


async def test_retry_that_the_drain_woke_leaves_tries_to_others() -> None:
    shutdown = GracefulShutdown()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        shutdown.begin()
        await Retry(on=ConnectionError, attempts=2).acall(failing)

    async def failing() -> None:
        raise ConnectionError

    asked = Asked()

    with pytest.raises(ConnectionError):
        await asked.to(ResilienceMiddleware(app, shutdown=shutdown))

    assert "x-should-retry" not in asked.reply.headers


# --- correlation


@pytest.mark.parametrize(
    ("headers", "echoed"),
    [
        ({"x_request_id": "abc-1.2_3"}, "abc-1.2_3"),
        ({"traceparent": TRACE}, "0af7651916cd43dd8448eb211c80319c"),
    ],
)
async def test_correlation_is_taken_over_and_echoed(
    told: Told, headers: dict[str, str], echoed: str
) -> None:
    reply = await ask(ResilienceMiddleware(told), **headers)

    assert reply.headers["x-request-id"] == echoed
    assert told.ids == [echoed]


@pytest.mark.parametrize("headers", [{}, {"x_request_id": "a b"}, {"x_request_id": "x" * 129}])
async def test_request_without_a_good_id_gets_one(told: Told, headers: dict[str, str]) -> None:
    reply = await ask(ResilienceMiddleware(told), **headers)

    assert told.ids == [reply.headers["x-request-id"]]
    assert reply.headers["x-request-id"] not in headers.values()


async def test_id_that_the_application_sends_is_not_sent_twice() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"X-Request-ID", b"its-own"), (b"x-other", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    reply = await ask(ResilienceMiddleware(app), x_request_id="ours")

    assert reply.headers == {"x-request-id": "ours", "x-other": "1"}


# --- refusals and crashes


async def test_lifespan_passes_unseen() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope, receive, send))

    receive, send = object(), object()

    await ResilienceMiddleware(app)({"type": "lifespan"}, receive, send)

    assert seen == [({"type": "lifespan"}, receive, send)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_timeout": 0}, "max_timeout must be a finite number of seconds above 0, not 0"),
        ({"default_timeout": -1.0}, "default_timeout must be a finite number of seconds"),
        ({"retry_after": True}, "retry_after must be a finite number of seconds above 0"),
        ({"limiter": object()}, r"limiter must have permit\(\), not <object"),
        ({"shutdown": object()}, "shutdown must be a GracefulShutdown, not <object"),
        ({"priority": 3}, "priority must be callable or None, not 3"),
        ({"witness": 5}, r"witness must have begun\(\), crashed\(\) and ended\(\), not 5"),
        ({"witness": Witness}, "witness must have begun"),
        ({"exempt": "/health"}, "exempt must be a collection of paths, not '/health'"),
        ({"app": 1}, "app must be an ASGI application, not 1"),
    ],
)
def test_bad_argument_is_named_with_its_rule(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        ResilienceMiddleware(**{"app": answering(), **arguments})
