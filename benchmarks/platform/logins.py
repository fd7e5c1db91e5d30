"""Token checks at the service `auth`, in peace and beside more and more logins, which is where its processor goes.

Each login hashes a password, as expensively as the settings have it by default. Those that find no turn are shed
with 503, which is what they are counted by; the checks are what should notice nothing.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from urllib.request import Request, urlopen

from benchmarks.listening import free_port, until_listening
from benchmarks.platform.load import Result, offered
from benchmarks.services.tables import table

__all__ = ["LOGINS", "tables"]

LOGINS = (0, 10, 100, 400)
"""A second."""

_CHECKS = 50.0
_SHED = 503
_ANN = {"email": "ann@example.com", "username": "ann", "password": "correct horse"}
_BODY = json.dumps(_ANN).encode()
_LOGIN = (
    b"POST /auth/login HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b"
) % (len(_BODY), _BODY)

Both = tuple[Result, Result]


def tables(options: argparse.Namespace) -> Iterator[str]:
    """Play each flood, and yield a table of them."""
    results: dict[int, list[Both]] = {rate: [] for rate in LOGINS}
    with _running() as port:
        check = b"GET /auth/verify HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %b\r\n\r\n" % (
            _registered(port)
        )
        for _ in range(options.rounds):
            for rate, found in results.items():
                found.append(asyncio.run(_beside(port, check, rate, options.seconds)))
    head = ["logins/s", "checks: success", "p50 ms", "p99 ms", "logins: done", "shed", "otherwise"]
    yield table(head, ([str(rate), *_cells(rounds)] for rate, rounds in results.items()))


async def _beside(port: int, check: bytes, rate: int, seconds: float) -> Both:
    async with asyncio.TaskGroup() as group:
        checks = group.create_task(offered(port, check, rate=_CHECKS, seconds=seconds))
        logins = group.create_task(offered(port, _LOGIN, rate=rate, seconds=seconds))
    return checks.result(), logins.result()


def _cells(rounds: list[Both]) -> list[str]:
    checks, logins = zip(*rounds, strict=True)
    failed = sum(sum(each.failed.values()) for each in checks)
    succeeded = sum(len(each.times) for each in checks)
    p50, p99 = (median(each.quantile(share) for each in checks) * 1000 for share in (0.5, 0.99))
    shed = sum(each.failed.get(_SHED, 0) for each in logins)
    done = sum(len(each.times) for each in logins)
    otherwise = sum(sum(each.failed.values()) for each in logins) - shed
    share = succeeded / max(1, succeeded + failed)
    return [f"{share:.2%}", f"{p50:.1f}", f"{p99:.1f}", str(done), str(shed), str(otherwise)]


@contextmanager
def _running() -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "uat_service.serve", "uat_platform.auth.app:service"]
    with tempfile.TemporaryDirectory() as directory:
        process = subprocess.Popen(  # noqa: S603 - ours
            [*command, "--port", str(port)],
            stdout=subprocess.DEVNULL,
            env={
                **os.environ,
                "LOG_LEVEL": "error",
                "AUTH_DATABASE_URL": f"sqlite:///{directory}/auth.db",
                "AUTH_ISSUER": "http://bench",
                "AUTH_REQUESTS_PER_MINUTE": "1000000",  # All come from one address.
            },
        )
        try:
            asyncio.run(until_listening(port))
            yield port
        finally:
            process.terminate()
            process.wait()


def _registered(port: int) -> bytes:
    url = f"http://127.0.0.1:{port}/auth/register"
    with urlopen(Request(url, _BODY, {"Content-Type": "application/json"})) as answer:
        token: str = json.load(answer)["token"]
    return token.encode()
