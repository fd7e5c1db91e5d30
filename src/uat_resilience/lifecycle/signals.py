"""Signals, handled outside of signal handlers.

A handler runs in the main thread between any two instructions, so it may hold any lock by accident. Nothing is
done there: a byte goes to a pipe, and a thread that `install()` started reads it and does the rest.

The interpreter writes that byte itself (`signal.set_wakeup_fd`), as the signal comes. A handler runs once the main
thread comes around, which one that has just begun to wait does not. Where an event loop has that descriptor for
itself it wakes up by it, and the handler writes the byte.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from uat_resilience.policies.forking import renew_after_fork

__all__ = ["SignalWatch"]

_WATCHED = (signal.SIGTERM, signal.SIGINT)
_UNDONE = b"\0"
_HEARD = frozenset({_UNDONE, *(bytes([number]) for number in _WATCHED)})


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
        os.set_blocking(self._writing, False)
        self._before = {number: signal.getsignal(number) for number in _WATCHED}
        self._received = 0
        self._undone = self._ours = False
        self._watcher = threading.Thread(target=self._watch, name="uat-signals", daemon=True)
        self._watcher.start()
        for number in _WATCHED:
            signal.signal(number, self._handle)
        # Trio takes the descriptor when it runs, and complains when somebody has it.
        self._ours = "trio" not in sys.modules and self._woken_by(-1)
        renew_after_fork(self)

    def undo(self) -> None:
        """Put the older handlers back, where nobody has put others since. Undoing twice is no error."""
        if self._undone:
            return
        self._undone = True
        if self._ours and self._woken_by(self._writing):
            signal.set_wakeup_fd(-1)
        os.write(self._writing, _UNDONE)
        self._watcher.join()
        os.close(self._reading)
        os.close(self._writing)
        self._restore()

    def renew(self) -> None:
        """In a forked child: its signals are its own, and the pipe is its parent's."""
        if self._ours and self._woken_by(self._writing):
            signal.set_wakeup_fd(-1)
        self._todo, self._ours = [], False
        self._restore()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._received += 1
        written = self._ours and self._woken_by(self._writing)
        if self._received <= len(self._todo) and not written:
            os.write(self._writing, bytes([number]))
        if self._received > 1:
            self._restore()
        older = self._before[signal.Signals(number)]
        if callable(older) and not _interrupts(older):
            older(number, frame)

    def _watch(self) -> None:
        for act in self._todo:
            while (heard := os.read(self._reading, 1)) not in _HEARD:
                pass  # Of another signal: the interpreter writes all of them.
            if heard == _UNDONE:
                break
            act()

    def _woken_by(self, descriptor: int) -> bool:
        """Let the interpreter write to our pipe if it writes to `descriptor`, and return whether it did."""
        before = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        if before == descriptor:
            return True
        signal.set_wakeup_fd(before)
        return False

    def _restore(self) -> None:
        for number, older in self._before.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, older)


def _interrupts(handler: Callable[[int, FrameType | None], object]) -> bool:
    function = getattr(handler, "func", handler)  # asyncio's is a partial of a method
    return handler is signal.default_int_handler or function.__module__ in _INTERRUPTING


_INTERRUPTING = frozenset({"asyncio.runners", "trio._core._ki"})
