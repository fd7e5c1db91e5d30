"""The load balancer as a process of its own, and hosts for it."""

import socket
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol, cast

import httpx
import pytest
from tests.service.framework.running import PATIENCE, Running, started

APP = "uat_platform.load_balancer.app:service"


class FakeHost(ThreadingHTTPServer):
    """A server that answers with its port and what it was asked.

    Attributes:
        status: Of its answers.
        health: Status of its health.
        silent: Close the connection instead of an answer.
        asked: Methods and paths of the requests so far, without those for its health.
        headers: Of the last request.
        gate: Answers wait for it; open unless a test closes it.
    """

    daemon_threads = False
    block_on_close = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.status = self.health = 200
        self.silent = False
        self._connections: list[Any] = []
        self.more: dict[str, str] = {}
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self.gate = threading.Event()
        self.gate.set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.append(request)
        super().process_request(request, client_address)

    def close(self) -> None:
        """End, and let nobody wait for the next request of a connection that is kept."""
        self.gate.set()
        self.shutdown()
        for each in self._connections:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def id(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    def _answer(self) -> None:
        host = cast("FakeHost", self.server)
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/health/ready":
            self._send(host.health, b"")
            return
        host.asked.append(f"{self.command} {self.path}")
        host.headers = {name.lower(): value for name, value in self.headers.items()}
        host.gate.wait(20)
        if host.silent:
            self.close_connection = True
            return
        self._send(host.status, f"{host.server_port} {self.path}".encode(), host.more)

    def _send(self, status: int, body: bytes, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - of the library
        """Say nothing."""

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the library looks for these names


@contextmanager
def _running(count: int) -> Generator[list[FakeHost]]:
    """Run some hosts."""
    there = [FakeHost() for _ in range(count)]
    threads = [
        threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.01})
        for each in there
    ]
    for thread in threads:
        thread.start()
    try:
        yield there
    finally:
        for each in there:
            each.close()
        for thread in threads:
            thread.join()


class Balancer:
    """A load balancer that runs, as its clients see it.

    Attributes:
        client: Asks it.
    """

    def __init__(self, running: Running, client: httpx.Client) -> None:
        self.running = running
        self.client = client

    def register(self, service: str, url: str, **more: object) -> dict[str, Any]:
        # Long enough for a machine that is busy with other tests.
        offer = {"url": url, "lease_seconds": 120, **more}
        answer = self.client.post(f"/services/{service}/instances", json=offer)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    def leave(self, service: str, id_: str) -> int:
        return self.client.delete(f"/services/{service}/instances/{id_}").status_code

    def service(self, name: str) -> dict[str, Any]:
        return self.client.get(f"/services/{name}").json()

    def host(self, service: str, id_: str) -> dict[str, Any]:
        return next(each for each in self.service(service)["instances"] if each["id"] == id_)

    def until(self, true: Callable[[], bool]) -> None:
        """Ask until something is true; every question goes over the network, so this does not spin."""
        for _ in range(20_000):
            if true():
                return
        raise AssertionError("it does not come true")


class Start(Protocol):
    """Starts a load balancer."""

    def __call__(
        self, directory: Path | None = None, **variables: str
    ) -> AbstractContextManager[Balancer]: ...


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Start a load balancer as a process."""

    @contextmanager
    def start(directory: Path | None = None, **variables: str) -> Generator[Balancer]:
        place = directory or tmp_path_factory.mktemp("balancer")
        told = {"DATABASE_URL": f"sqlite:///{place}/registry.db", "WARM_UP": "0s", **variables}
        told = {f"LOAD_BALANCER_{name}": value for name, value in told.items()}
        with started(APP, **told) as running:
            running.listening()
            with httpx.Client(base_url=f"http://{running.address}", timeout=PATIENCE) as client:
                yield Balancer(running, client)
            if running.process.poll() is None:
                running.stop()

    return start


@pytest.fixture(scope="session")
def balancer(start: Start) -> Generator[Balancer]:
    """One load balancer for all tests; each has services of its own."""
    with start(
        ALGORITHMS="sticky=hash", CHECK_INTERVAL="1h", RETRY_RATIO="0.1", RETRY_MINIMUM="0.6"
    ) as balancer:
        yield balancer


@pytest.fixture
def hosts() -> Generator[Callable[[int], list[FakeHost]]]:
    """Start hosts, which end with the test."""
    with ExitStack() as ends:
        yield lambda count: ends.enter_context(_running(count))
