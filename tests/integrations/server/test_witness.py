"""Whoever witnesses requests sees each begin and end once, whatever becomes of it."""

from dataclasses import dataclass, field

import anyio
import pytest
from tests.integrations.server.asking import Asked, answering, ask, raising

from uat_resilience import CircuitOpenError, GracefulShutdown
from uat_resilience.integrations.asgi import Answer, ResilienceMiddleware
from uat_resilience.integrations.serving.asgi_types import App, Receive, Scope, Send


@dataclass
class Diary:
    """What was seen, in order."""

    seen: list[object] = field(default_factory=list)

    def begun(self, scope: Scope) -> float:
        self.seen.append(scope["path"])
        return 7.0

    def crashed(self, answer: Answer, error: Exception) -> None:
        self.seen.append(type(error))

    def ended(self, scope: Scope, answer: Answer, began: float) -> None:
        self.seen.append((answer.correlation.request_id, answer.status, answer.complete, began))


@pytest.mark.parametrize(
    ("app", "status"),
    [(answering(), 200), (answering(404), 404), (raising(CircuitOpenError("db")), 503)],
    ids=["answered", "not found", "refused"],
)
async def test_request_is_seen_from_its_beginning_to_its_end(app: App, status: int) -> None:
    diary = Diary()

    await ask(ResilienceMiddleware(app, witness=diary), "/orders", x_request_id="a")

    assert diary.seen == ["/orders", ("a", status, True, 7.0)]


async def test_crash_is_seen_before_the_end() -> None:
    diary = Diary()
    app = ResilienceMiddleware(raising(ZeroDivisionError()), witness=diary)

    with pytest.raises(ZeroDivisionError):
        await ask(app, x_request_id="a")

    assert diary.seen == ["/", ZeroDivisionError, ("a", 500, True, 7.0)]


async def test_answer_that_breaks_off_is_not_complete() -> None:
    async def half(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise ConnectionError

    diary = Diary()

    with pytest.raises(ConnectionError):
        await ask(ResilienceMiddleware(half, witness=diary), x_request_id="a")

    assert diary.seen[1:] == [ConnectionError, ("a", 200, False, 7.0)]


async def test_request_that_is_cancelled_ends_without_an_answer() -> None:
    async def hanging(scope: Scope, receive: Receive, send: Send) -> None:
        await anyio.sleep_forever()

    diary = Diary()

    with anyio.move_on_after(1.0):
        await ask(ResilienceMiddleware(hanging, witness=diary), x_request_id="a")

    assert diary.seen == ["/", ("a", None, False, 7.0)]


async def test_request_is_seen_that_a_draining_service_refuses() -> None:
    diary, shutdown = Diary(), GracefulShutdown()
    shutdown.begin()

    await ask(ResilienceMiddleware(answering(), shutdown=shutdown, witness=diary), x_request_id="a")

    assert diary.seen == ["/", ("a", 503, True, 7.0)]


async def test_spelling_of_an_id_that_the_application_sends_does_not_matter() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [
            (b"X-Request-ID", b"mine"),
            (b"x-twelve-abc", b"kept"),
            (b"x-request-id", b"mine"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    asked = await Asked(headers={"X-Request-ID": "theirs"}).to(ResilienceMiddleware(app))

    assert asked.sent[0]["headers"] == [(b"x-twelve-abc", b"kept"), (b"x-request-id", b"theirs")]
