"""The pool of the host asked last is at hand, and is used for nothing else."""

import ssl
from collections.abc import Generator
from typing import Any

import pytest
import requests
from tests.integrations.http.servers import RawServer, reply
from tests.integrations.http.test_wire import CERTIFICATE

from uat_resilience import Retry
from uat_resilience.integrations.requests import ResilientAdapter

ONCE = Retry(requests.RequestException, attempts=1)


class ByUser(ResilientAdapter):
    """Gives each user connections of their own."""

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        host, settings = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {**settings, "key_password": request.headers["X-User"]}


def session_with(adapter: ResilientAdapter) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


@pytest.fixture
def session() -> Generator[requests.Session]:
    with session_with(ResilientAdapter(ONCE)) as opened:
        yield opened


@pytest.fixture
def another() -> Generator[RawServer]:
    running = RawServer(lambda _: reply(200, b"another"))
    yield running
    running.stop()


def test_each_of_two_hosts_is_asked_itself(
    session: requests.Session, server: RawServer, another: RawServer
) -> None:
    answers = [session.get(each.url).text for each in (server, another, server, another)]

    assert answers == ["ok", "another", "ok", "another"]
    assert (server.connections, another.connections) == (1, 1)


def test_connection_that_was_not_checked_is_not_used_where_checking_is_asked_for(
    session: requests.Session,
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    secure = RawServer(secure=context)
    try:
        with pytest.warns(match="Unverified"):
            session.get(secure.url, verify=False)

        with pytest.raises(requests.exceptions.SSLError):
            session.get(secure.url)
    finally:
        secure.stop()


def test_request_by_a_proxy_goes_there(
    session: requests.Session, server: RawServer, another: RawServer
) -> None:
    session.get(server.url)

    answer = session.get(server.url, proxies={"http": another.url})

    assert answer.text == "another"


def test_closing_a_session_closes_its_connections(
    session: requests.Session, server: RawServer
) -> None:
    session.get(server.url)

    session.close()

    assert server.ended.acquire(timeout=5)
    assert session.get(server.url).status_code == 200


@pytest.mark.skipif(
    not hasattr(requests.adapters.HTTPAdapter, "build_connection_pool_key_attributes"),
    reason="requests before 2.32.3 has no way to tell them apart",
)
def test_adapter_that_tells_requests_apart_by_their_headers_still_does(server: RawServer) -> None:
    with session_with(ByUser(ONCE)) as session:
        for user in ("Ada", "Grace"):
            session.get(server.url, headers={"X-User": user})

    assert server.connections == 2
