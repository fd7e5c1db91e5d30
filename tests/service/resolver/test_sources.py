"""Sources that are real: DNS, Redis, and a load balancer."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from tests.integrations.redis.servers import Server
from tests.integrations.server.serving import serving

from uat_resilience.integrations.serving.asgi_types import Receive, Scope, Send
from uat_service.resolver import BalancerSource, DnsSource, Instance, RedisRegistry

ONE = Instance("http://10.0.0.1:80", id="a", version="1.2", zone="west", weight=3)
TWO = Instance("http://10.0.0.2:80", id="b")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    server = Server(tmp_path_factory.mktemp("valkey"))
    yield server
    server.stop()


@pytest.fixture
def server(shared: Server) -> Server:
    with shared.admin() as admin:
        admin.flushall()
    return shared


def run(server: Server, work: Callable[[RedisRegistry], Awaitable[Any]], **options: Any) -> Any:
    """Run something with a registry, in real time: a server knows no other."""

    async def main() -> Any:
        client = redis.asyncio.Redis(port=server.port)
        try:
            return await work(RedisRegistry(client, **options))
        finally:
            await client.aclose()

    return asyncio.run(main())


def test_instances_that_were_announced_are_found(server: Server) -> None:
    async def work(registry: RedisRegistry) -> list[Instance]:
        await registry.announce("shop", TWO)
        await registry.announce("shop", ONE)
        await registry.announce("other", TWO)
        return await registry.look_up("shop")

    assert run(server, work) == [ONE, TWO]


def test_what_nobody_can_read_hides_no_other_instance(server: Server) -> None:
    kept = {"a": '{"url": "http://10.0.0.1:80", "id": "a", "colour": "blue"}', "b": "{", "c": "[]"}
    with server.admin() as admin:
        admin.sadd("uat:{services/shop}:all", *kept, "d")
        admin.set("uat:{services/shop}:one:d", '{"url": "nowhere"}')
        for name, value in kept.items():
            admin.set(f"uat:{{services/shop}}:one:{name}", value)

    found = run(server, lambda registry: registry.look_up("shop"))

    assert found == [Instance("http://10.0.0.1:80", id="a")]


def test_a_name_that_nobody_announced_has_no_instances(server: Server) -> None:
    assert run(server, lambda registry: registry.look_up("shop")) == []


def test_an_instance_whose_lease_ran_out_is_gone_and_tidied_away(server: Server) -> None:
    async def work(registry: RedisRegistry) -> list[Instance]:
        await registry.announce("shop", ONE)
        with server.admin() as admin:
            admin.delete("uat:{services/shop}:one:a")  # as the server does when the time is over
        await registry.announce("shop", TWO)
        return await registry.look_up("shop")

    found = run(server, work)

    with server.admin() as admin:
        assert admin.smembers("uat:{services/shop}:all") == {b"b"}
    assert found == [TWO]


def test_a_lease_lasts_as_long_as_it_says(server: Server) -> None:
    run(server, lambda registry: registry.announce("shop", ONE), ttl=15.0)

    with server.admin() as admin:
        left = admin.pttl("uat:{services/shop}:one:a")

    assert 0 < int(left) <= 15_000


def test_an_instance_is_withdrawn_when_its_service_ends(server: Server) -> None:
    async def work(registry: RedisRegistry) -> tuple[list[Instance], list[Instance]]:
        announced = asyncio.Event()
        announce = registry.announce

        async def noticed(name: str, instance: Instance) -> None:
            await announce(name, instance)
            announced.set()

        registry.announce = noticed
        keeping = asyncio.create_task(registry.keep("shop", ONE))
        await announced.wait()
        before = await registry.look_up("shop")
        keeping.cancel()
        await asyncio.wait((keeping,))
        return before, await registry.look_up("shop")

    assert run(server, work) == ([ONE], [])


def test_a_lease_is_renewed_and_outlasts_a_redis_that_was_away(tmp_path: Path) -> None:
    server = Server(tmp_path)

    async def work(registry: RedisRegistry) -> list[Instance]:
        beats: asyncio.Queue[bool] = asyncio.Queue()
        announce = registry.announce

        async def noticed(name: str, instance: Instance) -> None:
            try:
                await announce(name, instance)
            except BaseException:
                beats.put_nowait(False)  # noqa: FBT003 - what a queue holds
                raise
            beats.put_nowait(True)  # noqa: FBT003 - what a queue holds

        registry.announce = noticed
        keeping = asyncio.create_task(registry.keep("shop", ONE))
        assert await beats.get()
        server.stop()
        while await beats.get():
            pass
        server.start()
        while not await beats.get():
            pass
        while not (found := await registry.look_up("shop")):
            await beats.get()
        keeping.cancel()
        await asyncio.wait((keeping,))
        return found

    try:
        assert run(server, work, ttl=0.6, timeout=10.0) == [ONE]
    finally:
        server.stop()


def test_a_redis_that_is_silent_is_given_up_in_time(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.pause()
    try:
        with pytest.raises(TimeoutError):
            run(server, lambda registry: registry.look_up("shop"), timeout=0.1)
    finally:
        server.resume()
        server.stop()


def test_addresses_of_a_name_are_instances() -> None:
    source = DnsSource(pattern="{name}", port=8000)

    found = asyncio.run(source.look_up("127.0.0.1"))

    assert found == [Instance("http://127.0.0.1:8000")]


def test_addresses_of_the_sixth_version_are_bracketed() -> None:
    source = DnsSource(port=8000)

    assert asyncio.run(source.look_up("::1")) == [Instance("http://[::1]:8000")]


def test_a_name_that_dns_does_not_know_is_a_source_that_is_away() -> None:
    source = DnsSource(pattern="{name}.invalid")

    with pytest.raises(OSError, match=r".+"):
        asyncio.run(source.look_up("shop"))


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (
            (
                200,
                {
                    "instances": [
                        {
                            "url": "http://10.0.0.1:80",
                            "id": "a",
                            "version": "1.2",
                            "zone": "west",
                            "weight": 3,
                        },
                        {"url": "http://10.0.0.9:80", "healthy": False},
                    ]
                },
            ),
            [ONE],
        ),
        ((404, {}), []),
    ],
)
def test_a_load_balancer_tells_its_instances(
    answer: tuple[int, dict[str, Any]], found: list[Instance]
) -> None:
    async def app(scope: Scope, _: Receive, send: Send) -> None:
        assert scope["path"] == "/services/shop"
        start = {"type": "http.response.start", "status": answer[0], "headers": []}
        await send(start)
        await send({"type": "http.response.body", "body": json.dumps(answer[1]).encode()})

    async def ask(url: str) -> list[Instance]:
        source = BalancerSource(url)
        try:
            return await source.look_up("shop")
        finally:
            await source.close()

    with serving(app, lifespan="off") as served:
        assert asyncio.run(ask(served.url)) == found
