"""Two switches for tests, looked at by the policies: let calls through unguarded, make pauses take no time.

They are process-wide, because the code under test may use threads. `uat_resilience.testing` throws them.
"""

from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["Switches", "switches"]


class Switches:
    """What tests have switched.

    Attributes:
        guarding: False while policies let every call through.
        pausing: False while pauses return at once.
    """

    __slots__ = ("guarding", "pausing")

    def __init__(self) -> None:
        self.guarding = True
        self.pausing = True

    @contextmanager
    def guarding_off(self) -> Generator[None]:
        """Let calls through inside the block; put back what was there before."""
        before, self.guarding = self.guarding, False
        try:
            yield
        finally:
            self.guarding = before

    @contextmanager
    def pausing_off(self) -> Generator[None]:
        """Skip pauses inside the block; put back what was there before."""
        before, self.pausing = self.pausing, False
        try:
            yield
        finally:
            self.pausing = before


switches = Switches()
