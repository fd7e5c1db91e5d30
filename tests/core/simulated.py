"""A dependency with a known capacity, called by as many callers as the limit lets in. No clock: events in order.

The optimum is known: `workers` calls at once keep every worker busy and let nobody wait.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import pairwise
from random import Random  # noqa: TID251 - seeded noise of a simulated service

from uat_resilience._core.adaptive import Tuner

Service = Callable[[], float]


def steady(seconds: float) -> Service:
    return lambda: seconds


def memoryless(seconds: float, seed: int = 1) -> Service:
    """Exponential service times, as in the textbook's M/M/c: as noisy as a dependency gets."""
    rng = Random(seed)
    return lambda: rng.expovariate(1 / seconds)


@dataclass
class Dependency:
    """First come, first served by `workers`; beyond `places` calls inside it fails at once."""

    workers: int
    service: Service
    places: float = float("inf")
    inside: int = 0
    free_at: list[float] = field(default_factory=list)

    def call(self, now: float) -> tuple[float, bool]:
        """Return when the call ends, and whether it failed."""
        if self.inside >= self.places:
            return now + 0.005, True
        self.inside += 1
        while len(self.free_at) > self.workers:
            heappop(self.free_at)
        while len(self.free_at) < self.workers:
            heappush(self.free_at, now)
        ends = max(now, heappop(self.free_at)) + self.service()
        heappush(self.free_at, ends)
        return ends, False


@dataclass(frozen=True)
class Moment:
    """What the limit was from `at` on, and how the call went that ended then."""

    at: float
    limit: int
    rtt: float
    failed: bool


@dataclass
class Run:
    """Callers without end against one dependency, through one limit."""

    tuner: Tuner
    dependency: Dependency
    callers: int = 10**6
    now: float = 0.0
    history: list[Moment] = field(default_factory=list)
    running: list[tuple[float, float, bool]] = field(default_factory=list)

    def go(self, seconds: float) -> "Run":
        until = self.now + seconds
        self._begin_calls()
        while self.running[0][0] <= until:
            self._end_call()
            self._begin_calls()
        self.now = until
        return self

    def change(self, **settings: object) -> "Run":
        for name, value in settings.items():
            setattr(self.dependency, name, value)
        return self

    def _begin_calls(self) -> None:
        while len(self.running) < min(self.tuner.limit, self.callers):
            ends, failed = self.dependency.call(self.now)
            heappush(self.running, (ends, self.now, failed))

    def _end_call(self) -> None:
        inflight = len(self.running)
        self.now, began, failed = heappop(self.running)
        self.dependency.inside -= not failed
        rtt = self.now - began
        self.tuner.record(self.now, rtt, inflight, dropped=failed)
        self.history.append(Moment(self.now, self.tuner.limit, rtt, failed))

    def since(self, seconds_ago: float) -> list[Moment]:
        return [moment for moment in self.history if moment.at >= self.now - seconds_ago]

    def limit(self, last: float) -> float:
        """Return the mean limit over the last seconds, weighted by time."""
        moments = self.since(last)
        held = sum(one.limit * (other.at - one.at) for one, other in pairwise(moments))
        return held / (moments[-1].at - moments[0].at)

    def throughput(self, last: float) -> float:
        """Return the calls a second that ended well."""
        return sum(not moment.failed for moment in self.since(last)) / last
