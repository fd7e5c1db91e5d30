"""A limit that is told of calls, whole rounds or one by one, at times that are made up."""

from dataclasses import dataclass, field

from uat_resilience._core.adaptive import Tuner
from uat_resilience._core.gradient import Gradient2

LATENCY = 0.1


@dataclass
class Rounds:
    """A tuner that is told whole rounds of calls, every one begun under the limit it speaks for."""

    tuner: Tuner
    size: int = 10
    now: float = 0.0
    limits: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begin()

    def go(self, *latencies: float, busy: float = 1.0) -> "Rounds":
        for latency in latencies:
            limit = self.tuner.limit
            self.now += latency
            for _ in range(max(self.size, limit)):
                self.tuner.record(self.now, latency, int(limit * busy), dropped=False)
            self.limits.append(self.begin())
        return self

    def drop(self, calls: int) -> "Rounds":
        self.now += LATENCY
        for _ in range(calls):
            self.tuner.record(self.now, LATENCY, self.tuner.limit, dropped=True)
        self.limits.append(self.tuner.limit)
        return self

    def begin(self) -> int:
        """End what is not counted: a call from before the round, and the first of the round; return the limit."""
        for _ in range(2):
            self.now += LATENCY
            self.tuner.record(self.now, LATENCY * 0.999, 1, dropped=False)
        return self.tuner.limit


def gradient(*, initial: int = 40, **settings: int) -> Rounds:
    """A limit of 40 and rounds of at least 10 calls; smoothing is off, so each round shows in full."""
    return Rounds(Gradient2(initial=initial, samples=10, smoothing=1.0, **settings).tuner())


def rested(limit: int = 40) -> Rounds:
    """A limit at its knee, with a baseline of 0.1 s, that a probe has just left alone."""
    return gradient(initial=limit).go(LATENCY * 1.1, LATENCY)


def outage() -> Rounds:
    """A limit that drops have brought from 40 to the minimum."""
    steady = rested()
    while steady.tuner.limit > 1:
        steady.drop(4)
    return steady


def trickle(rounds: Rounds, outcomes: str) -> int:
    """End one call after another; D is a drop. Return the limit."""
    for outcome in outcomes:
        rounds.now += LATENCY
        rounds.tuner.record(rounds.now, LATENCY, rounds.tuner.limit, dropped=outcome == "D")
    return rounds.tuner.limit
