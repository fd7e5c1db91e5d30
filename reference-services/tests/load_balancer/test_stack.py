"""The platform's own stack: it comes up, answers, ends, and has forgotten nothing when it comes up again."""

import socket
import tomllib
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.service.stack import running as stacks
from tests.service.stack.running import Running

STACK = Path(__file__).parents[2] / "stack.toml"
NAMES = ("load-balancer", "auth", "metrics-aggregator", "api-gateway")
ANN = {"email": "ann@example.com", "username": "ann", "password": "correct horse"}


def _free(count: int) -> list[int]:
    with ExitStack() as ends:
        made = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        for each in made:
            ends.enter_context(each)
        return [each.getsockname()[1] for each in made]


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return dict(zip(NAMES, _free(len(NAMES)), strict=True))


@contextmanager
def _up(directory: Path, ports: dict[str, int]) -> Generator[Running]:
    env = {f"{name.upper().replace('-', '_')}_PORT": str(port) for name, port in ports.items()}
    env |= {
        "UAT_STACK_FILE": str(STACK),
        "PASSWORD_MEMORY": "64",
        "PASSWORD_PASSES": "1",
    }
    running = Running(directory, env=env)
    try:
        for name in ports:
            running.state(name, "running")
        yield running
        assert running.stop() == 0
    finally:
        running.close()


def _registered(client: httpx.Client, port: int) -> dict[str, Any]:
    """Ask until all have registered; each does so a moment after it is ready."""
    while True:
        services: dict[str, Any] = client.get(f"http://127.0.0.1:{port}/services").json()
        if services.keys() >= set(NAMES):
            return services


def _scraped(client: httpx.Client, port: int, token: str) -> set[str]:
    """Ask the aggregator, through the gateway, until it has found all others by itself."""
    while True:
        answer = client.get(
            f"http://127.0.0.1:{port}/api/metrics/services",
            headers={"Authorization": f"Bearer {token}"},
        )
        answer.raise_for_status()
        found = {each["service_id"] for each in answer.json()}
        if found >= set(NAMES):
            return found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_stack_comes_up_answers_ends_and_remembers(
    tmp_path: Path, ports: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        stacks, "PATIENCE", 120.0
    )  # Four services start at once, beside other tests.
    with httpx.Client(timeout=30.0) as client:
        with _up(tmp_path, ports):
            services = _registered(client, ports["load-balancer"])
            health = {
                name: client.get(f"http://127.0.0.1:{port}/health").status_code
                for name, port in ports.items()
            }
            balanced = f"http://127.0.0.1:{ports['load-balancer']}/proxy/auth"
            made = client.post(f"{balanced}/auth/register", json=ANN)
            token = made.json()["token"]
            verified = client.get(
                f"{balanced}/auth/verify", headers={"Authorization": f"Bearer {token}"}
            )
            scraped = _scraped(client, ports["api-gateway"], token)
        with _up(tmp_path, ports):
            again = client.post(f"{balanced}/auth/login", json=ANN)

    assert {name: services[name]["url"] for name in NAMES} == {
        name: f"http://127.0.0.1:{port}" for name, port in ports.items()
    }
    assert scraped == set(NAMES)
    assert health == dict.fromkeys(NAMES, 200)
    assert made.status_code == verified.status_code == again.status_code == 200
    assert verified.json()["user"]["email"] == "ann@example.com"


def test_the_table_of_the_stack_is_that_of_the_services() -> None:
    described = tomllib.loads(STACK.read_text(encoding="utf-8"))["services"]

    assert {name: each["port"] for name, each in described.items()} == {
        "load-balancer": 8011,
        "auth": 8015,
        "metrics-aggregator": 8013,
        "api-gateway": 8080,
    }
    assert described["api-gateway"]["needs"] == ["auth", "load-balancer"]
    assert described["metrics-aggregator"]["needs"] == ["load-balancer"]
