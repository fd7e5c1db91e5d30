"""`python -m benchmarks.services.proxies NAME UPSTREAM`: one proxy in a process of its own; prints its port.

The plain ones are written as one writes them: the whole path, all headers but those of one hop, the body as it
comes.
"""

import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import httpcore2
import httpx
import httpx2
import uvicorn
from yarl import URL

from uat_resilience.integrations.serving.asgi_types import App, RawHeaders, Receive, Scope, Send
from uat_service.protocol import FaithfulProtocol
from uat_service.proxy import ReverseProxy
from uat_service.proxy.headers import end_to_end
from uat_service.server import listening

__all__ = ["PROXIES"]


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        yield message.get("body", b"")
        more = message.get("more_body", False)


def _has_body(scope: Scope) -> bool:
    return any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"])


def _target(scope: Scope) -> bytes:
    query: bytes = scope["query_string"]
    path: bytes = scope["raw_path"]
    return path + b"?" + query if query else path


async def _answer(
    send: Send, status: int, headers: RawHeaders, parts: AsyncIterator[bytes]
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": end_to_end(headers)})
    async for part in parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _of_httpx(library: Any, upstream: str) -> App:  # noqa: ANN401 - one of two twins
    client = library.AsyncClient(
        trust_env=False,
        limits=library.Limits(max_connections=1000, max_keepalive_connections=1000),
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = client.build_request(
            scope["method"],
            upstream + _target(scope).decode("ascii"),
            headers=end_to_end(scope["headers"]),
            content=_body(receive) if _has_body(scope) else None,
        )
        response = await client.send(request, stream=True)
        try:
            await _answer(send, response.status_code, response.headers.raw, response.aiter_raw())
        finally:
            await response.aclose()

    return app


def _of_httpcore2(upstream: str) -> App:
    pool = httpcore2.AsyncConnectionPool(max_connections=1000, max_keepalive_connections=1000)
    port = int(upstream.rpartition(":")[2])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = httpcore2.Request(
            method=scope["method"],
            url=httpcore2.URL(scheme=b"http", host=b"127.0.0.1", port=port, target=_target(scope)),
            headers=end_to_end(scope["headers"]),
            content=_body(receive) if _has_body(scope) else b"",
        )
        response: Any = await pool.handle_async_request(request)
        try:
            await _answer(send, response.status, response.headers, response.stream)
        finally:
            await response.aclose()

    return app


def _of_aiohttp(upstream: str) -> App:
    made: list[aiohttp.ClientSession] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if not made:
            made.append(
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(limit=1000),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    auto_decompress=False,
                    skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
                )
            )
        async with made[0].request(
            scope["method"],
            URL(upstream + _target(scope).decode("ascii"), encoded=True),
            headers=[(n.decode(), v.decode()) for n, v in end_to_end(scope["headers"])],
            data=_body(receive) if _has_body(scope) else None,
            allow_redirects=False,
        ) as response:
            parts = response.content.iter_any()
            await _answer(send, response.status, list(response.raw_headers), parts)

    return app


PROXIES: dict[str, Callable[[str], App]] = {
    "uat_service": ReverseProxy,
    "httpx": lambda upstream: _of_httpx(httpx, upstream),
    "httpx2": lambda upstream: _of_httpx(httpx2, upstream),
    "httpcore2": _of_httpcore2,
    "aiohttp": _of_aiohttp,
}


def main(name: str, upstream: str) -> None:
    """Serve one proxy with uvicorn until the process is ended."""
    with listening("127.0.0.1", 0) as listener:
        config = uvicorn.Config(
            PROXIES[name](upstream),
            http=FaithfulProtocol if name == "uat_service" else "httptools",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
        )
        print(listener.getsockname()[1], flush=True)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
