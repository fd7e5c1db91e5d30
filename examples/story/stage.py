"""The stage: the platform and two replicas of a catalog, run by `uat` in a directory that is thrown away."""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["REPLICAS", "Stage", "StageError"]

ROOT = Path(__file__).parents[2]
PLATFORM = ROOT / "reference-services" / "stack.toml"
ROUTES = ROOT / "reference-services" / "gateway.toml"
REPLICAS = ("catalog-1", "catalog-2")
SERVICES = ("auth", "load-balancer", "metrics-aggregator", "api-gateway", *REPLICAS)
PATIENCE = 120.0  # Seconds for all to get ready, and to end.

_REPLICA = """
[services.{name}]
app = "examples.story.catalog:service"
port = 0
optional_needs = ["load-balancer"]
env = {{ SERVICE_NAME = "catalog" }}
"""


class StageError(Exception):
    """The platform did not start, or did not end, as it should."""


class Stage:
    """The running platform: its addresses, its processes, its end.

    Args:
        directory: Where it keeps its state.
        secrets: Variables for all of it, such as the token that administers the gateway.
    """

    def __init__(self, directory: Path, secrets: dict[str, str]) -> None:
        self._directory = directory
        self._ports = dict(zip(SERVICES, _free_ports(len(SERVICES)), strict=True))
        self._env = {
            **os.environ,
            **secrets,
            **{
                f"{name.upper().replace('-', '_')}_PORT": str(self._ports[name])
                for name in SERVICES
            },
            "PYTHONPATH": str(ROOT),
        }
        self._process: Process | None = None
        self._listener: asyncio.Task[None] | None = None
        self._rows: dict[str, dict[str, Any]] = {}
        self._news = asyncio.Condition()
        self._ended = False

    async def __aenter__(self) -> Self:
        """Start everything, and wait until all of it is ready."""
        stack = self._directory / "stack.toml"
        replicas = "".join(_REPLICA.format(name=name) for name in REPLICAS)
        stack.write_text(PLATFORM.read_text(encoding="utf-8") + replicas, encoding="utf-8")
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "uat_service", "--stack", stack.name, "up", "--json"),
            cwd=self._directory,
            env=self._env,
            stdin=DEVNULL,
            stdout=PIPE,
            limit=1 << 20,
            start_new_session=True,  # Ctrl-C is for the story to pass on.
        )
        self._listener = asyncio.create_task(self._listen(self._process))
        try:
            async with asyncio.timeout(PATIENCE):
                for name in SERVICES:
                    await self.becomes(name, "running")
        except BaseException:
            await self.__aexit__(StageError, None, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Press Ctrl-C, and wait for the end."""
        if self._process is None or self._listener is None:
            return
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE):
            code = await self._process.wait()
            await self._listener
        if code and kind is None:
            raise StageError(f"the platform ended with {code}")

    def url(self, name: str) -> str:
        """Return where a service listens."""
        return f"http://127.0.0.1:{self._ports[name]}"

    def kill(self, name: str) -> int:
        """Kill a process without a warning, and return its id."""
        pid = int(self._rows[name]["pid"])
        os.kill(pid, signal.SIGKILL)
        return pid

    async def becomes(self, name: str, state: str, *, but: int | None = None) -> int:
        """Wait for a process to be in a state, and return its id.

        Args:
            name: Of the process.
            state: As `uat status` calls it.
            but: A process that does not count, because it was killed.

        Raises:
            StageError: It has failed, or the platform has ended.
        """
        async with self._news:
            while self._rows.get(name, {}).get("state") != state or self._rows[name]["pid"] == but:
                if self._ended:
                    raise StageError(f"the platform ended before {name} was {state}")
                if self._rows.get(name, {}).get("state") == "failed":
                    raise StageError(f"{name} has failed: {self._rows[name]['detail']}")
                await self._news.wait()
        return int(self._rows[name]["pid"])

    async def _listen(self, process: Process) -> None:
        """Keep what `uat up` tells of each process."""
        async for line in process.stdout:
            told = json.loads(line)
            if told["event"] == "state":
                async with self._news:
                    self._rows[told["name"]] = told
                    self._news.notify_all()
        async with self._news:
            self._ended = True
            self._news.notify_all()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
