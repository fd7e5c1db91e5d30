"""`python -m benchmarks.http`: what a guarded HTTP client adds to a request on the loopback interface.

A server in a process of its own answers two bytes, over kept-alive connections. Bare and guarded clients take
turns in one run, in an order shuffled anew each round; each sends a burst of requests, one after the other. The
bursts are short, so that a disturbance that lasts meets both alike, and no connection is idle for long enough to
expire. The best round counts: disturbances only ever add. On a busy machine the ratio of the medians says more.
"""

import argparse
import asyncio
import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from random import Random
from statistics import median
from time import perf_counter, process_time
from typing import TypeVar

import aiohttp
import httpx
import httpx2
import requests

import uat_resilience.integrations.httpx as for_httpx
import uat_resilience.integrations.httpx2 as for_httpx2
from uat_resilience.integrations.aiohttp import ResilienceMiddleware
from uat_resilience.integrations.requests import ResilientAdapter

__all__ = ["main"]

C = TypeVar("C")

_now: list[Callable[[], float]] = [perf_counter]
_SERVER = """
import asyncio

ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: 2\\r\\n\\r\\nok"

class Answering(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(ANSWER * data.count(b"\\r\\n\\r\\n"))

async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """A client, bare and guarded: each sends so many requests and returns the seconds they took.

    Attributes:
        name: The library and its world.
        bare: As the library comes.
        guarded: Under the default policy.
    """

    name: str
    bare: Callable[[int], float]
    guarded: Callable[[int], float]


def main(arguments: list[str]) -> int:
    """Make one run and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.http")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--burst", type=int, default=20, help="requests in each burst")
    parser.add_argument(
        "--cpu",
        action="store_true",
        help="count this process's own time, for a machine that is busy",
    )
    options = parser.parse_args(arguments)
    if options.cpu:
        _now[0] = process_time
    with _server() as url, asyncio.Runner() as runner, _clients(runner, url) as pairs:
        print(_table(_measured(pairs, options.rounds, options.burst)))
    return 0


@contextmanager
def _clients(runner: asyncio.Runner, url: str) -> Iterator[list[Pair]]:
    """All pairs, closed in the end."""
    with ExitStack() as opened:

        def asynchronous(client: AbstractAsyncContextManager[C]) -> C:
            opened.callback(lambda: runner.run(client.__aexit__(None, None, None)))
            return runner.run(client.__aenter__())

        def session(*middlewares: ResilienceMiddleware) -> aiohttp.ClientSession:
            async def made() -> aiohttp.ClientSession:
                return aiohttp.ClientSession(middlewares=middlewares)

            return asynchronous(runner.run(made()))

        enter = opened.enter_context
        bare, guarded = enter(requests.Session()), enter(requests.Session())
        guarded.mount("http://", ResilientAdapter())
        yield [
            _sync(
                "httpx",
                enter(httpx.Client()),
                enter(httpx.Client(transport=for_httpx.ResilientTransport())),
                url,
            ),
            _sync(
                "httpx2",
                enter(httpx2.Client()),
                enter(httpx2.Client(transport=for_httpx2.ResilientTransport())),
                url,
            ),
            _sync("requests", bare, guarded, url),
            _async(
                "httpx",
                runner,
                asynchronous(httpx.AsyncClient()),
                asynchronous(httpx.AsyncClient(transport=for_httpx.AsyncResilientTransport())),
                url,
            ),
            _async(
                "httpx2",
                runner,
                asynchronous(httpx2.AsyncClient()),
                asynchronous(httpx2.AsyncClient(transport=for_httpx2.AsyncResilientTransport())),
                url,
            ),
            _aiohttp(runner, session(), session(ResilienceMiddleware()), url),
        ]


def _measured(
    pairs: list[Pair], rounds: int, burst: int
) -> dict[str, tuple[list[float], list[float]]]:
    chance = Random(1)
    times: dict[str, tuple[list[float], list[float]]] = {pair.name: ([], []) for pair in pairs}
    turns = [
        (pair.name, place, send)
        for pair in pairs
        for place, send in enumerate((pair.bare, pair.guarded))
    ]
    for _, _, send in turns:
        send(burst)
    gc.collect()
    gc.freeze()  # What is there already need not be looked at again before each burst.
    gc.disable()
    for _ in range(rounds):
        chance.shuffle(turns)
        for name, place, send in turns:
            gc.collect()
            times[name][place].append(send(burst) / burst)
    gc.enable()
    gc.unfreeze()
    return times


def _table(times: dict[str, tuple[list[float], list[float]]]) -> str:
    lines = [
        "| client | bare, µs | guarded, µs | ratio | ratio of medians |",
        "|---|---|---|---|---|",
    ]
    for name, (bare, guarded) in times.items():
        best, ours = min(bare), min(guarded)
        middle = median(guarded) / median(bare)
        lines.append(
            f"| {name} | {best * 1e6:.0f} | {ours * 1e6:.0f} | {ours / best:.2f} | {middle:.2f} |"
        )
    return "\n".join(lines)


@contextmanager
def _server() -> Iterator[str]:
    running = subprocess.Popen(  # noqa: S603 - of our own making
        [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    try:
        yield f"http://127.0.0.1:{running.stdout.readline().strip()}/"
    finally:
        running.terminate()
        running.wait()
        running.stdout.close()


def _timed(send: Callable[[], object], times: int) -> float:
    started = _now[0]()
    for _ in range(times):
        send()
    return _now[0]() - started


def _sync(name: str, bare: object, guarded: object, url: str) -> Pair:
    def sender(client: object) -> Callable[[int], float]:
        return lambda times: _timed(lambda: client.get(url), times)

    return Pair(f"{name}, sync", sender(bare), sender(guarded))


def _async(name: str, runner: asyncio.Runner, bare: object, guarded: object, url: str) -> Pair:
    async def burst(client: object, times: int) -> float:
        started = _now[0]()
        for _ in range(times):
            await client.get(url)
        return _now[0]() - started

    return Pair(
        f"{name}, asyncio",
        lambda times: runner.run(burst(bare, times)),
        lambda times: runner.run(burst(guarded, times)),
    )


def _aiohttp(
    runner: asyncio.Runner, bare: aiohttp.ClientSession, guarded: aiohttp.ClientSession, url: str
) -> Pair:
    async def burst(client: aiohttp.ClientSession, times: int) -> float:
        started = _now[0]()
        for _ in range(times):
            async with client.get(url) as answer:
                await answer.read()
        return _now[0]() - started

    return Pair(
        "aiohttp",
        lambda times: runner.run(burst(bare, times)),
        lambda times: runner.run(burst(guarded, times)),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
