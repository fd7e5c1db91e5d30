"""What is measured, each in a process of its own: started, weighed, ended."""

import asyncio
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from benchmarks.listening import free_port, until_listening

__all__ = ["FOREIGN", "Foreign", "Running", "foreign", "python"]


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs.

    Attributes:
        port: Where it listens.
        pid: Its process.
    """

    port: int
    pid: int

    def memory(self) -> float:
        """Return the most memory the process or a child of it ever had, in MB."""
        return max(map(_peak, self._family())) / 1024

    def spent(self) -> float:
        """Return the seconds of processor time the process and its children have taken."""
        return sum(map(_running, self._family())) / 1e9

    def _family(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]


@dataclass(frozen=True, slots=True)
class Foreign:
    """A proxy that is a program of Debian's.

    Attributes:
        program: Its name.
        arguments: What it is started with, before the file of its settings.
        settings: That file; `port`, `upstream` and `directory` are filled in.
    """

    program: str
    arguments: tuple[str, ...]
    settings: str

    @property
    def path(self) -> str | None:
        """Where it is, or None when it is not installed."""
        return which(self.program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


FOREIGN: Mapping[str, Foreign] = {
    "nginx": Foreign(
        "nginx",
        ("-c",),
        """daemon off; worker_processes 1; pid {directory}/pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {directory}; proxy_temp_path {directory};
upstream u {{ server 127.0.0.1:{upstream}; keepalive 128; }}
server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://u; proxy_http_version 1.1;
proxy_buffering off; proxy_set_header Connection ""; }} }} }}
""",
    ),
    "HAProxy": Foreign(
        "haproxy",
        ("-f",),
        """global
 nbthread 1
defaults
 mode http
 timeout connect 5s
 timeout client 30s
 timeout server 30s
frontend f
 bind 127.0.0.1:{port}
 default_backend b
backend b
 http-reuse always
 server s 127.0.0.1:{upstream}
""",
    ),
}


@contextmanager
def python(*words: str) -> Iterator[Running]:
    """Run a module that prints its port first."""
    command = [sys.executable, "-m", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    try:
        assert process.stdout is not None
        port = process.stdout.readline()
        if not port:
            raise RuntimeError(f"{shlex.join(words)} has not started; it says why above")
        yield Running(int(port), process.pid)
    finally:
        process.kill()
        process.wait()


@contextmanager
def foreign(which_one: Foreign, upstream: int) -> Iterator[Running]:
    """Run a proxy that is installed."""
    port = free_port()
    with ExitStack() as ends:
        directory = ends.enter_context(tempfile.TemporaryDirectory())
        file = Path(directory, "settings")
        file.write_text(
            which_one.settings.format(port=port, upstream=upstream, directory=directory)
        )
        process = subprocess.Popen(  # noqa: S603 - a program of Debian's
            [str(which_one.path), *which_one.arguments, str(file)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ends.callback(process.wait)
        ends.callback(process.terminate)
        asyncio.run(until_listening(port))
        yield Running(port, process.pid)


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def _running(pid: int) -> int:
    """Return nanoseconds of processor time: clock ticks of `stat` are too coarse for a burst."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)
