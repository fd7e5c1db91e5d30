"""What is remembered of a host, and fades: how long its answers take, and how many of them are failures.

    latency     a longer one counts at once, shorter ones by and by         (peak EWMA, as in Finagle)
    failures    failed / (all + 1), both fading                             one failure of one is a half

Time wipes out what was seen: a host that nobody asks is forgiven after a while, and gets a request that shows how
it is now. Of latency ten answers wipe out as much, however soon they come. Otherwise one pause, which all hosts
have when it is ours, makes them look alike as long as memory lasts, and the slow ones get their full share.
"""

from math import exp

__all__ = ["FailureShare", "PeakLatency"]


_ANSWERS = 10.0


class PeakLatency:
    """The seconds an answer takes, by what was seen lately.

    Args:
        memory: Seconds after which an observation weighs a third, above 0. After ten shorter ones it does, too.

    Attributes:
        known: True once anything was seen.
    """

    __slots__ = ("_at", "_memory", "_value", "known")

    def __init__(self, memory: float) -> None:
        self._memory = memory
        self._value = self._at = 0.0
        self.known = False

    def observe(self, seconds: float, now: float) -> None:
        """Take note of an answer."""
        if seconds > self.read(now):
            # A rise is believed at once, because the next requests would already wait.
            self._value = seconds
        else:
            kept = exp(-max(1.0 / _ANSWERS, (now - self._at) / self._memory))
            self._value = seconds + (self._value - seconds) * kept
        self._at, self.known = now, True

    def read(self, now: float) -> float:
        """Return it as it has faded until now; 0 when nothing was seen."""
        return self._value * exp(-max(0.0, now - self._at) / self._memory)


class FailureShare:
    """The share of answers that were failures, from 0 to below 1.

    Args:
        memory: Seconds after which an observation weighs a third, above 0.
    """

    __slots__ = ("_all", "_at", "_failed", "_memory")

    def __init__(self, memory: float) -> None:
        self._memory = memory
        self._all = self._failed = self._at = 0.0

    def observe(self, *, failed: bool, now: float) -> None:
        """Take note of an answer."""
        kept = exp(-max(0.0, now - self._at) / self._memory)
        self._all = self._all * kept + 1.0
        self._failed = self._failed * kept + (1.0 if failed else 0.0)
        self._at = now

    def read(self, now: float) -> float:
        """Return it as it has faded until now."""
        kept = exp(-max(0.0, now - self._at) / self._memory)
        return self._failed * kept / (self._all * kept + 1.0)
