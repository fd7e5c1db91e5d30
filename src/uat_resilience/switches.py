"""Two switches for tests, looked at by the policies: let calls through unguarded, make pauses take no time.

They are process-wide, because the code under test may use threads. `uat_resilience.testing` throws them.
"""

from collections.abc import Generator
from contextlib import contextmanager

from uat_resilience._core.layers import Layers

__all__ = ["Switches", "switches"]


class Switches:
    """What tests have switched.

    Attributes:
        guarding: False while policies let every call through.
        pausing: False while pauses return at once.
    """

    __slots__ = ("_guarding", "_pausing", "guarding", "pausing")

    def __init__(self) -> None:
        self.guarding = self.pausing = True
        self._guarding, self._pausing = Layers(bottom=True), Layers(bottom=True)

    @contextmanager
    def guarding_off(self) -> Generator[None]:
        """Let calls through inside the block, and for as long as another such block has not ended."""
        key = self._guarding.put_on(value=False)
        self.guarding = False
        try:
            yield
        finally:
            self.guarding = self._guarding.take_off(key)

    @contextmanager
    def pausing_off(self) -> Generator[None]:
        """Skip pauses inside the block, and for as long as another such block has not ended."""
        key = self._pausing.put_on(value=False)
        self.pausing = False
        try:
            yield
        finally:
            self.pausing = self._pausing.take_off(key)


switches = Switches()
