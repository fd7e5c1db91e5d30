"""Start a program as a process of ours."""

import asyncio

from uat_service.stack.launch import Launch
from uat_service.stack.process import Process, Said

__all__ = ["spawned"]


async def spawned(launch: Launch, said: Said) -> Process:
    """Start a process.

    Args:
        launch: How.
        said: Is given what it writes, in lines.

    Raises:
        OSError: There is no such program, or it may not be run.
    """
    process = Process(said)
    transport, _ = await asyncio.get_running_loop().subprocess_exec(
        lambda: _Ear(process),
        *launch.command,
        env=dict(launch.env),
        cwd=launch.cwd,
        pass_fds=launch.fds,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    process.pid = transport.get_pid()
    process.close = transport.close
    return process


class _Ear(asyncio.SubprocessProtocol):
    """Hands on what the loop says of a process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)  # noqa: S101 - for the type checkers
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002 - there is one pipe
        self._process.heard(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - see above
        self._process.silenced()

    def process_exited(self) -> None:
        code = self._transport.get_returncode()
        self._process.ended(0 if code is None else code)
