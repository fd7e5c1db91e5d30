"""What active checks say of one host.

    unknown ──▶ up ◀──▶ down        two vague failures in a row, or one that leaves no doubt; one success

Nobody has registered a host that was not ready, so one that was not checked yet is as good as one that is up.
"""

from enum import Enum

__all__ = ["Checked", "Verdict"]

_IN_A_ROW = 2


class Verdict(Enum):
    """What the checks say."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


class Checked:
    """The last checks of one host.

    Attributes:
        verdict: What they say.
        at: When the last one was over, or None.
        error: What was wrong with it, or None.
    """

    __slots__ = ("_failures", "at", "error", "verdict")

    def __init__(self) -> None:
        self.verdict = Verdict.UNKNOWN
        self.at: float | None = None
        self.error: str | None = None
        self._failures = 0

    def take(self, error: str | None, now: float, *, certain: bool = False) -> bool:
        """Take note of a check; True when that changes the verdict.

        Args:
            error: What was wrong, or None.
            now: When it was over.
            certain: The failure leaves no doubt, as when nobody listens.
        """
        before, self.at, self.error = self.verdict, now, error
        if error is None:
            self._failures = 0
            self.verdict = Verdict.UP
        else:
            self._failures += 1
            if certain or self._failures >= _IN_A_ROW:
                self.verdict = Verdict.DOWN
        return self.verdict is not before
