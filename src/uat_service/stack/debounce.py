"""Take files that are saved shortly one after the other for one change."""

from collections.abc import Callable, Iterable
from pathlib import Path

from uat_resilience.clock import Clock

__all__ = ["Debounce"]

_SILENCE = 0.3  # Seconds.
_LONGEST = 3.0  # Seconds; something that saves without end shall be seen.


class Debounce:
    """Hand on what was saved once nothing has been for 0.3 s, or 3 s after the first of it. For one event loop.

    Args:
        clock: Time.
        hand_on: Is given the files, each once.
    """

    def __init__(self, clock: Clock, hand_on: Callable[[set[Path]], object]) -> None:
        self._clock = clock
        self._hand_on = hand_on
        self._files: set[Path] = set()
        self._until = 0.0
        self._disarm: Callable[[], object] | None = None

    def add(self, files: Iterable[Path]) -> None:
        """Take what was saved just now."""
        now = self._clock.now()
        if self._disarm is None:
            self._until = now + _LONGEST
        else:
            self._disarm()
        self._files |= set(files)
        self._disarm = self._clock.arm(min(now + _SILENCE, self._until), self._over)

    def drop(self) -> None:
        """Forget what has not been handed on."""
        if self._disarm is not None:
            self._disarm()
        self._disarm = None
        self._files = set()

    def _over(self) -> None:
        files = self._files
        self.drop()
        self._hand_on(files)
