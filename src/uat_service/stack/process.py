"""One child process, in a session of its own."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from uat_service.stack.lines import Lines
from uat_service.stack.waits import first

__all__ = ["Ended", "Process", "Said"]

Said = Callable[[list[bytes]], object]
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


class Process:
    """A child and its descendants: they are told to stop together, and none is left behind.

    The child leads a session of its own, so that Ctrl-C reaches it through its parent only, and once. How it came
    to be is the business of `spawning` and `nursery`; they tell what it writes, and how it ends.

    Args:
        said: Is given what it writes, in lines.

    Attributes:
        pid: Its number.
        close: Lets go of what we hold of it. Is called when it has ended.
    """

    def __init__(self, said: Said) -> None:
        self.pid = 0
        self.close: Callable[[], object] = _nothing
        self._said = said
        self._lines = Lines()
        self._exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._silent = asyncio.Event()

    def heard(self, data: bytes) -> None:
        """Take what it has written."""
        self._said(self._lines.feed(data))

    def silenced(self) -> None:
        """Take what is left when nobody can write any more."""
        self._said(self._lines.end())
        self._silent.set()

    def ended(self, code: int) -> None:
        """Take the exit code."""
        if not self._exited.done():
            self._exited.set_result(code)

    async def wait(self) -> int:
        """Wait until it has ended, and return its exit code. Descendants that are left are killed.

        The exit is what counts, and not the end of the output: a descendant may hold that open for ever.
        """
        code = await asyncio.shield(self._exited)
        self._signal(signal.SIGKILL)
        await first(self._silent.wait(), within=_LAST_WORDS)
        self.close()
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


def _nothing() -> None:
    pass
