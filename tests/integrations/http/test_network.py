"""The network below httpx in sync code: what goes wrong with a socket is told in the library's terms."""

import socket
from collections.abc import Generator
from struct import pack
from typing import Any

import httpx
import httpx2
import pytest
from tests.integrations.http.drivers import TRUST

import uat_resilience.integrations.httpx as for_httpx
import uat_resilience.integrations.httpx2 as for_httpx2
from uat_resilience import Retry, TimedOutError, deadline

LIBRARIES = [
    pytest.param(httpx, for_httpx, id="httpx"),
    pytest.param(httpx2, for_httpx2, id="httpx2"),
]
MUCH = b"x" * 20_000_000
"""More than the buffers of two sockets hold."""


@pytest.fixture
def deaf() -> Generator[str]:
    """A server that reads nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def once(library: Any, module: Any) -> Any:
    policy = Retry(library.TransportError, attempts=1)
    return library.Client(transport=module.ResilientTransport(policy, verify=TRUST), timeout=0.05)


@pytest.mark.parametrize(("library", "module"), LIBRARIES)
def test_body_that_nobody_takes_ends_by_the_timeout_for_writing(
    library: Any, module: Any, deaf: str
) -> None:
    with once(library, module) as client, pytest.raises(library.WriteTimeout):
        client.post(deaf, content=MUCH)


@pytest.mark.parametrize(("library", "module"), LIBRARIES)
def test_body_that_nobody_takes_ends_at_the_deadline(library: Any, module: Any, deaf: str) -> None:
    with once(library, module) as client, deadline(0.05), pytest.raises(TimedOutError):
        client.post(deaf, content=MUCH, timeout=60.0)


@pytest.mark.parametrize(("library", "module"), LIBRARIES)
def test_answer_that_does_not_come_ends_by_the_timeout_for_reading(
    library: Any, module: Any, deaf: str
) -> None:
    with once(library, module) as client, pytest.raises(library.ReadTimeout):
        client.get(deaf)


@pytest.mark.parametrize(
    ("after", "error"),
    [
        ("connection.connect_tcp.complete", "RemoteProtocolError"),
        ("http11.send_request_body.complete", "ReadError"),
    ],
    ids=["writing", "reading"],
)
@pytest.mark.parametrize(("library", "module"), LIBRARIES)
def test_connection_that_is_reset_breaks_the_request_off(
    library: Any, module: Any, after: str, error: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def reset(step: str, _: object) -> None:
            if step == after:
                peer, _ = listener.accept()
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
                peer.close()  # Without a farewell, as it lingers for no time.

        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with once(library, module) as client, pytest.raises(getattr(library, error)):
            client.get(url, timeout=5.0, extensions={"trace": reset})
