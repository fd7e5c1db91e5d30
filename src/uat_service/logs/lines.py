"""Lines on their way out: whole, in order, many with one call of the system, whoever reads them or does not."""

import asyncio
import os
import sys
from collections import deque
from contextlib import suppress
from threading import RLock

__all__ = ["Lines"]


class Lines:
    """Writes whole lines to a file descriptor, and does not mind when nobody reads them any more.

    Written without Python's buffer: what a closed pipe leaves there would end the process with an error.

    Args:
        descriptor: Where to, or None for nowhere. Default: standard output, if the process has one.

    Attributes:
        held: Lines that wait for the event loop to come around.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = _standard_output() if descriptor is None else descriptor
        # A line that is longer than a pipe takes at once must not be cut by that of another thread. Of one and
        # the same thread only a finaliser can come in between, which must not wait for itself.
        self._lock = RLock()
        self.held: deque[bytes] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None  # That which releases them.

    def msg(self, line: bytes) -> None:
        """Write a line, and before it those that wait."""
        with self._lock:
            if self.held:
                self._release()
            self._write(line + b"\n")

    def soon(self, line: bytes) -> None:
        """Write a line once the event loop comes around, with what else there is by then; at once outside of one.

        Under load that is one call of the system for many lines. No line overtakes another.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.msg(line)
            return
        # It needs no lock: what is held stays so until the loop comes around, or is taken along by another thread.
        if not self.held or loop is not self._loop:
            self._loop = loop
            loop.call_soon(self._release)
        self.held.append(line)

    def _release(self) -> None:
        lines: list[bytes] = []
        with self._lock:
            # A finaliser that logs may come in between, and take some.
            with suppress(IndexError):
                while True:
                    lines.append(self.held.popleft())
            if lines:
                self._write(b"\n".join(lines) + b"\n")

    def _write(self, rest: bytes) -> None:
        if self._descriptor is None:
            return
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            return

    log = debug = info = warning = warn = error = critical = exception = fatal = failure = err = msg


def _standard_output() -> int | None:
    try:
        return None if sys.stdout is None else sys.stdout.fileno()
    except (OSError, ValueError):
        return None
