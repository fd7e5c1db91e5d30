"""The figures of a simulation: how many calls ended how, how fast, and when."""

from collections.abc import Sequence
from dataclasses import dataclass

from uat_resilience.telemetry.events import BreakerStateChanged, LimitChanged

__all__ = ["Bucket", "Endings", "Figures", "Latencies"]


@dataclass(frozen=True, slots=True)
class Latencies:
    """How long calls took that were answered, late answers included; None where there were none.

    Attributes:
        mean: Seconds on average.
        p50: Seconds that half of them stayed within.
        p99: Seconds that 99 % stayed within.
        p999: Seconds that 99.9 % stayed within.
    """

    mean: float | None
    p50: float | None
    p99: float | None
    p999: float | None

    @classmethod
    def of(cls, ordered: Sequence[float]) -> "Latencies":
        """Return the figures for latencies in ascending order."""
        if not ordered:
            return cls(None, None, None, None)
        mean = sum(ordered) / len(ordered)
        return cls(
            mean, _quantile(ordered, 0.5), _quantile(ordered, 0.99), _quantile(ordered, 0.999)
        )


@dataclass(frozen=True, slots=True)
class Endings:
    """How many calls ended how. Each call that arrives ends exactly once.

    Attributes:
        good: Answered within the deadline.
        late: Answered after it.
        failed: Ended with an error of the dependency, or cut by a timeout.
        refused: Ended by a policy that did not let them through.
    """

    good: int
    late: int
    failed: int
    refused: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.good + self.late + self.failed + self.refused


@dataclass(frozen=True, slots=True)
class Bucket:
    """What happened in one stretch of time. The stretches go on until the last call has ended.

    Attributes:
        at: Seconds at which it begins.
        seconds: Its length.
        arrivals: Calls that arrived.
        endings: Calls that ended, by how.
        calls: Calls that the dependency was asked for, retries included.
        queue: Calls in the dependency's queue at its end.
        busy: Calls that the dependency worked on at its end.
        latencies: Of the calls that were answered.
    """

    at: float
    seconds: float
    arrivals: int
    endings: Endings
    calls: int
    queue: int
    busy: int
    latencies: Latencies

    @property
    def goodput(self) -> float:
        """Calls a second that were answered within the deadline."""
        return self.endings.good / self.seconds


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted and measured.

    Attributes:
        title: What was simulated.
        duration: Seconds that calls arrived for.
        ended: Seconds at which the last call ended.
        arrivals: Calls that arrived.
        endings: Calls by how they ended.
        kinds: How many calls ended with which error, by the name of its type, the most frequent first.
        calls: Calls that the dependency was asked for, retries included.
        wasted: Calls that the dependency worked on to the end although their callers had left.
        latencies: Of the calls that were answered.
        buckets: The same, one stretch of time after the other.
        breaker_changes: What the breakers told, in order.
        limit_changes: What the adaptive limiters told, in order.
    """

    title: str
    duration: float
    ended: float
    arrivals: int
    endings: Endings
    kinds: tuple[tuple[str, int], ...]
    calls: int
    wasted: int
    latencies: Latencies
    buckets: tuple[Bucket, ...]
    breaker_changes: tuple[BreakerStateChanged, ...]
    limit_changes: tuple[LimitChanged, ...]

    @property
    def goodput(self) -> float:
        """Calls a second that were answered within the deadline, while calls arrived."""
        return self.endings.good / self.duration

    @property
    def amplification(self) -> float:
        """Calls of the dependency for each call that arrived: above 1 with retries, below 1 with refusals."""
        return self.calls / self.arrivals if self.arrivals else 0.0

    def between(self, start: float, end: float) -> tuple[Bucket, ...]:
        """Return the stretches that lie within some seconds."""
        return tuple(b for b in self.buckets if b.at >= start and b.at + b.seconds <= end)

    def success(self, start: float, end: float) -> float:
        """Return the share of the calls that ended within some seconds and were answered in time."""
        endings = [bucket.endings for bucket in self.between(start, end)]
        return sum(each.good for each in endings) / max(1, sum(each.total for each in endings))


def _quantile(ordered: Sequence[float], q: float) -> float:
    """The smallest value that at least this share stays within: no value is made up."""
    rank = -int(-q * len(ordered) // 1)
    return ordered[max(0, min(len(ordered), rank) - 1)]
