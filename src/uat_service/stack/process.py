"""One child process, in a session of its own."""

import asyncio
import os
import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from uat_service.stack.lines import Lines
from uat_service.stack.waits import first

__all__ = ["Ended", "Process"]

_LAST_WORDS = 1.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended.

    Attributes:
        code: Exit code; negative for a signal.
        killed: Whether it had to be killed.
    """

    code: int
    killed: bool = False


class Process(asyncio.SubprocessProtocol):
    """A child and its descendants: they are told to stop together, and none is left behind.

    The child leads a session of its own, so that Ctrl-C reaches it through its parent only, and once.
    """

    def __init__(self, said: Callable[[list[bytes]], object]) -> None:
        loop = asyncio.get_running_loop()
        self._said = said
        self._lines = Lines()
        self._exited: asyncio.Future[int] = loop.create_future()
        self._silent = asyncio.Event()
        self._transport: asyncio.SubprocessTransport | None = None
        self.pid = 0

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        fds: Collection[int],
        said: Callable[[list[bytes]], object],
    ) -> Self:
        """Start one.

        Args:
            command: The program and its arguments.
            env: Its whole environment.
            cwd: Its working directory.
            fds: Descriptors that it inherits.
            said: Is given what it writes, in lines.

        Raises:
            OSError: There is no such program, or it may not be run.
        """
        transport, process = await asyncio.get_running_loop().subprocess_exec(
            lambda: cls(said),
            *command,
            env=dict(env),
            cwd=cwd,
            pass_fds=tuple(fds),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        process._transport = transport  # noqa: SLF001 - the loop hands out both at once
        process.pid = transport.get_pid()
        return process

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002 - there is one pipe
        """Take what it has written."""
        self._said(self._lines.feed(data))

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - see above
        """Take what is left when nobody can write any more."""
        self._said(self._lines.end())
        self._silent.set()

    def process_exited(self) -> None:
        """Take the exit code."""
        code = None if self._transport is None else self._transport.get_returncode()
        if not self._exited.done():
            self._exited.set_result(0 if code is None else code)

    async def wait(self) -> int:
        """Wait until it has ended, and return its exit code. Descendants that are left are killed.

        The exit is what counts, and not the end of the output: a descendant may hold that open for ever.
        """
        code = await asyncio.shield(self._exited)
        self._signal(signal.SIGKILL)
        await first(self._silent.wait(), within=_LAST_WORDS)
        if self._transport is not None:
            self._transport.close()
        return code

    async def stop(self, *, grace: float, now: asyncio.Event) -> Ended:
        """Tell it to stop, and kill it when it has not done so in time.

        Args:
            grace: Seconds it has.
            now: Set when nobody wants to wait any longer.
        """
        self._signal(signal.SIGTERM)
        await first(self._exit(), now.wait(), within=grace)
        killed = not self._exited.done()
        if killed:
            self.kill()
        return Ended(await self.wait(), killed)

    def kill(self) -> None:
        """End it and its descendants at once."""
        self._signal(signal.SIGKILL)

    async def _exit(self) -> None:
        await asyncio.shield(self._exited)

    def _signal(self, number: signal.Signals) -> None:
        # The group may be gone, or consist of processes that only wait to be reaped.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)
