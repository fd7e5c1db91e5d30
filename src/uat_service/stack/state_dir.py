"""The directory where a running stack keeps what others may ask for: `.uat`."""

import fcntl
import os
import re
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from uat_service.stack.errors import StackError
from uat_service.stack.journal import Event, Said

__all__ = ["StateDir"]

_LARGEST = 10 * 1024 * 1024
_LONGEST_SOCKET_PATH = 100


class StateDir:
    """`.uat`: the process id, the control socket and the logs.

    Args:
        path: The directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pid_file: int | None = None
        self._logs: dict[str, BinaryIO] = {}
        self._failing: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for log in self._logs.values():
            log.close()
        if self._pid_file is not None:
            with suppress(OSError):  # Whoever runs it next says what is wrong with it.
                self.socket.unlink(missing_ok=True)
            os.ftruncate(self._pid_file, 0)
            os.close(self._pid_file)

    @property
    def socket(self) -> Path:
        """The control socket.

        Raises:
            StackError: Its path is longer than the system takes.
        """
        path = Path(os.path.relpath(self.path / "control.sock"))
        if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
            raise StackError(f"{path}: the path is too long for a socket; start nearer to it")
        return path

    def claim(self) -> None:
        """Make it ours, until this process ends.

        Raises:
            StackError: Another process has it, or nothing can be written there.
        """
        try:
            self._claim()
        except OSError as error:
            raise StackError(
                f"{error.filename or self.path}: {error.strerror}: `uat` keeps its socket and its logs in "
                f"{self.path}/ of the working directory, so make room for that, or start it elsewhere"
            ) from None

    def _claim(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / ".gitignore").write_text("*\n", encoding="utf-8")
        (self.path / "logs").mkdir(exist_ok=True)
        file = os.open(self.path / "uat.pid", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(file, 20).decode().strip()
            os.close(file)
            raise StackError(
                f"a stack is already running here, as process {pid}: `uat status`, `uat down`"
            ) from None
        self._pid_file = file
        self.socket.unlink(missing_ok=True)
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())

    @property
    def imports(self) -> Path:
        """The file where a nursery keeps what services import."""
        return self.path / "imports"

    def log(self, instance: str) -> Path:
        """Return the log file of a process."""
        return self.path / "logs" / f"{instance}.log"

    def keep(self, event: Event) -> str | None:
        """Write what a process said into its log. One older file is kept when it has grown too large.

        Returns:
            What is wrong, once, when it cannot be written. Each line is tried anew.
        """
        if not isinstance(event, Said):
            return None
        try:
            self._write(event)
        except OSError as error:
            if event.instance in self._failing:
                return None
            self._failing.add(event.instance)
            return f"{self.log(event.instance)}: {error.strerror}: lines are not kept until it can be written"
        self._failing.discard(event.instance)
        return None

    def _write(self, said: Said) -> None:
        path, log = self.log(said.instance), self._logs.get(said.instance)
        if log is not None and log.tell() > _LARGEST:
            del self._logs[said.instance]
            log.close()
            path.replace(path.with_suffix(".log.1"))
            log = None
        if log is None:
            log = self._logs[said.instance] = path.open("ab", 0)
        log.write(said.line + b"\n")

    def logged(self, name: str | None = None) -> list[str]:
        """Return the processes that have a log; of a service, or one of them, when it is named."""
        found = sorted(path.stem for path in (self.path / "logs").glob("*.log"))
        return [each for each in found if name in {None, each, re.sub(r"-\d+$", "", each)}]

    def kept(self, instances: Iterable[str], *, lines: int) -> list[tuple[str, bytes]]:
        """Return the last lines of the logs, as name and line; none for 0."""
        return [
            (instance, line)
            for instance in instances
            if self.log(instance).exists()
            for line in deque(self.log(instance).read_bytes().splitlines(), maxlen=lines)
        ]
