"""Signals, handled outside of signal handlers.

A handler runs in the main thread between any two instructions, so it may hold any lock by accident. It only writes
a byte to a pipe; a thread that `install()` started reads it and does the rest.
"""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

__all__ = ["SignalWatch"]

_WATCHED = (signal.SIGTERM, signal.SIGINT)
_UNDONE = b"\0"


class SignalWatch:
    """Call one function at the first SIGTERM or SIGINT, and another at the next.

    Handlers that were there before are called too, except those that only stand for KeyboardInterrupt: Python's
    own, and what asyncio and trio put in its place. After the second signal all are back, for a third to find.

    Raises:
        RuntimeError: This is not the main thread, the only one that may handle signals.
    """

    def __init__(self, first: Callable[[], None], second: Callable[[], None]) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError(
                "install() works in the main thread only: no other may handle signals"
            )
        self._todo = [first, second]
        self._reading, self._writing = os.pipe()
        self._before = {number: signal.getsignal(number) for number in _WATCHED}
        self._received = 0
        self._undone = False
        self._watcher = threading.Thread(target=self._watch, name="uat-signals", daemon=True)
        self._watcher.start()
        for number in _WATCHED:
            signal.signal(number, self._handle)

    def undo(self) -> None:
        """Put the older handlers back, where nobody has put others since. Undoing twice is no error."""
        if self._undone:
            return
        self._undone = True
        os.write(self._writing, _UNDONE)
        self._watcher.join()
        os.close(self._reading)
        os.close(self._writing)
        self._restore()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._received += 1
        if self._received <= len(self._todo):
            os.write(self._writing, bytes([number]))
        if self._received > 1:
            self._restore()
        older = self._before[signal.Signals(number)]
        if callable(older) and not _interrupts(older):
            older(number, frame)

    def _watch(self) -> None:
        for act in self._todo:
            if os.read(self._reading, 1) == _UNDONE:
                break
            act()

    def _restore(self) -> None:
        for number, older in self._before.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, older)


def _interrupts(handler: Callable[[int, FrameType | None], object]) -> bool:
    function = getattr(handler, "func", handler)  # asyncio's is a partial of a method
    return handler is signal.default_int_handler or function.__module__ in _INTERRUPTING


_INTERRUPTING = frozenset({"asyncio.runners", "trio._core._ki"})
