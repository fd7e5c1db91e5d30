"""A process that gets SIGTERM: not ready, still serving, refusing, drained, closed, gone with status 0."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import httpx
import pytest
from tests.integrations.server.serving import PATIENCE, Served
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

SERVICE = Path(__file__).with_name("service.py")


@pytest.fixture
def service() -> Generator[subprocess.Popen[str]]:
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, str(SERVICE)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def printed(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def until(phase: bytes, chunks: Iterator[bytes]) -> None:
    received = b""
    while phase not in received:
        received += next(chunks)


def test_sigterm_drains_and_ends_with_status_0(service: subprocess.Popen[str]) -> None:
    served = Served(int(printed(service)))
    with (
        httpx.Client(base_url=served.url, timeout=PATIENCE) as client,
        httpx.Client(base_url=served.url, timeout=PATIENCE) as idle,
        client.stream("GET", "/phases") as running,
        connect(f"ws://127.0.0.1:{served.port}/") as talking,
    ):
        chunks = running.iter_raw()
        until(b"running", chunks)
        before = [idle.get(path).status_code for path in ("/health/ready", "/work")]

        os.kill(service.pid, signal.SIGTERM)
        until(b"announced", chunks)
        announced = [idle.get(path) for path in ("/health/ready", "/work")]
        until(b"draining", chunks)
        refused = idle.get("/work")
        alive = idle.get("/health/live")
        with pytest.raises(ConnectionClosed) as closed:
            talking.recv(PATIENCE)
        idle.get("/release")
        until(b"done", chunks)

    assert before == [200, 200]
    assert [each.status_code for each in announced] == [503, 200]
    assert announced[1].headers["connection"] == "close"
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["connection"] == "close"
    assert alive.status_code == 200
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert printed(service) == "closed"
    assert printed(service) == "drained True"
    assert service.wait(PATIENCE) == 0
