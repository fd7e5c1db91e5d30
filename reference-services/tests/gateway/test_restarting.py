"""Replicas are killed and started again, one after the other, under load: no idempotent request fails."""

import asyncio
import json
from contextlib import ExitStack
from typing import Any

import pytest
from gateway.load import Load, rolled
from tests.integrations.redis.servers import free_port
from tests.integrations.server.serving import serving
from tests.service.framework.running import Running, started

ROUTES = """
[limits.default]
rate = 1000000
burst = 1000000
[upstreams.replicas]
{where}
failures = 3
recovery = "100ms"
slots = 1000
health = ""
[[routes]]
name = "replicas"
path = "/"
upstream = "replicas"
auth = "none"
"""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BETWEEN = 300  # Answers between two steps.


class Replica:
    """A server that can be killed in the middle of everything."""

    def __init__(self) -> None:
        self.port = 0
        self.answered = 0
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=256)
        self.port = self._server.sockets[0].getsockname()[1]

    async def kill(self) -> None:
        self._server.close()
        for writer in [*self._open]:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                # In two parts, so that some are killed in between.
                writer.write(ANSWER[:9])
                await asyncio.sleep(0)  # noqa: TID251 - lets others go on
                writer.write(ANSWER[9:])
                self.answered += 1
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()


def test_no_idempotent_request_fails_while_replicas_are_killed_in_turns(start: Any) -> None:
    async def run() -> Load:
        replicas = [Replica() for _ in range(3)]
        for each in replicas:
            await each.start()
        urls = [f"http://127.0.0.1:{each.port}" for each in replicas]
        with start(ROUTES.format(where=f"urls = {urls}")) as gateway:
            load = Load(gateway.served.port, "/", methods=["GET", "PUT", "DELETE"], between=BETWEEN)
            await asyncio.wait_for(rolled(replicas, load), 40)  # noqa: TID251 - a bound of the test
            for each in replicas:
                assert each.answered > 0
                await each.kill()
        return load

    load = asyncio.run(run())

    assert load.failed == []
    assert load.answered >= 6 * BETWEEN


class Process:
    """A service of the framework, in a process that ends in order."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def start(self) -> None:
        def start() -> Running:
            arguments = ("example:service", "--port", str(self.port))
            return self._ends.enter_context(started(*arguments)).listening()

        self._ends = ExitStack()
        self._running = await asyncio.to_thread(start)

    async def kill(self) -> None:
        await asyncio.to_thread(self._running.stop)
        self._ends.close()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_no_idempotent_request_fails_while_processes_restart_in_turns(start: Any) -> None:
    async def run() -> Load:
        replicas = [Process(free_port()) for _ in range(3)]
        await asyncio.gather(*(each.start() for each in replicas))
        urls = [f"http://127.0.0.1:{each.port}" for each in replicas]
        with start(ROUTES.format(where=f"urls = {urls}")) as gateway:
            load = Load(gateway.served.port, "/orders/7", methods=["GET"], between=100)
            await rolled(replicas, load)
        for each in replicas:
            await each.kill()
        return load

    load = asyncio.run(run())

    assert load.failed == []
    assert load.answered >= 700


@pytest.mark.parametrize("urls", ["", 'urls = ["http://127.0.0.1:1"]'])
def test_instances_come_from_the_load_balancer_where_there_is_one(
    start: Any, platform: Any, urls: str
) -> None:
    told = {
        "instances": [
            {"id": "1", "url": platform.echo_url, "healthy": True, "weight": 1},
            {"id": "2", "url": "http://127.0.0.1:1", "healthy": False},
        ]
    }
    with ExitStack() as stack:
        balancer = stack.enter_context(serving(Registry(told)))
        routes = ROUTES.format(where=f'service = "echo"\n{urls}')
        gateway = stack.enter_context(start(routes, LOAD_BALANCER_URL=balancer.url))

        # What the file says is believed only until the load balancer has been heard of.
        heard = any(instances(gateway) == [platform.echo_url] for _ in range(20_000))
        answers = {gateway.get("/").status_code for _ in range(5)}

    assert heard
    assert answers == {200}


def instances(gateway: Any) -> list[str]:
    (shown,) = gateway.admin("GET", "/admin/upstreams").json()
    return [each["url"] for each in shown["instances"]]


@pytest.mark.parametrize("told", [{"instances": []}, None])
def test_an_upstream_that_is_nowhere_is_not_available(start: Any, told: Any) -> None:
    with ExitStack() as stack:
        balancer = stack.enter_context(serving(Registry(told)))
        gateway = stack.enter_context(
            start(ROUTES.format(where=""), LOAD_BALANCER_URL=balancer.url)
        )

        answer = gateway.get("/")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_when_all_instances_fail_they_are_left_alone_for_a_while(start: Any, platform: Any) -> None:
    routes = ROUTES.format(where=f'urls = ["{platform.echo_url}"]').replace("100ms", "60s")
    platform.echo.status["/broken"] = 503
    with start(routes) as gateway:
        asked = len(platform.echo.seen)
        answers = [gateway.ask("POST", "/broken") for _ in range(5)]

    assert [each.status_code for each in answers] == [503] * 5
    assert len(platform.echo.seen) - asked == 3
    assert answers[-1].json()["type"].endswith(":circuit-open")
    assert int(answers[-1].headers["Retry-After"]) > 50


class Registry:
    """Knows one service."""

    def __init__(self, told: Any) -> None:
        self._told = told

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        known = self._told is not None
        body = json.dumps(self._told).encode()
        await send({"type": "http.response.start", "status": 200 if known else 404})
        await send({"type": "http.response.body", "body": body})
