"""A stack that really runs: `python -m uat_service up --json` as a process, and what it tells."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from http.client import HTTPConnection
from pathlib import Path
from threading import Condition, Thread
from typing import Any

from click.testing import CliRunner, Result

from uat_service.cli import main

__all__ = ["CHILD", "PATIENCE", "Running", "Told", "ended_within", "fetch", "service"]

PATIENCE = 45.0  # Seconds until a test gives up; nothing that works comes near it.
CHILD = Path(__file__).parent / "child.py"
Told = dict[str, Any]


def service(
    name: str, *, script: Path | str = CHILD, env: Mapping[str, str] | None = None, **keys: object
) -> str:
    """Return a table of a stack.toml: one that runs the child."""
    table = {
        "command": f"{{python}} {script} {{fd}}",
        "port": 0,
        "health": "/ready",
        "grace": "10s",
        **keys,
    }
    lines = [
        f"[services.{name}]",
        *(f"{key} = {json.dumps(value)}" for key, value in table.items()),
    ]
    if env:
        lines.append(
            "env = { " + ", ".join(f'{key} = "{value}"' for key, value in env.items()) + " }"
        )
    return "\n".join(lines) + "\n"


def fetch(port: int, path: str = "/", *, method: str = "GET") -> Told:
    """Ask a service, on a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return {"status": answer.status, **json.loads(answer.read())}
    finally:
        connection.close()


def ended_within(pid: int, seconds: float) -> bool:
    """Return whether a process, of whomever, ends in time."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


class Running:
    """A running stack.

    Args:
        directory: Where it runs; its stack.toml is there.
        arguments: What follows `up`.
        env: More variables.
    """

    def __init__(
        self, directory: Path, *arguments: str, env: Mapping[str, str] | None = None
    ) -> None:
        self.told: list[Told] = []
        self._news = Condition()
        self._over = False
        self.directory = directory
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "uat_service", "up", "--json", *arguments],
            cwd=directory,
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.told.append(json.loads(line))
                self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()

    def wait(self, wanted: Callable[[Told], bool], *, after: int = 0) -> Told:
        """Wait until something is told; return it."""

        def found() -> list[Told]:
            return [event for event in self.told[after:] if wanted(event)]

        with self._news:
            self._news.wait_for(lambda: found() or self._over, PATIENCE)
            hits = found()
        assert hits, self.told
        return hits[0]

    def state(self, name: str, state: str, *, after: int = 0) -> Told:
        """Wait until a process is in a state."""
        return self.wait(
            lambda it: it.get("name") == name and it.get("state") == state, after=after
        )

    def line(self, part: str, *, after: int = 0) -> str:
        """Wait until a line is written that has this in it."""
        return str(self.wait(lambda it: part in it.get("line", ""), after=after)["line"])

    def note(self, part: str, *, after: int = 0) -> str:
        """Wait until something is noted that has this in it."""
        return str(self.wait(lambda it: part in it.get("text", ""), after=after)["text"])

    def rows(self) -> dict[str, Told]:
        """Ask it what each process is doing."""
        shown = self.ask("status", "--json").stdout
        return {row["name"]: row for row in map(json.loads, shown.splitlines())}

    def port(self, name: str) -> int:
        """Return where a service listens."""
        return int(self.rows()[name]["port"])

    def ask(self, *arguments: str) -> Result:
        """Run another command beside it, as if in its directory. Not for several threads at once."""
        before = Path.cwd()
        os.chdir(self.directory)
        try:
            return CliRunner().invoke(main, arguments)
        finally:
            os.chdir(before)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        return self.code()

    def code(self) -> int:
        """Wait for its end, and return the exit code."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def close(self) -> None:
        """End it at once, whatever happened: two different signals are never taken for one."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
        self._reader.join(PATIENCE)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()
