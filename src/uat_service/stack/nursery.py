"""One nursery, as `uat` sees it: a process that forks services (`uat_service.serve.nursery`)."""

import asyncio
import os
import socket
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from signal import SIGTERM
from typing import Self

from uat_service.serve.birth import Birth, Born, Ended, Refused, Stale, ask, told
from uat_service.stack.launch import Launch
from uat_service.stack.process import Process, Said
from uat_service.stack.spawning import spawned
from uat_service.stack.waits import first

__all__ = ["Nursery"]

_PATIENCE = 15.0
"""Seconds until it is given up. Imports take it one or two."""
_FAREWELL = 0.5  # Seconds; it may be in the middle of an import.
_Answer = Born | Refused | Stale | None


class Nursery:
    """Ask one nursery for processes.

    Args:
        process: The nursery itself.
        control: Our end of the sockets between us.
        patience: Seconds until it is given up.

    Attributes:
        pid: Its number.
    """

    def __init__(
        self, process: Process, control: socket.socket, *, patience: float = _PATIENCE
    ) -> None:
        self.pid = process.pid
        self._process = process
        self._control = control
        self._patience = patience
        self._asked: deque[tuple[Process, asyncio.Future[_Answer]]] = deque()
        self._children: dict[int, Process] = {}
        self._lost = False
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(control, self._tell)

    @classmethod
    async def start(
        cls,
        env: Mapping[str, str],
        said: Said,
        *,
        learned: Path,
        apps: Sequence[str] = (),
        patience: float = _PATIENCE,
    ) -> Self:
        """Start one.

        Args:
            env: Its environment.
            said: Is given what it writes, in lines.
            learned: A file of its own: what services import.
            apps: The services that it will fork, as `module:name`.
            patience: Seconds until it is given up.
        """
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)  # noqa: FBT003 - as it is called there
        number = its.fileno()
        program = [sys.executable, "-m", "uat_service.serve.nursery"]
        command = [*program, str(number), str(learned), *apps]
        with its, ExitStack() as unless:
            unless.callback(ours.close)
            launch = Launch(command, env, Path.cwd(), (number,), door=None)
            process = await spawned(launch, said)
            unless.pop_all()
            return cls(process, ours, patience=patience)

    async def born(self, launch: Launch, said: Said) -> Process | Refused | Stale | None:
        """Have it fork a process; return that, or why there is none: None when the nursery is of no use.

        Whoever gives up waiting gets no process: it ends before it has begun.
        """
        process = Process(said)
        with ExitStack() as ends:
            heard, output = _pipe(ends)
            waiting, start = _pipe(ends)
            answer = await self._answered(process, launch, (output, waiting, *launch.fds))
            if not isinstance(answer, Born):
                return answer
            transport, _ = await self._loop.connect_read_pipe(
                lambda: _Ear(process), os.fdopen(os.dup(heard), "rb", 0)
            )
            process.close = transport.close
            os.write(start, b"!")
        return process

    def retire(self) -> None:
        """Ask it no more. It ends after its last child."""
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)

    async def over(self) -> int:
        """Wait until it has ended; return its exit code."""
        return await self._process.wait()

    async def close(self) -> None:
        """End it. Its children should have ended."""
        self._lose()
        await first(self.over(), within=_FAREWELL)
        self._process.kill()

    async def _answered(
        self, process: Process, launch: Launch, descriptors: tuple[int, ...]
    ) -> _Answer:
        if self._lost:
            return None
        birth = Birth(launch.command, dict(launch.env), str(launch.cwd), launch.fds, descriptors)
        try:
            ask(self._control, birth)
        except OSError:  # It is gone, or behind, or this is more than a packet holds.
            return None
        answer: asyncio.Future[_Answer] = self._loop.create_future()
        self._asked.append((process, answer))
        try:
            await asyncio.wait({answer}, timeout=self._patience)
            if answer.done():
                return answer.result()
            self._process.kill()
            return None
        finally:
            answer.cancel()

    def _tell(self) -> None:
        try:
            reply = told(self._control)
        except ConnectionError:
            reply = None
        match reply:
            case None:
                self._lose()
            case Ended(pid, code):
                if (ended := self._children.pop(pid, None)) is not None:
                    ended.ended(code)
            case _:
                process, answer = self._asked.popleft()
                if answer.cancelled():
                    return
                if isinstance(reply, Born):
                    process.pid = reply.pid
                    self._children[reply.pid] = process
                answer.set_result(reply)

    def _lose(self) -> None:
        """Have no nursery any more."""
        if self._lost:
            return
        self._lost = True
        self._loop.remove_reader(self._control)
        self._control.close()
        for _, answer in self._asked:
            if not answer.done():
                answer.set_result(None)
        for process in self._children.values():
            self._watch(process)

    def _watch(self, process: Process) -> None:
        """Tell when an orphan ends. Its exit code is told to nobody, so it counts as told to stop."""
        try:
            descriptor = os.pidfd_open(process.pid)
        except ProcessLookupError:
            process.ended(-SIGTERM)
            return

        def ended() -> None:
            self._loop.remove_reader(descriptor)
            os.close(descriptor)
            process.ended(-SIGTERM)

        self._loop.add_reader(descriptor, ended)


class _Ear(asyncio.Protocol):
    """Hands on what a process writes."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def data_received(self, data: bytes) -> None:
        self._process.heard(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - either way nobody writes any more
        self._process.silenced()


def _pipe(ends: ExitStack) -> tuple[int, int]:
    pipe = os.pipe()
    for each in pipe:
        ends.callback(os.close, each)
    return pipe
