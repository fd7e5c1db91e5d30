"""What follows when a process ends by itself.

    exit                                        verdict
    3 or 78: it says that it cannot start       failed, and left alone
    0, and it is no server                      finished
    anything else                               again, after a pause that doubles with each early end
    the fifth early end in a row                still again, and shown as a crash loop

An end is early when the process had not been ready for `steady` seconds. Pauses are jittered, so that what fell
together does not come back together.
"""

from dataclasses import dataclass
from enum import Enum

from uat_resilience import Exponential, Jitter

__all__ = ["CANNOT_START", "Next", "Restarts", "Verdict", "described"]

CANNOT_START = frozenset({3, 78})
"""Exit codes for a start that is not worth repeating: uvicorn's, and EX_CONFIG of sysexits.h."""


class Next(Enum):
    """What to do with a process that has ended."""

    AGAIN = "again"
    CRASH_LOOP = "crash-loop"
    FAILED = "failed"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do, and after how many seconds."""

    next: Next
    pause: float = 0.0


class Restarts:
    """Decide what follows each end of one process. Not thread-safe.

    Args:
        server: True when it is expected to run until it is stopped.
        backoff: Seconds to pause, by the number of early ends in a row. The first is short: most often the cause
            has passed with the process.
        steady: Seconds after which a process that was ready has proved itself.
        loop: Early ends in a row that make a crash loop.
    """

    def __init__(
        self,
        *,
        server: bool,
        backoff: Exponential = Exponential(0.25, maximum=30.0),
        steady: float = 10.0,
        loop: int = 5,
    ) -> None:
        self._server = server
        self._backoff = backoff
        self._steady = steady
        self._loop = loop
        self._early = 0

    def ended(self, code: int, *, ready_for: float, draw: float) -> Verdict:
        """Return what follows.

        Args:
            code: Exit code; negative for a signal.
            ready_for: Seconds it had been ready.
            draw: A uniform number from [0, 1).
        """
        if code in CANNOT_START:
            return Verdict(Next.FAILED)
        if code == 0 and not self._server:
            return Verdict(Next.FINISHED)
        self._early = 1 if ready_for >= self._steady else self._early + 1
        pause = Jitter.EQUAL.spread(self._backoff(self._early), draw)
        return Verdict(Next.CRASH_LOOP if self._early >= self._loop else Next.AGAIN, pause)

    def forget(self) -> None:
        """Begin to count again: somebody has changed something."""
        self._early = 0


def described(code: int) -> str:
    """Return an exit code in words."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"
