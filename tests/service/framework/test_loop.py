"""The loop that a service runs on."""

import asyncio
import socket
from contextlib import closing

import uvloop
from tests.integrations.server.asking import answering

from uat_resilience import GracefulShutdown
from uat_service.server import Server, listening


def test_uvloop_is_used_where_it_is_installed() -> None:
    server = Server(answering(), shutdown=GracefulShutdown(), delay=0.0, grace=1.0)

    assert server.config.get_loop_factory() is uvloop.new_event_loop


async def test_parts_of_an_answer_do_not_wait_for_each_other_on_any_loop() -> None:
    loop = asyncio.get_running_loop()
    at_once: asyncio.Future[int] = loop.create_future()

    def served(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = writer.get_extra_info("socket")
        at_once.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async with await asyncio.start_server(served, sock=listening("127.0.0.1", 0)) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        with closing(writer):
            assert await at_once
