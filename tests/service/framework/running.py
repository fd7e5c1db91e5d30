"""A service in a process of its own, on a free port, with its log at hand."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

import httpx

PATIENCE = 20.0  # Seconds until a test gives up; nothing that works comes near it.
HERE = Path(__file__).parent

Entry = dict[str, Any]


class Running:
    """A process, and what it has logged so far."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.entries: list[Entry] = []
        self._lines: SimpleQueue[bytes] = SimpleQueue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        """Read all the time: a process whose pipe is full waits for somebody to empty it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def _log(self) -> Generator[Entry]:
        """Read the log to its end; what has been read is in `entries`."""
        while line := self._lines.get():
            self.entries.append(json.loads(line))
            yield self.entries[-1]
        self._lines.put(b"")

    def entry(self, event: str, **fields: object) -> Entry:
        """Read the log until this entry comes."""
        for entry in self._log():
            if fields.items() <= entry.items() and entry["event"] == event:
                return entry
        assert self.process.stderr is not None
        raise AssertionError(f"no {event} {fields}: {self.entries} {self.process.stderr.read()!r}")

    def join(self) -> None:
        """Wait for the end of the log."""
        self._reader.join(PATIENCE)

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait for the end, read the rest of the log, and return the exit code."""
        for _ in self._log():
            pass
        return self.process.wait(PATIENCE)

    def stop(self) -> list[Entry]:
        """Let it end in order; return all that it has logged."""
        self.signal()
        assert self.end() == 0
        return self.entries

    def events(self, event: str, **fields: object) -> list[Entry]:
        """Return the entries read so far that are like this."""
        return [
            each
            for each in self.entries
            if each["event"] == event and fields.items() <= each.items()
        ]

    def listening(self) -> "Running":
        """Wait until it listens."""
        self.address = self.entry("listening")["address"]
        return self

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://{self.address}", timeout=PATIENCE)


def command(*arguments: str) -> list[str]:
    return [
        sys.executable,
        "-W",
        "error::DeprecationWarning",
        "-m",
        "uat_service.serve",
        *arguments,
    ]


def surroundings(variables: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONDEVMODE": "", **variables}


@contextmanager
def started(
    app: str = "example:service",
    *arguments: str,
    descriptors: tuple[int, ...] = (),
    **variables: str,
) -> Generator[Running]:
    """Start a service; whatever becomes of the test, end its process."""
    with subprocess.Popen(  # noqa: S603 - our own module
        command(app, *(arguments or ("--port", "0"))),
        cwd=HERE,
        env=surroundings(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=descriptors,
    ) as process:
        running = Running(process)
        try:
            yield running
        finally:
            process.kill()
            running.join()


@contextmanager
def serving(**variables: str) -> Generator[Running]:
    """Start the example, and wait until it listens."""
    with started(**variables) as running:
        yield running.listening()
