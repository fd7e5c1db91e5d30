"""A service registers where it was told to, stays registered, and leaves before it refuses anybody."""

import json
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Annotated, Any, cast

import anyio
import pytest
import structlog
from tests.service.framework.running import PATIENCE, started

from uat_resilience.testing import instant
from uat_service.client.own import balancer_of, own_instance
from uat_service.client.registration import Registration
from uat_service.resolver import BalancerSource, Instance
from uat_service.settings import OfStack, Settings

Told = tuple[str, str, dict[str, Any], str]


class Registry(ThreadingHTTPServer):
    """A load balancer that only writes down what it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listening)
        self.told: Queue[Told] = Queue()
        self.away = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def heard(self) -> Told:
        return self.told.get(timeout=PATIENCE)

    def left(self) -> Told:
        """Return what is heard after the last renewal, which may come while whoever leaves is being told to."""
        while (told := self.heard())[0] == "POST":
            pass
        return told


class _Listening(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        registry = cast("Registry", self.server)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        told = self.command, self.path, json.loads(body or b"{}"), self.headers["authorization"]
        registry.told.put(told)
        registry.away -= 1
        self.send_response(201 if registry.away < 0 else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - of the library
        """Say nothing."""

    do_DELETE = do_POST  # noqa: N815 - the library looks for this name


@pytest.fixture
def registry() -> Generator[Registry]:
    with Registry() as registry:
        thread = threading.Thread(target=registry.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield registry
        registry.shutdown()
        thread.join()


def test_a_service_that_was_told_of_a_load_balancer_registers_and_leaves(
    registry: Registry,
) -> None:
    variables = {"LOAD_BALANCER_URL": registry.url, "REGISTRATION_TOKEN": "sesame"}
    with started("example:service", **variables) as running:
        running.listening()
        method, path, offer, token = registry.heard()
        running.stop()
        left = registry.left()

    assert (method, path, token) == ("POST", "/services/orders/instances", "Bearer sesame")
    assert offer["url"] == f"http://{running.address}"
    assert offer["lease_seconds"] == 15.0
    assert left[:2] == ("DELETE", f"/services/orders/instances/{offer['id']}")


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_load_balancer_that_is_away_is_told_again(
    registry: Registry, anyio_backend: str
) -> None:
    registry.away = 2
    end = anyio.Event()
    registration = Registration(registry.url, "shop", Instance("http://a:1", id="a"), lease=0.6)

    with structlog.testing.capture_logs() as logged:
        async with anyio.create_task_group() as group:
            group.start_soon(registration.run, end.wait)
            told = [await anyio.to_thread.run_sync(registry.heard) for _ in range(4)]
            end.set()

    assert [each[0] for each in told] == ["POST"] * 4
    assert [(each["event"], each.get("status")) for each in logged] == [
        ("not registered", 503),
        ("registered at last", None),
    ]
    assert registry.left()[1] == "/services/shop/instances/a"


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_lease_is_not_renewed_without_end_where_retries_do_not_pause(
    registry: Registry, anyio_backend: str
) -> None:
    end = anyio.Event()
    told: list[Told] = []

    with instant():
        async with anyio.create_task_group() as group:
            for number in range(4):
                one = Registration(registry.url, "shop", Instance(f"http://a:{number + 1}"))
                group.start_soon(one.run, end.wait)
                told.append(await anyio.to_thread.run_sync(registry.heard))
            end.set()

    told += [registry.heard() for _ in range(4)]
    assert [each[0] for each in told] == ["POST"] * 4 + ["DELETE"] * 4


def test_the_address_is_the_one_that_was_told_or_the_one_it_listens_on() -> None:
    told = own_instance(url="http://shop:80", listens=("127.0.0.1", 5), version="1")
    here = own_instance(url="", listens=("127.0.0.1", 5), version="1")
    six = own_instance(url="", listens=("::1", 5), version="1")
    everywhere = own_instance(url="", listens=("0.0.0.0", 5), version="1")  # noqa: S104 - an example

    assert told is not None
    assert told.url == "http://shop:80"
    assert here is not None
    assert here.url == "http://127.0.0.1:5"
    assert six is not None
    assert six.url == "http://[::1]:5"
    assert everywhere is not None
    assert "0.0.0.0" not in everywhere.url  # noqa: S104 - an example
    assert own_instance(url="", listens=None, version="1") is None
    assert own_instance(url="", listens=("127.0.0.1", 0), version="1") is None


class Knowing(Settings):
    load_balancer_url: Annotated[str, OfStack("load-balancer")] = "http://127.0.0.1:8011"


def test_only_what_was_told_is_registered_at() -> None:
    told = {"LOAD_BALANCER_URL": "http://lb:1"}
    stack = {"UAT_SERVICES__LOAD_BALANCER__URL": "http://stack:1"}

    assert balancer_of(Knowing.read("shop", {})) == ""
    assert balancer_of(Knowing.read("shop", {"LOAD_BALANCER_URL": "none"})) == ""
    assert balancer_of(Settings.read("shop", told)) == "http://lb:1"
    assert balancer_of(Settings.read("shop", {"LOAD_BALANCER_URL": "none"})) == ""
    assert balancer_of(Knowing.read("shop", stack)) == "http://stack:1"
    assert balancer_of(Settings.read("shop", stack)) == "http://stack:1"
    assert balancer_of(Settings.read("shop", stack | told)) == "http://lb:1"
    assert balancer_of(Settings.read("shop", stack | {"LOAD_BALANCER_URL": "none"})) == ""


@pytest.mark.parametrize("url", ["lb:1", "", "http://user:hunter2@lb:1"])
def test_what_is_no_url_of_a_load_balancer_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"balancer must be like http://host:port$"):
        Registration(url, "shop", Instance("http://shop"))
    with pytest.raises(ValueError, match=r"url must be like http://host:port$"):
        BalancerSource(url)
