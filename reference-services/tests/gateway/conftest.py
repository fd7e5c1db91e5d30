"""A gateway in a thread of this process, between clients and stand-ins for what is behind it."""

from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from gateway.stand_ins import ISSUER, Auth, Echo, token
from tests.integrations.server.serving import PATIENCE, Served, serving

from uat_platform.gateway.settings import GatewaySettings
from uat_platform.gateway.wiring import serving as gateway_service
from uat_service.app import Service
from uat_service.protocol import FaithfulProtocol

ADMIN = "let-me-in"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _structlog() -> Generator[None]:
    """Put loggers back as they were: a service configures them."""
    yield
    structlog.reset_defaults()


@dataclass
class Gateway:
    """A gateway that runs."""

    served: Served
    service: Service
    file: Path
    tokens: Callable[..., str] = field(default=token)

    @property
    def client(self) -> httpx.Client:
        """A client without state."""
        return httpx.Client(base_url=self.served.url, timeout=PATIENCE, trust_env=False)

    def get(self, path: str, *, user: str | None = None, **headers: str) -> httpx.Response:
        """Ask for a path, as somebody or nobody."""
        return self.ask("GET", path, user=user, headers=headers)

    def ask(
        self,
        method: str,
        path: str,
        *,
        user: str | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """Send one request over a connection of its own."""
        told = dict(headers or {})
        if user is not None:
            told["Authorization"] = f"Bearer {token(user)}"
        with self.client as client:
            return client.request(method, path, headers=told, content=content)

    def admin(
        self, method: str, path: str, content: str | None = None, **headers: str
    ) -> httpx.Response:
        """Ask as the operator."""
        return self.ask(
            method,
            path,
            headers={"Authorization": f"Bearer {ADMIN}", **headers},
            content=None if content is None else content.encode(),
        )


Start = Callable[..., Any]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Start gateways."""

    @contextmanager
    def started(routes: str, *, auth: str = "", **variables: str) -> Generator[Gateway]:
        place = tmp_path_factory.mktemp("gateway")
        file = place / "gateway.toml"
        file.write_text(routes)
        settings = GatewaySettings.read(
            "api-gateway",
            {
                "ROUTES_FILE": str(file),
                "ROUTES_PUT_FILE": str(place / "put.toml"),
                "IDENTITY_FILE": str(place / "identity.pem"),
                "LOAD_BALANCER_URL": "http://127.0.0.1:1",
                "AUTH_URL": auth or "http://127.0.0.1:1",
                "JWT_ISSUER": ISSUER,
                "ADMIN_TOKEN": ADMIN,
                "ROUTES_INTERVAL": "20ms",
                **variables,
            },
        )
        service = gateway_service(settings, {})
        with serving(
            service, http=FaithfulProtocol, date_header=False, server_header=False
        ) as served:
            yield Gateway(served, service, file)

    return started


@dataclass
class Platform:
    """A gateway with a service and an authentication service behind it."""

    gateway: Gateway
    echo: Echo
    auth: Auth
    echo_url: str


@pytest.fixture(scope="module")
def platform(start: Start) -> Generator[Platform]:
    """One for a whole module."""
    with ExitStack() as stack:
        echo, auth = Echo(), Auth()
        echo_url = stack.enter_context(serving(echo)).url
        auth_url = stack.enter_context(serving(auth)).url
        routes = ROUTES.replace("ECHO", echo_url)
        gateway = stack.enter_context(start(routes, auth=auth_url))
        yield Platform(gateway, echo, auth, echo_url)


ROUTES = """
[limits.default]
rate = 10000
burst = 10000
[limits.tight]
rate = 0.001
burst = 3

[limits.tighter]
rate = 0.001
burst = 3

[upstreams.echo]
urls = ["ECHO"]

[[routes]]
name = "open"
path = "/open"
rewrite = "/"
upstream = "echo"
auth = "none"
[[routes]]
name = "same"
path = "/same"
upstream = "echo"
auth = "none"
[[routes]]
name = "closed"
path = "/closed"
upstream = "echo"
[[routes]]
name = "perhaps"
path = "/perhaps"
upstream = "echo"
auth = "optional"
[[routes]]
name = "writers"
path = "/writers"
upstream = "echo"
scopes = ["write", "publish"]
[[routes]]
name = "readers"
path = "/readers"
upstream = "echo"
scopes = ["read"]
[[routes]]
name = "tight"
path = "/tight"
upstream = "echo"
auth = "optional"
limit = "tight"
[[routes]]
name = "tighter"
path = "/tighter"
upstream = "echo"
auth = "optional"
limit = "tighter"
[[routes]]
name = "read-only"
path = "/read-only"
methods = ["GET"]
upstream = "echo"
auth = "none"
[[routes]]
name = "hurried"
path = "/hurried"
upstream = "echo"
auth = "none"
deadline = "5s"
"""
