"""A real PostgreSQL server on a free loopback port, started and stopped by a fixture."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

_ACCOUNT = "postgres"  # The server refuses to run as root.
_READY = "ready to accept connections"


def find(program: str) -> str | None:
    """Return where a program of the server is: on PATH, or where Debian puts it."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    return shutil.which(program) or (str(debian[-1]) if debian else None)


class Postgres:
    """A server with one empty database. It can be stopped and started again on the same port."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="uat-postgres-"))
        self._data = self._home / "data"
        self._user = _ACCOUNT if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._home, pwd.getpwnam(_ACCOUNT).pw_uid)
        self._run("initdb", "-D", str(self._data), "-U", "shop", "-A", "trust", "--no-sync")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._server: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where SQLAlchemy finds it."""
        return f"postgresql+asyncpg://shop@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and return when it says that it takes connections. Started already, nothing happens."""
        if self._server is not None:
            return
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self._home),
            "fsync": "off",
            "lc_messages": "C",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._server = subprocess.Popen(  # noqa: S603 - the command is our own
            [find("postgres") or "", "-D", str(self._data), *options],
            user=self._user,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        log = self._server.stderr
        assert log is not None
        said = ""
        for line in log:  # ends with the server's life, should it not come up
            said += line
            if _READY in line:
                return
        raise AssertionError(said)

    def stop(self) -> None:
        """Stop it at once: clients lose their connections. Stopped already, nothing happens."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.communicate()
            self._server = None

    def remove(self) -> None:
        """Stop it and delete its files."""
        self.stop()
        shutil.rmtree(self._home)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(  # noqa: S603 - the command is our own
            [find(program) or "", *arguments],
            user=self._user,
            cwd=self._home,
            check=True,
            capture_output=True,
        )
