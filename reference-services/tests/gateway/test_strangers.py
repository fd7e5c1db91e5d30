"""However many clients there are, and however ill the instances, each gets its own answer and nobody else's.

Every client asks for what only it knows, with a cookie of its own. Every instance answers with what it was asked,
and misbehaves as chance has it: it hangs up before, in the middle of and after an answer, is silent, says 503,
answers late or twice.
"""

import asyncio
import itertools
from collections.abc import Generator
from contextlib import ExitStack
from threading import Event, Thread
from typing import Any, Self

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROUTES = """
[limits.default]
rate = 100000
burst = 100000
[upstreams.ill]
urls = {urls}
attempt_timeout = "100ms"
timeout = "2s"
recovery = "50ms"
slots = 1000
health = ""
[[routes]]
name = "ill"
path = "/"
upstream = "ill"
auth = "none"
"""
WAYS = ["well", "close", "half", "broken", "silent", "no", "twice", "late", "tardy"]
numbers = itertools.count()


class Ill:
    """An instance that goes by a list of ways to behave, again and again."""

    def __init__(self) -> None:
        self.ways = itertools.cycle(["well"])
        self.mixed: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answered(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        secret = head.split(b" ", 2)[1][1:]
        cookies = [line for line in head.split(b"\r\n") if line.lower().startswith(b"cookie:")]
        if cookies != [b"Cookie: me=" + secret]:
            self.mixed.append(head)
        way = next(self.ways)
        answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: you=%b\r\nContent-Length: %d\r\n\r\n%b" % (
            secret,
            len(secret),
            secret,
        )
        if way == "close":
            return False
        if way == "half":
            writer.write(answer[: len(answer) // 3])
            return False
        if way == "broken":
            writer.write(answer[:-1])
            return False
        if way in {"silent", "tardy"}:
            await reader.read(1)  # until the gateway has enough of it
            writer.write(answer if way == "tardy" else b"")
            return False
        if way == "no":
            writer.write(b"HTTP/1.1 503 No\r\nContent-Length: %d\r\n\r\n%b" % (len(secret), secret))
        elif way == "twice":
            writer.write(answer + answer)
        else:
            if way == "late":
                await asyncio.to_thread(int)  # Others go on meanwhile.
            writer.write(answer)
        await writer.drain()
        return True


class Ward:
    """Three instances in a loop of their own."""

    def __init__(self) -> None:
        self.instances = [Ill() for _ in range(3)]
        self.ports: list[int] = []
        self._up = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._up.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(20)

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        servers = [
            await asyncio.start_server(each.serve, "127.0.0.1", 0) for each in self.instances
        ]
        self.ports = [each.sockets[0].getsockname()[1] for each in servers]
        self._up.set()
        await self._over.wait()
        for each in servers:
            each.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()


@pytest.fixture(scope="module")
def ward(start: Any) -> Generator[tuple[Ward, Any]]:
    with ExitStack() as stack:
        ward = stack.enter_context(Ward())
        urls = [f"http://127.0.0.1:{port}" for port in ward.ports]
        yield ward, stack.enter_context(start(ROUTES.format(urls=urls)))


async def ask(port: int, secrets: list[bytes], method: bytes) -> list[bytes]:
    """Ask for each secret over one connection, as long as it lasts; return what must not have come."""
    wrong: list[bytes] = []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for secret in secrets:
            writer.write(
                b"%b /%b HTTP/1.1\r\nHost: x\r\nCookie: me=%b\r\n\r\n" % (method, secret, secret)
            )
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
            body = await reader.readexactly(length)
            # What the gateway says itself is a problem; all else is an instance's, and has what it was asked.
            if b"content-type: application/problem+json" not in lines and body != secret:
                wrong.append(head + body)
            if b"set-cookie: you=" in head.lower() and b"you=" + secret + b"\r\n" not in head:
                wrong.append(head)
    except (ConnectionError, asyncio.IncompleteReadError):
        pass  # An answer that broke off is nobody's.
    finally:
        writer.close()
    return wrong


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ways=st.lists(st.lists(st.sampled_from(WAYS), min_size=1, max_size=8), min_size=3, max_size=3),
    methods=st.lists(st.sampled_from([b"GET", b"POST", b"DELETE"]), min_size=1, max_size=12),
)
def test_nobody_gets_what_is_for_somebody_else(
    ward: tuple[Ward, Any], ways: list[list[str]], methods: list[bytes]
) -> None:
    instances, gateway = ward
    for instance, some in zip(instances.instances, ways, strict=True):
        instance.ways = itertools.cycle([*some, "well"])

    async def all_of_them() -> list[bytes]:
        clients = [
            ask(gateway.served.port, [b"secret-%d" % next(numbers) for _ in range(5)], method)
            for method in methods
        ]
        return list(itertools.chain(*await asyncio.gather(*clients)))

    wrong = asyncio.run(all_of_them())

    assert wrong == []
    assert [each.mixed for each in instances.instances] == [[], [], []]
