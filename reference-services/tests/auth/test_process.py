"""The service as a process: what a restart leaves, what the health page says, what a storm and a flood do."""

import asyncio
import json
import re
import statistics
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import httpx
import httpx2
import pytest
from tests.service.framework.running import Running

from uat_resilience.clock import SystemClock
from uat_service.tokens import InvalidTokenError, KeySet, Verifier

ANN = {"email": "ann@example.com", "username": "ann", "password": "correct horse"}
JWKS = "/.well-known/jwks.json"


def fetches(client: httpx.Client) -> float:
    """Return how often the key set was fetched, as the process has counted."""
    name = "http_server_request_duration_seconds_count"
    found = re.findall(rf'{name}{{.*http_route="{JWKS}".*}} (\S+)', client.get("/metrics").text)
    return sum(map(float, found))


@pytest.mark.slow
def test_a_restart_loses_no_user_session_or_key(start: Any, tmp_path: Any) -> None:
    told = {
        "AUTH_DATABASE_URL": f"sqlite:///{tmp_path}/auth.db",
        "AUTH_ISSUER": "http://auth.test",
        "AUTH_KEY_PASSPHRASE": "sesame",
    }
    with start(**told) as running, running.client() as client:
        ann = client.post("/auth/register", json=ANN).json()
        keys = client.get(JWKS).json()
        headers = {"Authorization": f"Bearer {ann['token']}"}

    with start(**told) as running, running.client() as client:
        assert client.get(JWKS).json() == keys
        assert client.get("/auth/verify", headers=headers).status_code == 200
        refreshed = client.post("/auth/refresh", json={"refresh_token": ann["refresh_token"]})
        assert refreshed.status_code == 200
        assert client.post("/auth/login", json=ANN).status_code == 200
        found = client.get("/auth/verify-api-key", headers={"X-API-Key": ann["user"]["api_key"]})
        assert found.json()["user"]["id"] == ann["user"]["id"]


def test_the_health_page_has_what_it_always_had(running: Running) -> None:
    with running.client() as client:
        page = client.get("/health").json()

    assert page["status"] == "healthy"
    assert page["service"] == "auth-service"
    assert isinstance(page["timestamp"], int)
    assert page["dependencies"].keys() == {"database", "keys"}


def test_names_of_keys_that_are_made_up_make_one_fetch_in_a_window(running: Running) -> None:
    made_up = [unsigned(kid=f"made-up-{number}") for number in range(10_000)]
    with running.client() as client:
        before = fetches(client)

        refused = asyncio.run(checked(running, made_up))

        assert refused == {"key": 10_000}
        # The one that gets the keys is the one of this window.
        assert fetches(client) - before == 1


async def checked(running: Running, tokens: list[str]) -> dict[str, int]:
    """Check tokens as a service does, all at once; return how many were refused for which reason."""
    reasons: dict[str, int] = {}
    async with httpx2.AsyncClient(base_url=f"http://{running.address}") as client:

        async def fetch() -> Mapping[str, Any]:
            answer = await client.get(JWKS)
            told: Mapping[str, Any] = answer.raise_for_status().json()
            return told

        keys = KeySet(fetch, clock=SystemClock(), pause=60.0)
        verifier = Verifier(keys, issuer="anybody", audience="uat-platform")

        async def check(token: str) -> None:
            try:
                await verifier.verify(token)
            except InvalidTokenError as error:
                reasons[error.reason] = reasons.get(error.reason, 0) + 1

        await asyncio.gather(*map(check, tokens))
        await keys.close()
    return reasons


def unsigned(kid: str) -> str:
    def part(told: object) -> str:
        return urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'ES256', 'kid': kid})}.{part({'sub': 'x'})}.{'A' * 86}"


@pytest.mark.slow
def test_a_flood_of_logins_is_shed_and_tokens_are_checked_as_before(
    start: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    costly = {"AUTH_PASSWORD_MEMORY": "19456", "AUTH_PASSWORD_PASSES": "2"}
    with start(**costly) as running:
        with running.client() as client:
            token = client.post("/auth/register", json=ANN).json()["token"]

        calm, flooded, logins = asyncio.run(flood(running, token))

    statuses = [status for status, _ in logins]
    assert set(statuses) == {200, 503}
    assert all(b"retry-after: 1" in head for status, head in logins if status == 503)
    # Behind the flood each check would wait for dozens of passwords, of 25 ms and more.
    assert statistics.median(flooded) < 0.1
    with capsys.disabled():
        print(  # noqa: T201 - a figure to look at
            f"\n{len(logins)} logins, {statuses.count(503)} shed; a check took p50/p99"
            f" {shown(calm)} before and {shown(flooded)} meanwhile"
        )


def shown(times: list[float]) -> str:
    return (
        "/".join(f"{statistics.quantiles(times, n=100)[each - 1] * 1e3:.1f}" for each in (50, 99))
        + " ms"
    )


async def flood(
    running: Running, token: str
) -> tuple[list[float], list[float], list[tuple[int, bytes]]]:
    """Check tokens, first in peace and then beside eighty that log in as fast as they can."""
    clock = SystemClock()
    check = (
        f"GET /auth/verify HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    body = json.dumps(ANN).encode()
    login = (
        b"POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    ) + body
    logins: list[tuple[int, bytes]] = []

    async def checks(until: Callable[[], bool]) -> list[float]:
        times: list[float] = []
        async with connected(running) as ask:
            while not until():
                began = clock.now()
                status, _ = await ask(check)
                times.append(clock.now() - began)
                assert status == 200
        return times

    async def log_in() -> None:
        async with connected(running) as ask:
            logins.extend([await ask(login) for _ in range(2)])

    left = iter(range(100))
    calm = await checks(lambda: next(left, None) is None)
    flooding = asyncio.gather(*(log_in() for _ in range(80)))
    flooded = await checks(flooding.done)
    await flooding
    return calm, flooded, logins


class connected:  # noqa: N801 - a context manager, used like a function
    """A connection over which one request after the other is sent: cheaper than what is measured."""

    def __init__(self, running: Running) -> None:
        self._address = running.address.split(":")

    async def __aenter__(self) -> Any:
        self._reader, self._writer = await asyncio.open_connection(*self._address)
        return self._ask

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _ask(self, request: bytes) -> tuple[int, bytes]:
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        found = re.search(rb"content-length: (\d+)", head)
        assert found is not None
        await self._reader.readexactly(int(found[1]))
        return int(head.split()[1]), head
