"""Calls to other services: balanced, guarded, and telling what they belong to."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import anyio
import httpx2
import pytest
from tests.integrations.http.servers import OK, RawServer, Received, refused_url, reply

from uat_resilience import Bulkhead, CircuitBreaker, TimedOutError, Timeout, deadline
from uat_resilience.integrations.headers import Correlation, current_correlation
from uat_resilience.policies.policy import Policy
from uat_service.client import NoInstanceError, Services
from uat_service.resolver import Instance, StaticResolver


@pytest.fixture
def start() -> Iterator[Callable[..., RawServer]]:
    """Start servers that answer as a script says."""
    started: list[RawServer] = []

    def start(script: Callable[[Received], Any] = lambda _: OK) -> RawServer:
        started.append(RawServer(script))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def run(
    urls: list[str], work: Callable[[httpx2.AsyncClient], Awaitable[Any]], **options: Any
) -> Any:
    """Run something with the client of a service that has instances at these URLs."""

    async def main() -> Any:
        services = Services(StaticResolver({"shop": [url.rstrip("/") for url in urls]}), **options)
        try:
            return await work(services["shop"])
        finally:
            await services.close()

    return asyncio.run(main())


Start = Callable[..., RawServer]


def test_a_service_is_called_by_its_name_and_its_path_stays_as_it_is(start: Start) -> None:
    server = start()

    run([server.url], lambda shop: shop.get("/a%2Fb/%7Ec?q=%20a"), caller="orders")

    assert server.received[0].target == "/a%2Fb/%7Ec?q=%20a"
    assert server.received[0].headers["host"] == server.host
    assert server.received[0].headers["user-agent"] == "orders"


def test_a_request_tells_which_one_it_is_and_how_long_it_may_take(start: Start) -> None:
    server = start()

    async def work(shop: httpx2.AsyncClient) -> None:
        current_correlation.set(Correlation("id-7"))
        async with deadline(5.0):
            await shop.get("/")

    run([server.url], work)

    assert server.received[0].headers["x-request-id"] == "id-7"
    assert 0 < int(server.received[0].headers["x-request-timeout-ms"]) <= 5000
    assert server.received[0].headers["x-retry-attempt"] == "1"


def test_the_second_user_never_sends_the_cookie_of_the_first(start: Start) -> None:
    server = start(lambda _: reply(200, Set_Cookie="user=first"))

    async def work(shop: httpx2.AsyncClient) -> None:
        await shop.get("/")
        await shop.get("/")

    run([server.url], work)

    assert "cookie" not in server.received[1].headers


def test_an_instance_that_cannot_be_reached_is_made_up_for_by_another(start: Start) -> None:
    server = start()

    async def work(shop: httpx2.AsyncClient) -> list[int]:
        return [(await shop.post("/", content=b"x")).status_code for _ in range(10)]

    assert run([refused_url(), server.url], work) == [200] * 10


def test_a_retry_goes_to_another_instance(start: Start) -> None:
    bad, good = start(lambda _: reply(503)), start()

    async def work(shop: httpx2.AsyncClient) -> list[int]:
        return [(await shop.get("/")).status_code for _ in range(5)]

    assert run([bad.url, good.url], work) == [200] * 5


def test_the_attempts_of_a_call_go_to_different_instances(start: Start) -> None:
    def script(request: Received) -> bytes:
        return reply(503) if request.headers["x-retry-attempt"] == "1" else OK

    servers = [start(script), start(script)]

    # A new client each time: one that has failed three times in a row would be left alone.
    for number in range(10):
        answer = run([server.url for server in servers], lambda shop, at=f"/{number}": shop.get(at))
        assert answer.status_code == 200

    seen = [[server.attempts(f"/{number}") for server in servers] for number in range(10)]
    assert seen == [[1, 1]] * 10


def test_an_instance_that_fails_three_times_in_a_row_is_left_alone(start: Start) -> None:
    bad, good, other = start(lambda _: reply(503)), start(), start()

    async def work(shop: httpx2.AsyncClient) -> None:
        for _ in range(60):
            await shop.get("/")

    run([bad.url, good.url, other.url], work, policy=lambda _: Bulkhead(10))

    assert len(bad.received) == 3


def hangs(start: Start) -> RawServer:
    """Start a server that never answers."""
    hold: dict[str, RawServer] = {}

    def hang(_: Received) -> None:
        hold["server"].stopped.wait()

    hold["server"] = start(hang)
    return hold["server"]


def test_an_instance_that_hangs_three_times_in_a_row_is_left_alone(start: Start) -> None:
    bad, good = hangs(start), start()

    async def work(shop: httpx2.AsyncClient) -> None:
        for _ in range(30):
            with suppress(TimedOutError):
                await shop.get("/")

    run([bad.url, good.url], work, policy=lambda _: Timeout(0.2))

    assert len(bad.received) == 3


def test_a_caller_in_a_hurry_says_nothing_of_an_instance(start: Start) -> None:
    bad, good = hangs(start), start()

    async def work(shop: httpx2.AsyncClient) -> None:
        for _ in range(30):
            with suppress(TimedOutError):
                async with deadline(0.05):
                    await shop.get("/")

    run([bad.url, good.url], work, policy=lambda _: Timeout(10.0))

    assert len(bad.received) > 3


def test_a_post_that_gets_no_answer_is_sent_once(start: Start) -> None:
    server, other = start(lambda _: None), start(lambda _: None)

    with pytest.raises(httpx2.RemoteProtocolError):
        run([server.url, other.url], lambda shop: shop.post("/", content=b"x"))

    assert len(server.received) + len(other.received) == 1


def test_a_post_gets_no_connection_that_was_idle_for_a_second(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, clock, later = start(), time.monotonic, [0.0]  # noqa: TID251 - the library reads it
    monkeypatch.setattr(time, "monotonic", lambda: clock() + later[0])

    async def work(shop: httpx2.AsyncClient) -> list[int]:
        connections: list[int] = []
        for method in ("POST", "POST", "GET", "GET"):
            await shop.request(method, "/")
            connections.append(server.connections)
            later[0] += 1.0
        return connections

    assert run([server.url], work) == [1, 2, 3, 3]


def test_a_service_that_nobody_knows_is_not_called() -> None:
    with pytest.raises(NoInstanceError, match="no instance of shop is known") as raised:
        run([], lambda shop: shop.get("/"), attempts=1)

    assert raised.value.service == "shop"


def test_a_service_that_hangs_is_given_up_at_the_deadline(start: Start) -> None:
    server = hangs(start)

    async def work(shop: httpx2.AsyncClient) -> None:
        async with deadline(0.1):
            await shop.get("/")

    with pytest.raises(TimedOutError):
        run([server.url], work)


def test_calls_that_are_cancelled_leave_connections_and_slots_behind_for_others(
    start: Start,
) -> None:
    server = start()

    async def work(shop: httpx2.AsyncClient) -> list[int]:
        async def churn(turn: int) -> None:
            with anyio.move_on_after(0.0005 * (turn % 7)):
                await shop.get("/")

        for _ in range(5):
            await asyncio.gather(*(churn(turn) for turn in range(40)))
        return [(await shop.get("/")).status_code for _ in range(5)]

    assert run([server.url], work, slots=10) == [200] * 5


def test_each_service_has_a_pipeline_of_its_own(start: Start) -> None:
    made: dict[str, Policy] = {}

    def policy(name: str) -> Policy:
        made[name] = CircuitBreaker(name)
        return made[name]

    server = start()

    async def main() -> int:
        services = Services(
            StaticResolver({"shop": refused_url().rstrip("/"), "desk": server.url}), policy=policy
        )
        for _ in range(10):
            with pytest.raises(httpx2.TransportError):
                await services["shop"].get("/")
        status = (await services["desk"].get("/")).status_code
        await services.close()
        return status

    assert asyncio.run(main()) == 200
    assert sorted(made) == ["desk", "shop"]


def test_a_client_of_one_service_calls_no_other(start: Start) -> None:
    server = start()

    with pytest.raises(httpx2.UnsupportedProtocol, match="calls shop only"):
        run([server.url], lambda shop: shop.get("http://elsewhere/"))

    assert server.received == []


def test_requests_go_to_all_instances(start: Start) -> None:
    servers = [start() for _ in range(3)]

    async def work(shop: httpx2.AsyncClient) -> None:
        for _ in range(60):
            await shop.get("/")

    run([server.url for server in servers], work)

    assert all(server.received for server in servers)


def test_streamed_answers_count_as_running_until_they_are_closed(start: Start) -> None:
    server, other = start(), start()

    async def work(shop: httpx2.AsyncClient) -> int:
        async with shop.stream("GET", "/first"):
            busy, idle = (server, other) if server.received else (other, server)
            for _ in range(40):
                await shop.get("/next")
            return len(idle.received) - len(busy.received)

    assert run([server.url, other.url], work) > 0


@pytest.mark.parametrize("name", ["Shop", "shop/x", "a b", ""])
def test_a_name_that_is_no_host_is_refused(name: str) -> None:
    services = Services(StaticResolver({}))

    with pytest.raises((ValueError, httpx2.InvalidURL)):
        services[name]


def test_what_does_not_resolve_is_refused() -> None:
    resolver: Any = {"shop": Instance("http://127.0.0.1:1")}

    with pytest.raises(TypeError, match="resolver must have"):
        Services(resolver)
