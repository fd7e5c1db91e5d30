"""The clockwork: bursts of calls, interleaved, so that what slows the machine slows everybody.

A round visits every subject once, in an order shuffled anew. Each visit times a burst that is long enough for
the clock and short enough to fit between two disturbances, with the garbage collector off. The best round
counts: disturbances only ever add.
"""

import gc
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from benchmarks.contenders import Call
from benchmarks.drivers import Driver

__all__ = ["Plan", "Subject", "calibrated", "collector_off", "measured"]

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a run takes.

    Attributes:
        rounds: Visits to each subject.
        seed: Of the order in each round.
        burst: Seconds that one burst should take.
        contended: Calls that each of several threads makes.
        processes: Fresh interpreters for each import.
    """

    rounds: int = 100
    seed: int = 1
    burst: float = 0.006
    contended: int = 10_000
    processes: int = 10


@dataclass(frozen=True, slots=True)
class Subject:
    """A call to time, guarded or bare, in its world."""

    driver: Driver
    call: Call
    raising: bool

    def time(self, calls: int) -> float:
        """Return the nanoseconds per call of one burst."""
        return self.driver.time(self.call, calls, raising=self.raising)


def measured(
    subjects: Mapping[K, Subject], plan: Plan, progress: Callable[[int], object]
) -> dict[K, list[float]]:
    """Return the nanoseconds per call of every round, for each subject."""
    order = list(subjects)
    rng = Random(plan.seed)
    times: dict[K, list[float]] = {key: [] for key in order}
    with collector_off():
        lengths = {key: calibrated(subject.time, plan.burst) for key, subject in subjects.items()}
        for number in range(plan.rounds):
            rng.shuffle(order)
            for key in order:
                _swept()
                times[key].append(subjects[key].time(lengths[key]))
            progress(number + 1)
    return times


def calibrated(time: Callable[[int], float], seconds: float) -> int:
    """Return how many calls take about so many seconds; finding out warms the code up as well."""
    wanted = seconds * 1e9
    calls = 1
    while (taken := time(calls) * calls) < wanted / 4:
        calls *= 4
    return max(1, round(calls * wanted / taken))


@contextmanager
def collector_off() -> Iterator[None]:
    """Keep the garbage collector out, and make the collections that are asked for short."""
    _swept()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _swept() -> None:
    """Collect what is garbage, and never look again at what is not: some contenders keep more and more."""
    gc.collect()
    gc.freeze()
