"""Kept connections: used while they are fresh, and closed when they are not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.integrations.http.servers import OK, RawServer
from tests.integrations.server.asking import answering

from uat_resilience import GracefulShutdown
from uat_service.proxy import UnreachableError
from uat_service.proxy.connection import Connection
from uat_service.proxy.pool import KEPT, Pool
from uat_service.server import Server


def run(work: Callable[[Pool], Awaitable[Any]]) -> Any:
    """Run something with a pool, in real time: sockets know no other."""
    server = RawServer()

    async def main() -> Any:
        pool = Pool(server.url)
        try:
            return await work(pool)
        finally:
            pool.close()
            await asyncio.sleep(0)  # noqa: TID251 - lets the connections close

    try:
        return asyncio.run(main())
    finally:
        server.stop()


async def used(pool: Pool) -> Connection:
    """Return a connection that has served a request and waits for the next."""
    connection = await pool.acquire(fresh=False)
    connection.begin(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", method="GET")
    while not connection.ended:
        await connection.take()
    pool.release(connection, fit=True)
    return connection


@pytest.mark.parametrize(
    ("idle", "fresh", "same"),
    [(0.0, True, True), (1.0, False, True), (1.0, True, False), (5.0, False, False)],
)
def test_a_connection_is_used_again_while_it_is_fresh_enough(
    *, idle: float, fresh: bool, same: bool
) -> None:
    async def work(pool: Pool) -> bool:
        connection = await used(pool)
        connection.idle_since -= idle
        other = await pool.acquire(fresh=fresh)
        pool.release(other, fit=False)
        return other is connection

    assert run(work) is same


def test_a_connection_that_the_upstream_has_closed_is_not_used_again() -> None:
    async def work(pool: Pool) -> bool:
        connection = await used(pool)
        connection.abort()
        other = await pool.acquire(fresh=False)
        pool.release(other, fit=False)
        return other is connection

    assert not run(work)


def test_connections_that_were_idle_for_long_are_closed() -> None:
    async def work(pool: Pool) -> tuple[int, int, bool]:
        connection = await used(pool)
        before = pool.idle
        pool._swept()
        kept = pool.idle
        connection.idle_since -= 5
        pool._swept()
        return before, kept, connection.closed

    before, kept, closed = run(work)

    assert (before, kept, closed) == (1, 1, True)


def test_bytes_on_an_idle_connection_close_it() -> None:
    async def work(pool: Pool) -> bool:
        connection = await used(pool)
        connection.data_received(OK)
        return connection.closed

    assert run(work)


def test_nobody_there_is_an_error_that_says_so() -> None:
    async def main() -> None:
        await Pool("http://127.0.0.1:1").acquire(fresh=False)

    with pytest.raises(UnreachableError):
        asyncio.run(main())


def test_a_server_of_ours_keeps_connections_for_longer_than_a_pool_does() -> None:
    server = Server(answering(), shutdown=GracefulShutdown(), delay=0.0, grace=1.0)

    assert server.config.timeout_keep_alive > 2 * KEPT
