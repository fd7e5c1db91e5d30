"""A request with an Idempotency-Key is done once, however often it is sent."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from uat_resilience.integrations.serving.asgi_types import Receive, Scope, Send
from uat_service.idempotency import IdempotencyMiddleware
from uat_service.store import Store, StoreUnavailableError

T = TypeVar("T")
Work = Callable[["Desk"], Awaitable[Any]]


class Answer:
    """An answer as a client sees it."""

    def __init__(self, messages: list[Any]) -> None:
        self.status: int = messages[0]["status"]
        self.headers: dict[bytes, bytes] = dict(messages[0]["headers"])
        self.body = b"".join(message.get("body", b"") for message in messages[1:])
        self.replayed = b"idempotent-replayed" in self.headers


class Desk:
    """An application that counts what it does, behind the middleware."""

    def __init__(self, store: Store, **options: Any) -> None:
        self.store = store
        self.done: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.entered = asyncio.Event()
        self.status = 201
        self.error: Exception | None = None
        self.route: str | None = "/orders/{number}"
        self.size = 0
        self.scope: Scope = {}
        self.middleware = IdempotencyMiddleware(self.app, store, **options)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.entered.set()
        body = (await receive()).get("body", b"") if scope["type"] == "http" else b""
        await self.gate.wait()
        self.done.append(body)
        scope["path_template"] = self.route
        if self.error is not None:
            raise self.error
        headers = [
            (b"location", b"/%d" % len(self.done)),
            (b"set-cookie", b"a"),
            (b"set-cookie", b"b"),
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"x" * self.size, "more_body": True})
        await send({"type": "http.response.body", "body": b"number %d" % len(self.done)})

    async def ask(
        self,
        body: bytes = b"{}",
        *,
        key: str | None = "k",
        method: str = "POST",
        who: str = "ann",
        path: bytes = b"/orders",
        query: bytes = b"",
    ) -> Answer:
        headers = [(b"authorization", who.encode())]
        if key is not None:
            headers.append((b"idempotency-key", key.encode("latin-1")))
        scope = {"type": "http", "method": method, "raw_path": path, "query_string": query}
        self.scope = {**scope, "headers": headers}
        parts = [body[:1], body[1:]]
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.middleware(self.scope, receive, send)
        return Answer(sent)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Any]:
    """Run something with a desk, in real time: a database knows no other."""

    def run(work: Work, **options: Any) -> Any:
        async def main() -> Any:
            store = Store(f"sqlite:///{tmp_path}/store.db")
            try:
                return await work(Desk(store, **options))
            finally:
                await store.close()

        return asyncio.run(main())

    return run


Run = Callable[..., Any]


def test_a_request_that_is_sent_again_gets_the_first_answer(run: Run) -> None:
    async def work(desk: Desk) -> tuple[Answer, Answer, int]:
        return await desk.ask(), await desk.ask(), len(desk.done)

    first, second, done = run(work)

    assert done == 1
    assert (first.status, first.body, first.replayed) == (201, b"number 1", False)
    assert (second.status, second.body, second.replayed) == (201, b"number 1", True)
    assert second.headers[b"location"] == b"/1"


@pytest.mark.parametrize("route", ["/orders/{number}", None])
def test_a_repetition_is_of_the_same_route(run: Run, route: str | None) -> None:
    async def work(desk: Desk) -> Scope:
        desk.route = route
        await desk.ask()
        await desk.ask()
        return desk.scope

    assert run(work).get("path_template") == route


def test_what_an_earlier_version_has_kept_is_given_again_and_routes_are_kept_from_then_on(
    run: Run,
) -> None:
    async def before(desk: Desk) -> None:
        await desk.ask()

        async def as_it_was(connection: AsyncConnection) -> None:
            await connection.execute(text("ALTER TABLE uat_idempotency DROP COLUMN route"))

        await desk.store.write(as_it_was)

    async def after(desk: Desk) -> tuple[Answer, Scope]:
        again = await desk.ask()
        await desk.ask(key="new")
        await desk.ask(key="new")
        return again, desk.scope

    run(before)
    again, scope = run(after)

    assert (again.replayed, again.headers[b"location"]) == (True, b"/1")
    assert scope["path_template"] == "/orders/{number}"


def test_an_answer_outlives_the_process(run: Run) -> None:
    run(lambda desk: desk.ask())

    async def again(desk: Desk) -> tuple[Answer, int]:
        return await desk.ask(), len(desk.done)

    answer, done = run(again)

    assert (answer.replayed, done) == (True, 0)


def test_requests_at_the_same_time_wait_for_the_one_that_runs(run: Run) -> None:
    async def work(desk: Desk) -> tuple[list[Answer], int]:
        desk.gate.clear()
        asking = [asyncio.create_task(desk.ask()) for _ in range(10)]
        await desk.entered.wait()
        desk.gate.set()
        return await asyncio.gather(*asking), len(desk.done)

    answers, done = run(work)

    assert done == 1
    assert {answer.body for answer in answers} == {b"number 1"}
    assert sum(answer.replayed for answer in answers) == 9


def test_a_request_that_runs_elsewhere_is_not_waited_for(run: Run, tmp_path: Path) -> None:
    async def work(desk: Desk) -> tuple[Answer, int]:
        store = Store(f"sqlite:///{tmp_path}/store.db")
        other = Desk(store)
        desk.gate.clear()
        asking = asyncio.create_task(desk.ask())
        await desk.entered.wait()
        answer = await other.ask()
        desk.gate.set()
        await asking
        await store.close()
        return answer, len(other.done)

    answer, done = run(work)

    assert (answer.status, answer.headers[b"retry-after"], done) == (409, b"1", 0)


def test_a_wait_ends_when_patience_does(run: Run) -> None:
    async def work(desk: Desk) -> Answer:
        desk.gate.clear()
        asking = asyncio.create_task(desk.ask())
        await desk.entered.wait()
        answer = await desk.ask()
        desk.gate.set()
        await asking
        return answer

    assert run(work, patience=0.01).status == 409


def test_a_key_with_another_body_is_refused(run: Run) -> None:
    async def work(desk: Desk) -> tuple[Answer, Answer, int]:
        await desk.ask(b"one")
        return await desk.ask(b"two"), await desk.ask(b"one", query=b"x=1"), len(desk.done)

    body, query, done = run(work)

    assert (body.status, query.status, done) == (422, 422, 1)
    assert json.loads(body.body)["status"] == 422


@pytest.mark.parametrize(
    "other", [{"who": "bob"}, {"path": b"/other"}, {"method": "PATCH"}, {"key": "l"}]
)
def test_a_key_belongs_to_its_caller_and_its_place(run: Run, other: dict[str, Any]) -> None:
    async def work(desk: Desk) -> tuple[Answer, int]:
        await desk.ask()
        return await desk.ask(**other), len(desk.done)

    answer, done = run(work)

    assert (answer.replayed, done) == (False, 2)


@pytest.mark.parametrize("other", [{"key": None}, {"method": "GET"}])
def test_requests_without_key_and_other_methods_pass(run: Run, other: dict[str, Any]) -> None:
    async def work(desk: Desk) -> int:
        await desk.ask(**other)
        await desk.ask(**other)
        return len(desk.done)

    assert run(work) == 2


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ä"])
def test_a_key_that_is_none_is_refused(run: Run, key: str) -> None:
    async def work(desk: Desk) -> tuple[int, int]:
        return (await desk.ask(key=key)).status, len(desk.done)

    assert run(work) == (400, 0)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_an_answer_that_is_not_the_last_word_is_not_kept(run: Run, status: int) -> None:
    async def work(desk: Desk) -> tuple[Answer, Answer]:
        desk.status = status
        first = await desk.ask()
        desk.status = 201
        return first, await desk.ask()

    first, second = run(work)

    assert (first.status, second.status, second.replayed) == (status, 201, False)


def test_a_refusal_of_the_application_is_kept(run: Run) -> None:
    async def work(desk: Desk) -> tuple[Answer, int]:
        desk.status = 402
        await desk.ask()
        return await desk.ask(), len(desk.done)

    answer, done = run(work)

    assert (answer.status, answer.replayed, done) == (402, True, 1)


def test_a_crash_lets_the_next_one_run(run: Run) -> None:
    async def work(desk: Desk) -> Answer:
        desk.error = LookupError("no")
        with pytest.raises(LookupError):
            await desk.ask()
        desk.error = None
        return await desk.ask()

    assert run(work).status == 201


def test_a_request_that_is_cancelled_lets_the_next_one_run(run: Run) -> None:
    async def work(desk: Desk) -> tuple[Answer, Answer]:
        desk.gate.clear()
        asking = asyncio.create_task(desk.ask())
        await desk.entered.wait()
        waiting = asyncio.create_task(desk.ask())
        await asyncio.sleep(0)  # noqa: TID251 - lets it begin
        desk.gate.set()
        asking.cancel()
        await asyncio.wait((asking,))
        return await waiting, await desk.ask()

    first, second = run(work)

    assert (first.replayed, second.replayed) == (False, True)


def test_a_request_whose_process_is_gone_runs_again_when_its_lease_is_over(
    run: Run, tmp_path: Path
) -> None:
    async def lose(desk: Desk) -> None:
        await desk.middleware._records.claim("gone", "f", "dead")

    run(lose, lease=0.001)

    async def work(desk: Desk) -> Any:
        return await desk.middleware._records.claim("gone", "f", "alive")

    assert run(work).name == "OURS"


def test_an_answer_that_is_kept_is_not_let_go(run: Run) -> None:
    async def work(desk: Desk) -> Answer:
        await desk.ask()
        async with desk.store.read() as connection:
            row = (await connection.execute(text("SELECT id, owner FROM uat_idempotency"))).one()
        await desk.middleware._records.release(row.id, row.owner)
        return await desk.ask()

    assert run(work).replayed


def test_an_answer_is_kept_for_as_long_as_it_says(run: Run) -> None:
    async def work(desk: Desk) -> int:
        await desk.ask()
        await desk.ask()
        return len(desk.done)

    assert run(work, ttl=0.000_001) == 2


def test_an_answer_that_is_too_large_is_passed_on_and_not_kept(run: Run) -> None:
    async def work(desk: Desk) -> tuple[Answer, int]:
        desk.size = 2000
        first = await desk.ask()
        await desk.ask()
        return first, len(desk.done)

    first, done = run(work, largest=1000)

    assert (len(first.body), done) == (2008, 2)


def test_a_body_that_is_too_large_is_refused(run: Run) -> None:
    async def work(desk: Desk) -> tuple[int, int]:
        return (await desk.ask(b"x" * 20)).status, len(desk.done)

    assert run(work, largest=10) == (413, 0)


def test_a_store_that_is_away_lets_nothing_run() -> None:
    async def main() -> int:
        store = Store("postgresql://test@127.0.0.1:1/x", patience=1.0)
        desk = Desk(store)
        try:
            with pytest.raises(StoreUnavailableError):
                await desk.ask()
        finally:
            await store.close()
        return len(desk.done)

    assert asyncio.run(main()) == 0


def test_other_scopes_pass(run: Run) -> None:
    async def work(desk: Desk) -> bool:
        async def nothing(*_: Any) -> None: ...

        await desk.middleware({"type": "lifespan"}, nothing, nothing)
        return desk.entered.is_set()

    assert run(work)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"app": "app"}, "app must be an ASGI application"),
        ({"store": "sqlite://"}, "store must be a Store"),
        # Which was a collection of letters: no request was ever looked at.
        ({"methods": "POST"}, "methods must be a collection of methods, not the string 'POST'"),
    ],
)
def test_what_it_is_given_is_checked(run: Run, arguments: dict[str, Any], says: str) -> None:
    async def work(desk: Desk) -> None:
        with pytest.raises(TypeError, match=says):
            IdempotencyMiddleware(**{"app": desk.app, "store": desk.store, **arguments})

    run(work)


class Leaving(Store):
    """A store that can be away for a while."""

    away = False

    async def write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        if self.away:
            raise StoreUnavailableError("store", retry_after=1.0)
        return await super().write(work)


def test_an_answer_that_could_not_be_kept_is_not_given_and_not_made_again(tmp_path: Path) -> None:
    async def main() -> tuple[int, Answer]:
        store = Leaving(f"sqlite:///{tmp_path}/store.db")
        desk = Desk(store)
        desk.gate.clear()
        asking = asyncio.create_task(desk.ask())
        await desk.entered.wait()
        store.away = True
        desk.gate.set()
        with pytest.raises(StoreUnavailableError):
            await asking
        store.away = False
        again = await desk.ask()
        await store.close()
        return len(desk.done), again

    done, again = asyncio.run(main())

    assert done == 1
    assert (again.status, again.headers[b"retry-after"]) == (409, b"1")
